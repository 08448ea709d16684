// The whole story: somebody is woken, logs in by their first link, reads what a rollback will do to
// the database, chooses, confirms, and watches it happen. Then once more without a mouse.

import type { Browser, Page } from "playwright-core";
import { focused, tabTo } from "./keyboard";
import { PASSWORD, check, daemon, deploy, equal, figure, logIn, person, picture, play, until } from "./stage";

type Deployment = { number: number; kind: string; status: string; actor: string; reason: string | null; reverts?: number[] };
const history = () => daemon<Deployment[]>("GET", "/v1/apps/shop/deployments");

/** The rollback's confirmation, as it says what the database will meet. */
async function confirmation(page: Page) {
  const dialog = page.getByRole("dialog");
  await dialog.getByText("drops products.price_cents").first().waitFor();
  await dialog.getByText("12.0.0").first().waitFor();
  return dialog;
}

async function rolledBack(page: Page, number: number, reason: string, actor: string): Promise<void> {
  await until(`#${number} has succeeded`, async () => {
    const newest = (await history())[0];
    return newest?.number === number && newest.status === "succeeded";
  });
  const [rollback, before] = await history();
  equal(
    [rollback?.number, rollback?.kind, rollback?.actor, rollback?.reason],
    [number, "rollback", `${actor} at dashboard`, reason],
    "the history has the rollback, and where it was asked for",
  );
  equal(before?.status, "rolled_back", "and what it took back");
  equal(rollback?.reverts?.length, 1, "it was asked to revert one migration");
  // The page says the same, with no reload.
  const table = page.getByRole("table").filter({ hasText: reason });
  await table.getByText("Rolled Back").first().waitFor();
  await table.getByText(reason).first().waitFor();
}

async function byMouse(browser: Browser): Promise<void> {
  const context = await person(browser);
  const page = await context.newPage();
  const link = await daemon<{ url: string }>("POST", "/v1/links", { name: "anna", role: "admin" });
  const token = new URL(link.url).hash;
  check(token.length > 20, "the link has its token behind the #, which no browser sends");
  await page.goto(`/first${token}`);
  await page.getByLabel(/password/i).first().fill(PASSWORD);
  const again = page.getByLabel(/again|repeat|once more/i);
  if ((await again.count()) > 0) await again.first().fill(PASSWORD);
  await page.locator("form").getByRole("button").last().click();

  await page.getByRole("heading", { name: "Apps" }).waitFor();
  await page.getByRole("link", { name: "shop" }).first().click();
  await page.getByRole("heading", { name: "Deployments" }).waitFor({ state: "attached" });
  await page.getByText("8.0.0").first().waitFor();
  await picture(page, "story-1-deployments");

  await page.getByRole("button", { name: /^Roll ?back/i }).first().click();
  const dialog = await confirmation(page);
  const confirm = dialog.getByRole("button", { name: /^Roll back/i });
  check(await confirm.isDisabled(), "nothing can be confirmed before it is said what becomes of the migration");
  await dialog.getByRole("radio", { name: /^Revert/i }).check();
  await dialog.getByLabel(/Reason/i).fill("the home page answers 500");
  await picture(page, "story-2-confirmation");
  await until("it can be confirmed", () => confirm.isEnabled());
  const began = Date.now();
  await confirm.dblclick();
  await page.getByText(/Starting|Migrating|Verifying|Switching|Draining|Reverting/i).first().waitFor();
  await picture(page, "story-3-under-way");
  await rolledBack(page, 3, "the home page answers 500", "anna");
  figure(`a rollback over a destructive migration, from its confirmation to its end in the browser: ${Date.now() - began} ms`);
  await picture(page, "story-4-rolled-back");
  equal((await history()).length, 3, "a double click is one rollback");

  // The link has served.
  const stranger = await (await person(browser)).newPage();
  await stranger.goto(`/first${token}`);
  await stranger.getByLabel(/password/i).first().fill("another password entirely");
  const twice = stranger.getByLabel(/again|repeat|once more/i);
  if ((await twice.count()) > 0) await twice.first().fill("another password entirely");
  await stranger.locator("form").getByRole("button").last().click();
  await stranger.getByRole("alert").waitFor();
  await context.close();
}

async function byKeyboard(browser: Browser): Promise<void> {
  const context = await person(browser, { dark: true });
  const page = await context.newPage();
  await page.goto("/login?next=%2Fapps%2Fshop");
  await page.getByLabel("Name").waitFor();
  await tabTo(page, /Name/);
  await page.keyboard.type("anna");
  await tabTo(page, /password Password/i);
  await page.keyboard.type(PASSWORD);
  await page.keyboard.press("Enter");
  await page.getByText("8.0.0").first().waitFor();

  await tabTo(page, /^button Roll ?back/i);
  await page.keyboard.press("Enter");
  await confirmation(page);
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "hidden" });
  await until("Escape gives the focus back to what opened the dialog", async () => /^button Roll ?back/i.test(await focused(page)));
  await page.keyboard.press("Enter");
  const dialog = await confirmation(page);

  await tabTo(page, /^radio/);
  // A group of radio buttons is one stop; the arrows choose.
  const revert = dialog.getByRole("radio", { name: /^Revert/i });
  for (let presses = 0; presses < 4 && !(await revert.isChecked()); presses += 1) {
    await page.keyboard.press(presses === 0 ? "Space" : "ArrowDown");
  }
  check(await revert.isChecked(), "the arrows choose between keeping and reverting");
  await tabTo(page, /Reason/i);
  await page.keyboard.type("by keyboard alone");
  await tabTo(page, /^button Roll back/i);
  await page.keyboard.press("Enter");
  await rolledBack(page, 5, "by keyboard alone", "anna");
  check((await focused(page)) !== "", "the focus is somewhere on the page when the dialog has gone");
  await picture(page, "story-5-by-keyboard-dark");
  await context.close();
}

await play(async (browser) => {
  await byMouse(browser);
  // The same page meanwhile: a deploy from elsewhere appears by itself.
  const phone = await (await person(browser, { phone: true })).newPage();
  await logIn(phone, "anna", "/apps/shop");
  await deploy(8);
  await phone.getByText("8.0.0").first().waitFor();
  const button = phone.getByRole("button", { name: /^Roll ?back/i }).first();
  const box = await button.boundingBox();
  check(!!box && box.y + box.height <= 740 && box.y > 370 && box.height >= 44, `Rollback lies within reach of the thumb: ${JSON.stringify(box)}`);
  await picture(phone, "story-phone");
  await byKeyboard(browser);
});
