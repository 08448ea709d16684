// IEx in the browser: an expression and its value, another size, a reload, and on it goes.

import type { Page } from "playwright-core";
import { PASSWORD, addUser, check, daemon, equal, figure, logIn, person, picture, play, until } from "./stage";

type Row = { action: string; actor: string; outcome: string; app: string | null };

const screen = (page: Page) => page.locator(".xterm-rows").innerText();

/** What stands on the terminal, without the breaks of lines. */
async function shows(page: Page, what: RegExp): Promise<void> {
  await until(`the terminal shows ${what}`, async () => what.test((await screen(page)).replace(/\u00a0/g, " ")));
}

async function type(page: Page, line: string): Promise<void> {
  await page.locator(".xterm-helper-textarea").focus();
  await page.keyboard.type(line);
  await page.keyboard.press("Enter");
}

async function columns(page: Page, mark: number): Promise<number> {
  await type(page, `{${mark}, :io.columns()}`);
  const answer = new RegExp(`\\{${mark}, \\{:ok, (\\d+)\\}\\}`);
  await shows(page, answer);
  return Number(answer.exec(await screen(page))?.[1]);
}

await play(async (browser) => {
  await addUser("anna", "admin");
  await addUser("vera", "viewer");
  const page = await (await person(browser)).newPage();
  await logIn(page, "anna", "/apps/shop");
  // By the link, as a person comes: the page's policy must be that of a console all the same.
  await page.getByRole("link", { name: "Console" }).click();
  await page.getByRole("button", { name: "Open the console" }).click();
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  const began = Date.now();
  await page.keyboard.press("Enter");
  await shows(page, /iex\(shop_blue@127\.0\.0\.1\)1>/);
  figure(`a console, from the password to its prompt: ${Date.now() - began} ms`);
  await page.getByText("shop_blue@127.0.0.1").first().waitFor();
  await type(page, "kept = 4711; 1 + 41");
  await shows(page, /^42/m);

  const wide = await columns(page, 1);
  await page.setViewportSize({ width: 800, height: 600 });
  await until("the shell knows the new size", async () => (await columns(page, Math.floor(Math.random() * 1e6))) < wide);
  await picture(page, "console-resized");

  // What is printed while no page looks is there afterwards.
  await type(page, 'spawn(fn -> Process.sleep(700); IO.puts("meanwhile") end); :spawned');
  await shows(page, /:spawned/);
  await page.reload();
  await shows(page, /meanwhile/);
  await type(page, "kept + 1");
  await shows(page, /^4712/m);

  // A program cannot reach the clipboard, nor the page.
  await page.evaluate(() => navigator.clipboard.writeText("mine"));
  await type(page, 'IO.write("\\e]52;c;c3RvbGVu\\a\\e]0;stolen\\a<b id=stolen>bold</b>\\n")');
  await shows(page, /<b id=stolen>bold<\/b>/);
  equal(await page.evaluate(() => navigator.clipboard.readText()), "mine", "the clipboard is as it was");
  equal(await page.locator("#stolen").count(), 0, "what is printed is text");
  check(!(await page.title()).includes("stolen"), "the title is the page's own");

  const written = async (action: string) =>
    (await daemon<Row[]>("GET", "/v1/audit?app=shop"))
      .filter((row) => row.action === action)
      .map((row) => `${row.actor} ${row.outcome}`);
  equal(await written("open_console"), ["anna ok", "anna password_needed"], "who opened a console is written down, also where it was refused");

  // Another page of the same person takes it over, or a slot that goes takes it away: it says why.
  await daemon("POST", "/v1/apps/shop/stop");
  await page.getByText(/ended|is over|stopped/i).first().waitFor();
  await picture(page, "console-ended");
  await until("its end is written down", async () => (await written("console_ended")).length === 1);

  const viewer = await (await person(browser)).newPage();
  await logIn(viewer, "vera", "/apps/shop");
  equal(await viewer.getByRole("link", { name: "Console" }).count(), 0, "a viewer sees no console");
});
