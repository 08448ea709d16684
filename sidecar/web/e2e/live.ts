// What is shown is so: two browsers at once, a daemon that was away, and the first page's weight.

import type { Browser, BrowserContext, Page } from "playwright-core";
import { addUser, ask, check, daemon, equal, figure, logIn, median, pause, person, picture, play, until, url, vial } from "./stage";
import { log } from "./traffic";

type Seen = Record<string, number>;

declare global {
  // When this page showed what for the first time, kept by the page itself.
  var seen: Seen;
}

/** Has a page write down when it shows each of the words for the first time. */
async function watch(page: Page, words: string[]): Promise<void> {
  await page.evaluate((wanted) => {
    globalThis.seen = {};
    const look = (): void => {
      const text = document.body.innerText;
      for (const word of wanted) if (!(word in globalThis.seen) && text.includes(word)) globalThis.seen[word] = Date.now();
    };
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true });
    look();
  }, words);
}

/** Two people's pages come to show the same within half a second of each other. */
async function together(pages: [Page, Page]): Promise<void> {
  const archive = await ask<string>("archive", "2");
  const apart: number[] = [];
  const turns: [string[], string][] = [
    [["deploy", "shop", archive, "--reason", "first-change", "--detach"], "first-change"],
    [["rollback", "shop", "--yes", "--reason", "second-change", "--detach"], "second-change"],
    [["restart", "shop", "--reason", "third-change", "--detach"], "third-change"],
  ];
  for (const [command, word] of turns) {
    for (const page of pages) await watch(page, [word]);
    const said = await vial(...command);
    equal(said.code, 0, `${command.join(" ")}: ${said.out}${said.err}`);
    const times: number[] = [];
    for (const page of pages) {
      await until(`both show ${word}`, () => page.evaluate((it) => it in globalThis.seen, word));
      times.push(await page.evaluate((it) => globalThis.seen[it] ?? 0, word));
    }
    apart.push(Math.abs((times[0] ?? 0) - (times[1] ?? 0)));
    await until("it has ended", async () => !(await inProgress()));
  }
  figure(`two browsers showed the same ${apart.join(", ")} ms apart`);
  check(apart.every((it) => it <= 500), "two browsers show the same within 500 ms");
}

async function inProgress(): Promise<boolean> {
  const app = await daemon<{ deployment?: unknown }>("GET", "/v1/apps/shop");
  return app.deployment !== undefined && app.deployment !== null;
}

/** The daemon is killed in the middle of a deploy, while the log is written to, and comes back. */
async function away(page: Page, logs: Page): Promise<void> {
  await log(5);
  await logs.getByText("log line 5 of 5").first().waitFor();
  const archive = await ask<string>("archive", "2");
  const said = await vial("deploy", "shop", archive, "--reason", "while-it-dies", "--detach");
  equal(said.code, 0, said.err);
  await page.getByText("while-it-dies").first().waitFor();
  await ask("kill_daemon");
  await page.getByText("Connection lost").first().waitFor();
  await picture(page, "connection-lost");
  await log(6);
  await ask("start_daemon");
  const began = Date.now();
  // What the daemon says of itself is what the page shows, no later than two seconds from here.
  let stands = "";
  await until("the page shows what the daemon says", async () => {
    stands = await standing();
    return (await page.getByText("Connection lost").count()) === 0 && (await shown(page)).includes(stands);
  }, 10_000);
  const took = Date.now() - began;
  figure(`${took} ms after the daemon answered again the page showed what /v1/status says: ${stands}`);
  check(took <= 2000, `within 2 s the page equals /v1/status: it took ${took} ms`);
  await logs.getByText("log line 6 of 6").first().waitFor();
  await log(4);
  await logs.getByText("log line 4 of 4").first().waitFor();
  const text = (await logs.locator("main").innerText()).split("\n");
  for (const [lines, of] of [[5, 5], [6, 6], [4, 4]] as const) {
    for (let line = 1; line <= lines; line += 1) {
      const times = text.filter((it) => it.includes(`log line ${line} of ${of}`)).length;
      equal(times, 1, `"log line ${line} of ${of}" is shown once: nothing is lost, and nothing comes twice`);
    }
  }
  await until("the deploy has ended", async () => !(await inProgress()));
}

/** What serves, and where, as the daemon has it. */
async function standing(): Promise<string> {
  const status = await daemon<{ serving: { version: string } | null; active: string | null }>("GET", "/v1/apps/shop");
  if (!status.serving || !status.active) throw new Error(`nothing serves: ${JSON.stringify(status)}`);
  return `v${status.serving.version} ${status.active}`;
}

/** The words of a page, as far apart as they may be. */
async function shown(page: Page): Promise<string> {
  return (await page.locator("main").innerText()).replace(/\s+/g, " ");
}

/** How heavy the first page is, and how long it takes until it shows what serves. */
async function first(browser: Browser, known: BrowserContext): Promise<void> {
  const cookies = await known.cookies(url);
  const times: number[] = [];
  let bytes = 0;
  for (let round = 0; round < 15; round += 1) {
    const context = await person(browser);
    await context.addCookies(cookies);
    const page = await context.newPage();
    const network = await context.newCDPSession(page);
    let sum = 0;
    await network.send("Network.enable");
    network.on("Network.loadingFinished", (event) => (sum += event.encodedDataLength));
    const began = performance.now();
    await page.goto("/", { waitUntil: "commit" });
    await page.getByRole("link", { name: "shop" }).first().waitFor();
    times.push(performance.now() - began);
    await pause(100);
    bytes = Math.max(bytes, sum);
    await context.close();
  }
  figure(`the first page: ${(bytes / 1000).toFixed(1)} kB with all that it loads, ready after ${median(times).toFixed(0)} ms (median of 15; ${Math.min(...times).toFixed(0)} to ${Math.max(...times).toFixed(0)})`);
  check(bytes > 5000 && bytes < 200_000, `the first page has less than 200 kB: ${bytes}`);
}

/** Six tabs of one browser: all live, none starved, by one stream. */
async function tabs(context: BrowserContext): Promise<void> {
  const pages: Page[] = [];
  for (let tab = 0; tab < 6; tab += 1) {
    const page = await context.newPage();
    await page.goto(tab % 2 === 0 ? "/apps/shop" : "/apps/shop/logs");
    pages.push(page);
  }
  await log(9);
  const began = Date.now();
  await Promise.all(
    pages.map((page, tab) =>
      tab % 2 === 0
        ? page.getByRole("button", { name: /^Roll ?back/i }).first().waitFor()
        : page.getByText("log line 9 of 9").first().waitFor(),
    ),
  );
  figure(`six tabs of one browser are live after ${Date.now() - began} ms`);
  for (const page of pages) await page.close();
}

await play(async (browser) => {
  await addUser("anna", "admin");
  await addUser("vera", "viewer");
  const [one, other] = [await person(browser), await person(browser)];
  const pages: [Page, Page] = [await one.newPage(), await other.newPage()];
  await logIn(pages[0], "anna", "/apps/shop");
  await logIn(pages[1], "vera", "/apps/shop");
  await together(pages);
  const logs = await one.newPage();
  await logs.goto("/apps/shop/logs");
  await away(pages[0], logs);
  await tabs(one);
  await first(browser, one);
});
