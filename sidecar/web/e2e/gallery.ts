// Every page in every state: a picture of each, and each one whole (`whole.ts`), on a desk and on a
// phone, in light and in dark. What is to be seen is a list (`scenes.ts`), and a page of the router
// without an entry in it fails.

import { readFileSync, readdirSync, statSync } from "node:fs";
import type { Browser, Page } from "playwright-core";
import { scenes, type Scene } from "./scenes";
import { addUser, check, daemon, equal, figure, logIn, person, pictures, picture, play, until } from "./stage";
import { beyond, small, violations } from "./whole";

type Device = "desk" | "phone";

/** What is not as it should be, all of it: a list is mended faster than one entry at a time. */
const faults: string[] = [];
const taken = new Set<string>();
let looked = 0;

/** Waits until a page shows what it has to show. */
async function settled(page: Page, scene: Scene): Promise<void> {
  if (scene.state === "loading") await page.locator(".skeleton").first().waitFor();
  else {
    await page.getByRole("heading", { level: 1 }).first().waitFor({ state: "attached" });
    await until(`${scene.name} has loaded`, async () => (await page.locator(".skeleton").count()) === 0);
  }
  await scene.shows?.(page);
}

/** In which themes a scene is shown on a device, the one that it is loaded in first. */
function themes(scene: Scene, device: Device): ("light" | "dark")[] {
  if (scene.once) return device === "phone" ? ["light"] : ["dark"];
  return ["light", "dark"];
}

async function look(page: Page, scene: Scene, device: Device): Promise<void> {
  for (const theme of themes(scene, device)) {
    const name = `${scene.name}-${device}-${theme}`;
    await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
    const wrong = [...(await violations(page)), ...(await beyond(page))];
    if (device === "phone") wrong.push(...(await small(page)));
    for (const it of wrong) fault(`${name}: ${it}`);
    await picture(page, name);
    taken.add(`${name}.png`);
    looked += 1;
  }
}

function fault(what: string): void {
  console.log(what);
  faults.push(what);
}

async function tour(browser: Browser, device: Device): Promise<void> {
  const contexts = new Map<string, Page>();
  for (const scene of scenes) {
    const who = scene.as ?? "anna";
    let page = contexts.get(who);
    if (!page) {
      page = await (await person(browser, { phone: device === "phone", alone: true })).newPage();
      if (who !== "nobody") await logIn(page, who);
      contexts.set(who, page);
    }
    try {
      await scene.before?.(page);
      await page.emulateMedia({ colorScheme: themes(scene, device)[0] ?? "light", reducedMotion: "reduce" });
      await page.goto(scene.at);
      await settled(page, scene);
      await scene.open?.(page);
      await look(page, scene, device);
    } catch (error) {
      fault(`${scene.name}-${device}: ${error instanceof Error ? error.message : String(error)}`);
      await picture(page, `failed-${scene.name}-${device}`).catch(() => undefined);
    }
    await page.unrouteAll({ behavior: "ignoreErrors" });
  }
}

/** Every address that the router knows is on the list. */
function covers(): void {
  const router = readFileSync("src/app.tsx", "utf8");
  const patterns = [...router.matchAll(/\["(\/[^"]*)",/g)].map((it) => it[1] ?? "");
  check(patterns.length >= 14, `the router's pages are found in src/app.tsx: ${patterns.join(" ")}`);
  for (const pattern of patterns) {
    const wanted = new RegExp(`^${pattern.replace(/:\w+/g, "[^/]+")}([?#].*)?$`);
    check(scenes.some((scene) => wanted.test(scene.at)), `no scene shows ${pattern}`);
  }
}

/** Every picture is there, and is one of something. */
function areThere(): void {
  const wanted = scenes.flatMap((scene) =>
    (["desk", "phone"] as const).flatMap((device) => themes(scene, device).map((theme) => `${scene.name}-${device}-${theme}.png`)),
  );
  const files = new Set(readdirSync(pictures));
  const missing = wanted.filter((name) => !taken.has(name) || !files.has(name) || statSync(`${pictures}/${name}`).size < 2000);
  equal(missing, [], "every scene was pictured on both devices");
}

await play(async (browser) => {
  covers();
  await addUser("anna", "admin");
  await addUser("vera", "viewer");
  await addUser("a.user-with-a-name-of.exactly_sixty-four.characters@example.com", "deployer");
  await daemon("POST", "/v1/tokens", { name: "continuous integration of the shop, main branch", role: "deployer", days: 90 });
  const began = Date.now();
  await Promise.all([tour(browser, "desk"), tour(browser, "phone")]);
  figure(`gallery: ${looked} pictures of ${scenes.length} scenes in ${((Date.now() - began) / 1000).toFixed(0)} s`);
  equal(faults, [], "nothing is clipped, too small, or out of somebody's reach");
  areThere();
});
