// Building from a repository: Deploy, a deployment's own page with what its build printed, Redeploy,
// Cancel, and a commit that cannot be built.

import type { Page } from "playwright-core";
import { addUser, ask, daemon, equal, figure, logIn, person, picture, play, until } from "./stage";
import { violations } from "./whole";

type Row = { number: number; kind: string; status: string; actor: string };

const newest = async (): Promise<Row | undefined> => (await daemon<Row[]>("GET", "/v1/apps/shop/deployments"))[0];

async function becomes(number: number, status: string): Promise<Row> {
  let row: Row | undefined;
  await until(`#${number} is ${status}`, async () => {
    row = await newest();
    return row?.number === number && row.status === status;
  });
  return row!;
}

/** Opens a dialog, which everybody can use, and has it do what its button says. */
async function by(page: Page, button: string, fill: Record<string, string> = {}): Promise<void> {
  await page.getByRole("button", { name: button, exact: true }).first().click();
  const dialog = page.getByRole("dialog");
  await dialog.waitFor();
  equal(await violations(page), [], `the dialog of ${button} is everybody's`);
  for (const [label, text] of Object.entries(fill)) await dialog.getByLabel(label).fill(text);
  await picture(page, `builds-${button.toLowerCase()}`);
  await dialog.getByRole("button", { name: button, exact: true }).click();
  await dialog.waitFor({ state: "hidden" });
}

await play(async (browser) => {
  await addUser("anna", "deployer");
  await ask("push", "1");
  const page = await (await person(browser)).newPage();
  await logIn(page, "anna", "/apps/shop");
  const began = Date.now();
  await by(page, "Deploy", { "Branch, tag or commit": "main", "Reason (optional)": "the first" });
  equal((await becomes(1, "succeeded")).actor, "anna at dashboard", "whoever pressed it asked for it");
  await page.getByText("v1.0.0").first().waitFor();
  figure(`a branch was built, deployed and had baked ${Date.now() - began} ms after Deploy was pressed`);

  await page.goto("/apps/shop/deployments/1");
  await page.getByRole("heading", { name: "Build log" }).waitFor();
  await page.getByText("Compiling the shop").first().waitFor();
  await page.getByText("the first").first().waitFor();
  equal(await violations(page), [], "the page of a build is everybody's");
  await picture(page, "builds-log");
  await by(page, "Redeploy");
  equal((await becomes(2, "succeeded")).kind, "redeploy", "it is named as what it is");

  // One that takes too long is cancelled, and what served serves.
  await ask("push", "2", "60000");
  await page.goto("/apps/shop");
  await by(page, "Deploy");
  await becomes(3, "starting");
  await picture(page, "builds-under-way");
  await page.getByRole("button", { name: "Cancel", exact: true }).click();
  await becomes(3, "cancelled");
  await page.getByText("Cancelled: v1.0.0 serves.").first().waitFor();
  await page.getByRole("region", { name: "Serving now" }).getByText("v1.0.0").first().waitFor();

  // One that cannot be built says why, and what served serves.
  await ask("push");
  await by(page, "Deploy");
  await becomes(4, "failed");
  await page.getByText(/still serves/).first().waitFor();
  await page.goto("/apps/shop/deployments/4");
  await page.getByText(/cannot stat 'release'/).first().waitFor();
  await picture(page, "builds-failed");
});
