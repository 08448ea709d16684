// What every script here has: a browser, the daemon it looks at, and the test that started it.
//
// A script is a scenario of `tests/dashboard/`, which prepared a host. It does what a person would,
// by the names that a person reads or hears; `ask` has the test do what only the host can.

import { mkdirSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { chromium, type Browser, type BrowserContext, type Page } from "playwright-core";

const setting = (name: string): string => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: a test starts this script, see tests/dashboard`);
  return value;
};

/** Where the dashboard is. */
export const url = setting("VIAL_E2E_URL");
const socket = setting("VIAL_E2E_SOCKET");
export const pictures = setting("VIAL_E2E_PICTURES");
/** How long anything may take that should happen soon, on a busy machine. */
export const SOON = 20_000;
/** The password of everybody here. */
export const PASSWORD = "correct horse battery staple";

// The test

const waiting = new Map<number, { done: (value: unknown) => void; failed: (error: Error) => void }>();
let asked = 0;
const answers = createInterface({ input: process.stdin });
answers.on("line", (line) => {
  const { id, ok, error } = JSON.parse(line) as { id: number; ok?: unknown; error?: string };
  const one = waiting.get(id);
  waiting.delete(id);
  if (error === undefined) one?.done(ok);
  else one?.failed(new Error(error));
});

/** Has the test do something, and waits until it has. */
export function ask<T = null>(what: string, ...args: string[]): Promise<T> {
  asked += 1;
  const id = asked;
  return new Promise((done, failed) => {
    waiting.set(id, { done: done as (value: unknown) => void, failed });
    process.stdout.write(`@ ${JSON.stringify({ id, ask: what, args })}\n`);
  });
}

/** Runs the command line. */
export async function vial(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  return ask("vial", ...args);
}

/** Deploys a version of the shop, to its end. */
export async function deploy(version: number): Promise<void> {
  const archive = await ask<string>("archive", String(version));
  const said = await vial("deploy", "shop", archive, "--allow-destructive");
  equal(said.code, 0, `deploying v${version} ends with 0:\n${said.out}${said.err}`);
}

/** Asks the daemon on its socket, as the host's operator. */
export function daemon<T>(method: string, path: string, body?: unknown): Promise<T> {
  return new Promise((done, failed) => {
    const asking = request({ socketPath: socket, method, path, headers: { "content-type": "application/json" } });
    asking.on("error", failed);
    asking.on("response", (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (text += chunk));
      response.on("end", () => {
        const status = response.statusCode ?? 0;
        if (status >= 300) failed(new Error(`${method} ${path} is answered with ${status}: ${text}`));
        else done((text === "" ? undefined : JSON.parse(text)) as T);
      });
    });
    asking.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** Prints a figure that the project is asked for. */
export function figure(text: string): void {
  console.log(`FIGURE ${text}`);
}

// Checks

export function equal<T>(is: T, wanted: T, what: string): void {
  const [one, other] = [JSON.stringify(is), JSON.stringify(wanted)];
  if (one !== other) throw new Error(`${what}\n  it is:     ${one}\n  should be: ${other}`);
}

export function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

/** Waits until something holds. */
export async function until(what: string, holds: () => Promise<boolean> | boolean, patience = SOON): Promise<void> {
  const end = Date.now() + patience;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`it never came so far: ${what}`);
    await pause(20);
  }
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((done) => setTimeout(done, milliseconds));
}

export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

// The browser

/** What went wrong in pages: errors of scripts, and whatever the Content-Security-Policy refused. */
const troubles: string[] = [];

export type Look = { width?: number; height?: number; phone?: boolean; dark?: boolean; alone?: boolean };

/** A browser of somebody's own: another profile, nobody logged in. */
export async function person(browser: Browser, look: Look = {}): Promise<BrowserContext> {
  const context = await browser.newContext({
    baseURL: url,
    viewport: { width: look.width ?? (look.phone ? 360 : 1280), height: look.height ?? (look.phone ? 740 : 800) },
    hasTouch: look.phone ?? false,
    isMobile: look.phone ?? false,
    colorScheme: look.dark ? "dark" : "light",
    locale: "en-GB",
    timezoneId: "Europe/Berlin",
    permissions: ["clipboard-read", "clipboard-write"],
  });
  context.setDefaultTimeout(SOON);
  // What is between a page and the daemon can be held back only where the page itself asks.
  if (look.alone) await context.addInitScript("delete globalThis.SharedWorker");
  context.on("page", (page) => {
    page.on("pageerror", (error) => troubles.push(`${page.url()}: ${error.stack ?? error.message}`));
    page.on("console", (message) => {
      const text = message.text();
      // Refusals and a daemon that is away are what some scenarios are about.
      if (message.type() !== "error" || text.startsWith("Failed to load resource")) return;
      if (/net::ERR_|WebSocket connection|EventSource/.test(text)) return;
      troubles.push(`${page.url()}: ${text}`);
    });
  });
  return context;
}

/** Makes a user. */
export async function addUser(name: string, role: "viewer" | "deployer" | "admin"): Promise<void> {
  await daemon("POST", "/v1/users", { name, role, password: PASSWORD });
}

/** Logs in by the page, and is where it leads. */
export async function logIn(page: Page, name: string, next = "/"): Promise<void> {
  await page.goto(`/login?next=${encodeURIComponent(next)}`);
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.waitForURL((at) => at.pathname + at.search === next);
}

/** Keeps a picture of what a page shows. */
export async function picture(page: Page, name: string, whole = false): Promise<void> {
  mkdirSync(pictures, { recursive: true });
  await page.screenshot({ path: join(pictures, `${name}.png`), fullPage: whole, animations: "disabled", caret: "hide" });
}

/** Plays a scenario, and ends this program: with 0 where all went well. */
export async function play(scenario: (browser: Browser) => Promise<void>): Promise<never> {
  let status = 0;
  const browser = await chromium.launch({
    executablePath: process.env["VIAL_CHROMIUM"] ?? "/usr/bin/chromium",
    args: ["--disable-dev-shm-usage"],
    // As people see it.
    ignoreDefaultArgs: ["--hide-scrollbars"],
  });
  try {
    await scenario(browser);
    equal(troubles, [], "no page has an error on its console");
  } catch (error) {
    status = 1;
    console.log(error instanceof Error ? (error.stack ?? error.message) : String(error));
    for (const trouble of troubles) console.log(`on a page's console: ${trouble}`);
    await keepLast(browser);
  }
  await browser.close();
  process.exit(status);
}

/** What was to be seen when a scenario failed. */
async function keepLast(browser: Browser): Promise<void> {
  let number = 0;
  for (const page of browser.contexts().flatMap((context) => context.pages())) {
    number += 1;
    const name = `failed-${process.pid}-${number}`;
    await picture(page, name, true).catch(() => undefined);
    console.log(`${page.url()} looked as ${join(pictures, `${name}.png`)} shows`);
    const shown = await page.locator("body").ariaSnapshot({ timeout: 2000 }).catch(() => "");
    console.log(shown.slice(0, 6000));
  }
}
