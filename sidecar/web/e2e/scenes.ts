// The list of what the gallery shows: each page once as it is, and once in each state that it can be
// in: loading, refused, empty, with names as long as they may be, with 10,000 rows.

import type { Page, Route } from "playwright-core";
import { PASSWORD, daemon } from "./stage";

export type Scene = {
  /** The picture's name. */
  name: string;
  /** The address. */
  at: string;
  /** Who looks: an admin, unless it is said. */
  as?: "vera" | "nobody";
  state?: "loading";
  /** A state of a page that is shown whole elsewhere: once on each device is enough. */
  once?: boolean;
  /** What comes between the page and the daemon. */
  before?: (page: Page) => Promise<unknown>;
  /** What is waited for, beside the heading and the end of loading. */
  shows?: (page: Page) => Promise<unknown>;
  /** What is done before the picture: a dialog is opened. */
  open?: (page: Page) => Promise<unknown>;
};

const API = /\/v1\/(?!session([/?]|$)|streams?([/?]|$))/;
const LONG = "a_name_as_long_as_a_name_may_be_";

const waits: Pick<Scene, "state" | "once" | "before"> = {
  state: "loading",
  once: true,
  before: (page) => page.route(API, () => undefined),
};

/** Everything that is asked for is refused. */
async function refuse(page: Page): Promise<void> {
  await page.route(API, (route) =>
    route.fulfill({
      status: 500,
      json: {
        code: "internal",
        message: "The history cannot be read: the disk said `Input/output error`.",
        next: "`vial doctor` on the host",
        log: ["store: /var/lib/vial/vial.db: disk I/O error", "store: tried again 3 times"],
      },
    }),
  );
}

/** Answers a list with what a function makes of the real one. */
function instead<T>(path: RegExp, make: (real: T, url: URL) => unknown): (page: Page) => Promise<void> {
  return async (page) => {
    await page.route(path, async (route: Route) => {
      if (route.request().method() !== "GET") return route.fallback();
      const asked = new URL(route.request().url());
      await route.fulfill({ json: make(await daemon<T>("GET", asked.pathname + asked.search), asked) });
    });
  };
}

type App = { name: string; active: string | null; works?: string | null; slots: Slot[]; rollback: { target: unknown } };
type Slot = Record<string, unknown> & { slot: string };
type Kept = { state: string; mode: "warm" | "frozen"; ready: boolean; ms?: number };

/** The idle slot of an app, as if it were kept so since eleven minutes. */
function keep(app: App, kept: Kept): App {
  const minutes = (count: number) => new Date(Date.now() + count * 60_000).toISOString();
  const { state, mode, ready, ms } = kept;
  const standby = { mode, ready, since: minutes(-11), until: minutes(4), expected_ms: ms ?? null };
  const slots = app.slots.map((it) =>
    it.slot === app.active
      ? it
      : { ...it, state, standby, release: app.rollback.target, pid: 41_100, since: minutes(-90), health: null, last_exit: null },
  );
  return { ...app, works: ready ? app.active : null, slots };
}

/** Shows the shop with an idle slot that is kept so, and what is measured of it. */
function kept(how: Kept): (page: Page) => Promise<void> {
  return async (page) => {
    const hello = { type: "hello", stream: "none", version: "0.1.0", started_at: new Date().toISOString(), now: new Date().toISOString() };
    const app = keep(await daemon<App>("GET", "/v1/apps/shop"), how);
    const events = [hello, { type: "problems", problems: [] }, { type: "app", ...app }, { type: "complete" }];
    const body = `retry: 600000\n${events.map((it) => `data: ${JSON.stringify(it)}\n\n`).join("")}`;
    await page.route("**/v1/stream", (route) => route.fulfill({ contentType: "text/event-stream", body }));
    await instead<{ samples: { slots: Slot[] }[] }>(/\/v1\/apps\/shop\/metrics(\?|$)/, (real) => ({
      ...real,
      samples: real.samples.map((it) => {
        const active = it.slots.find((sampled) => sampled.slot === app.active);
        const idle = { slot: app.active === "blue" ? "green" : "blue", memory: 151_000_000, cpu: how.mode === "frozen" ? 0 : 0.004 };
        return { ...it, slots: active ? [active, idle] : it.slots };
      }),
    }))(page);
    await instead<Record<string, unknown>>(/\/v1\/apps\/shop\/rollback(\?|$)/, (plan) => {
      const standby = app.slots.find((it) => it.slot !== app.active)?.["standby"];
      return how.ready ? { ...plan, standby, expected_ms: how.ms ?? null } : plan;
    })(page);
  };
}
const frozen = kept({ state: "frozen", mode: "frozen", ready: true, ms: 32 });
const warm = kept({ state: "running", mode: "warm", ready: true });
const resting = kept({ state: "resting", mode: "frozen", ready: false });
const standbyDialog = (page: Page): Promise<void> => dialog(/^Standby/)(page);

type Row = Record<string, unknown> & { number: number };

/** As many rows as `limit` asks for, of 10,000, of which the first are real. */
function manyRows(real: Row[], url: URL): Row[] {
  const before = Number(url.searchParams.get("before") ?? 10_001);
  const limit = Number(url.searchParams.get("limit") ?? 10_000);
  const first = real[0];
  if (!first) return [];
  const rows: Row[] = [];
  for (let number = Math.min(10_000, before - 1); number > 0 && rows.length < limit; number -= 1) {
    rows.push({ ...(real[number % real.length] ?? first), number });
  }
  return rows;
}

/** A history in which every text is as long as it may be, and hostile. */
function longRows(real: Row[]): Row[] {
  const reason = `<img src=x onerror="alert(1)"> ${"a reason that goes on and on, as reasons of people who were woken do; ".repeat(8)}`;
  const version = "1.0.0-rc.1+build.20261130.0123456789abcdef0123456789abcdef";
  return real.map((row) => ({
    ...row,
    reason,
    actor: "a.user-with-a-name-of.exactly_sixty-four.characters@example.com",
    release: row["release"] ? { ...(row["release"] as object), version } : row["release"],
  }));
}

const dialog = (button: string | RegExp) => async (page: Page): Promise<void> => {
  await page.getByRole("button", { name: button }).first().click();
  await page.getByRole("dialog").waitFor();
};

/** Pages that ask the daemon for something of their own, with what a reader sees of their states. */
const asking: readonly [string, string][] = [
  ["deployments", "/apps/shop"],
  ["deployment-failed", "/apps/shop/deployments/2"],
  ["slots", "/apps/shop/slots"],
  ["logs", "/apps/shop/logs"],
  ["environment", "/apps/shop/environment"],
  ["settings", "/apps/shop/settings"],
  ["activity-of-an-app", "/apps/shop/activity"],
  ["activity", "/activity"],
  ["access", "/access"],
  ["account", "/account"],
];

export const scenes: readonly Scene[] = [
  { name: "login", at: "/login", as: "nobody" },
  {
    name: "login-refused",
    at: "/login",
    as: "nobody",
    open: async (page) => {
      await page.getByLabel("Name").fill("mallory");
      await page.getByLabel("Password", { exact: true }).fill("not the right one");
      await page.getByRole("button", { name: "Log in" }).click();
      await page.getByRole("alert").waitFor();
    },
  },
  { name: "first-login", at: "/first#0123456789abcdef", as: "nobody" },
  { name: "apps", at: "/", shows: (page) => page.getByText(/\d MiB/).first().waitFor() },
  { name: "apps-loading", at: "/", ...waits, before: (page) => page.route("**/v1/stream", () => undefined) },
  {
    name: "apps-empty",
    at: "/",
    before: (page) =>
      page.route("**/v1/stream", (route) =>
        route.fulfill({
          contentType: "text/event-stream",
          body: `retry: 600000\ndata: {"type":"hello","stream":"none","version":"0","started_at":"2026-11-30T12:00:00Z","now":"2026-11-30T12:00:00Z"}\n\ndata: {"type":"problems","problems":[]}\n\ndata: {"type":"complete"}\n\n`,
        }),
      ),
  },
  ...asking.filter(([name]) => name !== "slots").map(([name, at]): Scene => ({ name, at })),
  // With what is measured while somebody looks.
  { name: "slots", at: "/apps/shop/slots", shows: (page) => page.getByText(/\d MiB/).first().waitFor() },
  // The stream tells the slots all that they show: they wait for nothing of their own.
  ...asking.filter(([name]) => name !== "slots").map(([name, at]): Scene => ({ name: `${name}-loading`, at, ...waits })),
  ...asking.map(([name, at]): Scene => ({ name: `${name}-refused`, at, once: true, before: refuse })),
  { name: "deployment", at: "/apps/shop/deployments/3" },
  { name: "deployments-empty", at: "/apps/empty", once: true },
  { name: "slots-empty", at: "/apps/empty/slots", once: true },
  { name: "logs-empty", at: "/apps/empty/logs", once: true },
  { name: "console-empty", at: "/apps/empty/console", once: true },
  { name: "environment-empty", at: "/apps/empty/environment", once: true },
  { name: "settings-empty", at: "/apps/empty/settings", once: true },
  { name: "activity-empty", at: "/apps/empty/activity", once: true },
  { name: "unknown-app", at: "/apps/shp", once: true },
  { name: "unknown-page", at: "/nowhere", once: true },
  { name: "long-name", at: `/apps/${LONG}`, once: true },
  { name: "long-name-slots", at: `/apps/${LONG}/slots`, once: true },
  { name: "deployments-long", at: "/apps/shop", once: true, before: instead<Row[]>(/\/deployments(\?|$)/, longRows) },
  { name: "deployments-10000", at: "/apps/shop", once: true, before: instead<Row[]>(/\/deployments(\?|$)/, manyRows) },
  { name: "activity-10000", at: "/activity", once: true, before: instead<Row[]>(/\/v1\/audit(\?|$)/, manyRows) },
  { name: "rollback", at: "/apps/shop/rollback", shows: (page) => page.getByRole("dialog").waitFor() },
  { name: "slots-frozen", at: "/apps/shop/slots", before: frozen, shows: (page) => page.getByText("ready in about 32 ms").waitFor() },
  { name: "slots-warm", at: "/apps/shop/slots", once: true, before: warm, shows: (page) => page.getByText("ready at once").waitFor() },
  { name: "slots-resting", at: "/apps/shop/slots", once: true, before: resting, shows: (page) => page.getByText("has come to rest").waitFor() },
  { name: "deployments-frozen", at: "/apps/shop", before: frozen, shows: (page) => page.getByText("ready in about 32 ms").waitFor() },
  { name: "rollback-frozen", at: "/apps/shop/rollback", before: frozen, shows: (page) => page.getByText("Ready in about 32 ms", { exact: true }).waitFor() },
  { name: "rollback-warm", at: "/apps/shop/rollback", once: true, before: warm, shows: (page) => page.getByText("Ready at once", { exact: true }).waitFor() },
  { name: "standby", at: "/apps/shop/slots", open: standbyDialog },
  {
    name: "standby-cold",
    at: "/apps/shop/slots",
    once: true,
    before: frozen,
    open: async (page) => {
      await standbyDialog(page);
      await page.getByLabel(/^Cold/).check();
    },
  },
  { name: "restart", at: "/apps/shop/slots", open: dialog(/^Restart/) },
  { name: "stop", at: "/apps/shop/slots", open: dialog(/^Stop/) },
  { name: "set-variable", at: "/apps/shop/environment", open: dialog(/^(Set|Add)/) },
  { name: "add-user", at: "/access", open: dialog(/^(Add|New)( a)? user/) },
  { name: "add-token", at: "/access", open: dialog(/^(Add|New|Make).* token/) },
  {
    name: "console-password",
    at: "/apps/shop/console",
    open: async (page) => {
      await page.getByRole("button", { name: "Open the console" }).click();
      await page.getByLabel("Password", { exact: true }).waitFor();
    },
  },
  {
    name: "console",
    at: "/apps/shop/console",
    open: async (page) => {
      await page.getByRole("button", { name: "Open the console" }).click();
      await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
      await page.keyboard.press("Enter");
      await page.locator(".xterm").waitFor();
      await page.getByText("iex(shop_").first().waitFor();
    },
  },
  { name: "viewer-deployments", at: "/apps/shop", as: "vera" },
  { name: "viewer-console", at: "/apps/shop/console", once: true, as: "vera" },
  { name: "viewer-environment", at: "/apps/shop/environment", once: true, as: "vera" },
];
