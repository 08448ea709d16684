// The idle slot is frozen from its page, two browsers see it become so, it speaks to nobody, and a
// rollback goes back to it without a start.

import type { Locator, Page } from "playwright-core";
import { addUser, check, daemon, equal, figure, logIn, person, picture, play, until, vial } from "./stage";

type Slot = { slot: string; state: string; pid: number | null; standby?: { mode: string; ready: boolean } };
type App = { active: string; slots: Slot[] };
type Deployment = { number: number; kind: string; status: string; queued_at: string; live_at: string; steps?: { status: string }[] };

const shop = () => daemon<App>("GET", "/v1/apps/shop");

async function idle(): Promise<Slot> {
  const app = await shop();
  const slot = app.slots.find((it) => it.slot !== app.active);
  if (!slot) throw new Error("the shop has two slots");
  return slot;
}

function card(page: Page, slot: string): Locator {
  return page.getByRole("region", { name: slot });
}

/** Asks for it by the dialog of the slots page. */
async function ask(page: Page, mode: RegExp): Promise<Locator> {
  await page.getByRole("button", { name: "Standby…" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("radio", { name: mode }).check();
  return dialog;
}

await play(async (browser) => {
  await addUser("anna", "admin");
  await addUser("vera", "viewer");
  const page = await (await person(browser)).newPage();
  const other = await (await person(browser, { phone: true })).newPage();
  await logIn(page, "anna", "/apps/shop/slots");
  await logIn(other, "vera", "/apps/shop/slots");
  await until("the bake has ended", async () => (await idle()).state === "stopped");
  const { slot } = await idle();
  await other.getByText("it starts anew").waitFor();
  equal(await other.getByRole("button", { name: "Standby…" }).count(), 0, "who only looks changes nothing");

  // Nothing runs there: the previous release is started for it, comes to rest, and is frozen.
  const dialog = await ask(page, /^Frozen/);
  await dialog.getByLabel("For how long").selectOption({ label: "2 h" });
  await dialog.getByText("vial standby shop frozen --for 2h").waitFor();
  await dialog.getByText(/memory \(the active slot has \d+/).first().waitFor();
  await picture(page, "standby-1-asked");
  const began = Date.now();
  await dialog.getByRole("button", { name: `Keep ${slot} frozen` }).click();
  for (const it of [page, other]) await card(it, slot).getByText(/Frozen since .* until .*: ready in about/).waitFor();
  figure(`from a press to both browsers showing it frozen, a start included: ${Date.now() - began} ms`);
  const frozen = await idle();
  equal([frozen.state, frozen.standby?.mode, frozen.standby?.ready], ["frozen", "frozen", true], "the daemon says so too");
  await card(page, slot).getByText("not asked while it is frozen").waitFor();
  await card(page, slot).getByText(/\d MiB/).waitFor();
  await card(page, slot).getByText("0 % of a core").waitFor();
  await picture(page, "standby-2-frozen", true);
  await picture(other, "standby-2-frozen-phone", true);

  // It speaks to nobody, and says so at once.
  equal(await card(page, slot).getByText("Console on it").count(), 0, "no console is offered on it");
  await page.goto("/apps/shop/console");
  await page.getByText("It is frozen, and answers nothing.").waitFor();
  const asked = Date.now();
  const refused = await vial("rpc", "shop", "1 + 1", "--slot", slot);
  equal(refused.code, 3, `an expression in it is refused: ${refused.out}${refused.err}`);
  check(refused.err.includes("is frozen") && refused.err.includes("vial standby shop warm"), refused.err);
  check(Date.now() - asked < 5_000, "at once, and not when it is thawed");

  // And back to it.
  await page.goto("/apps/shop");
  await page.getByText("without a build and without a start").waitFor();
  await page.getByRole("button", { name: /^Roll ?back/i }).first().click();
  const plan = page.getByRole("dialog");
  await plan.getByText(/^Ready in about/).waitFor();
  await plan.getByText("It is thawed and its health is checked").waitFor();
  await picture(page, "standby-3-rollback");
  await plan.getByRole("button", { name: /^Roll back/i }).click();
  await until("it has succeeded", async () => {
    const [newest] = await daemon<Deployment[]>("GET", "/v1/apps/shop/deployments");
    return newest?.kind === "rollback" && newest.status === "succeeded";
  });
  const [newest] = await daemon<Deployment[]>("GET", "/v1/apps/shop/deployments");
  const rollback = await daemon<Deployment>("GET", `/v1/apps/shop/deployments/${newest?.number}`);
  const took = Date.parse(rollback.live_at) - Date.parse(rollback.queued_at);
  figure(`the rollback to the frozen slot took ${took} ms`);
  check(!rollback.steps?.some((it) => it.status === "starting"), "nothing was started for it");
  const after = await shop();
  equal(after.active, slot, "what was frozen serves");
  equal(after.slots.find((it) => it.slot === slot)?.pid, frozen.pid, "the same process");

  // What a rollback left is not kept, and the refusal stands where it was asked for.
  await page.goto("/apps/shop/slots");
  const again = await ask(page, /^Warm/);
  await again.getByRole("button", { name: /^Keep/ }).click();
  const why = again.getByText(/there is no release to keep for a rollback/);
  await why.waitFor();
  const [said, foot] = [await why.boundingBox(), await again.locator("footer").boundingBox()];
  check(!!said && !!foot && said.y + said.height <= foot.y, "it is seen without scrolling");
  await picture(page, "standby-4-refused");
});
