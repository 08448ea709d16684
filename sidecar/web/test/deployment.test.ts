import { expect, test } from "vitest";
import type { AppStatus, Deployment, Status, Step } from "../src/api/types";
import { buildCommand, quoted, rollbackCommand } from "../src/deployment/command";
import { canRedeploy, canReturnTo } from "../src/deployment/can";
import { healthOf } from "../src/deployment/health";
import { comparable, merge } from "../src/deployment/history";
import { onFailure } from "../src/deployment/words";
import { ahead } from "../src/deployment/steps";
import { ago, duration } from "../src/ui/format";

const T = "2026-01-01T00:00:00Z";
const row = (number: number, more: Partial<Deployment> = {}): Deployment => ({
  number,
  kind: "deploy",
  status: "succeeded",
  actor: "ana",
  queued_at: T,
  environment: 0,
  ...more,
});
const release = (number: number, version: string) => ({
  number,
  version,
  name: "shop",
  sha256: "",
  size: 1,
  migrations: [],
  unpacked_at: T,
});
const step = (status: Status): Step => ({ status, started_at: T, ended_at: T });

test("a command says the same as the dialog, and its words survive a shell", () => {
  expect(rollbackCommand("shop", { to: 5, migrations: "revert", reason: "it's down; rm -rf /" })).toBe(
    "vial rollback shop --to 5 --revert-migrations --reason 'it'\\''s down; rm -rf /'",
  );
  expect(rollbackCommand("shop", { env: "current", cancel: true })).toBe("vial rollback shop --cancel --env current");
  expect(buildCommand("shop", { deployment: 7, allow_destructive: true }, "main")).toBe(
    "vial redeploy shop 7 --allow-destructive",
  );
  expect(quoted("$(id)")).toBe("'$(id)'");
  expect(quoted("")).toBe("''");
});

test("rows that did not change stay the same objects, and fresher ones take their place", () => {
  const known = [row(3), row(2), row(1)];
  const merged = merge(known, [row(4), row(3, { status: "rolled_back" }), row(2)]);
  expect(merged.map((it) => it.number)).toEqual([4, 3, 2, 1]);
  expect(merged[1]?.status).toBe("rolled_back");
  expect(merged[2]).toBe(known[1]);
});

test("rows that were missed leave no hole in the history", () => {
  expect(merge([row(3), row(2)], [row(90), row(89)]).map((it) => it.number)).toEqual([90, 89]);
});

test("last time is the last one of the same kind that went live", () => {
  const ended = { live_at: T, ended_at: T };
  const rows = [row(5, { kind: "rollback" }), row(4, { status: "failed", kind: "rollback" }), row(3, { kind: "rollback", ...ended }), row(2, ended)];
  expect(comparable(rows, row(5, { kind: "rollback" }))?.number).toBe(3);
  expect(comparable(rows, row(2))).toBeUndefined();
});

test("the steps ahead are those that last time had after this one, also where this one is new", () => {
  const last = (["starting", "verifying", "switching", "draining"] as const).map(step);
  expect(ahead([step("starting"), step("reverting")], last).map((it) => it.status)).toEqual(["verifying", "switching", "draining"]);
  expect(ahead([], last)).toHaveLength(4);
  expect(ahead([step("restoring")], last)).toEqual([]);
});

test("a failure is said to mean what it means at that step", () => {
  const of = (status: Status, more: Partial<Deployment> = {}) => row(9, { status, release: release(9, "1.4.9"), ...more });
  expect(onFailure(of("starting"), "v1.4.8")).toBe("If it fails, v1.4.8 goes on serving.");
  expect(onFailure(of("verifying", { reverts: [1] }), "v1.4.8")).toContain("migrated up again");
  expect(onFailure(of("migrating"), "v1.4.8")).toContain("stay");
  expect(onFailure(of("baking"), "v1.4.9")).toContain("goes back to the release before it by itself");
});

test("only another release that was live can be gone back to, and only a known commit built again", () => {
  const live = { release: release(4, "1.4.4"), live_at: T };
  expect(canReturnTo(row(4, live), 5)).toBe(true);
  expect(canReturnTo(row(4, live), 4)).toBe(false);
  expect(canReturnTo(row(4, { ...live, live_at: null }), 5)).toBe(false);
  expect(canReturnTo(row(4, { ...live, status: "baking" }), 5)).toBe(false);
  expect(canRedeploy(row(4, { commit: { sha: "a", ref: "main", subject: "" } }), true)).toBe(true);
  expect(canRedeploy(row(4), true)).toBe(false);
});

test("a crash loop is worse than what the health check said before it", () => {
  const slot = { slot: "green", state: "backoff", node: "n", restarts: 2, last_exit: "killed by SIGKILL", health: { healthy: true, detail: "200", since: T } } as const;
  const status = { name: "shop", active: "green", desired: "running", slots: [slot] } as unknown as AppStatus;
  expect(healthOf(status)).toEqual({ tone: "bad", word: "Crashed", detail: "killed by SIGKILL, started again 2 times" });
});

test("times are said in two units at most", () => {
  expect([12, 860, 9949, 61_000, 3_660_000, 180_000_000].map(duration)).toEqual(["12 ms", "0.9 s", "9.9 s", "1 min 1 s", "1 h 1 min", "2 d 2 h"]);
  expect([400, 65_000, 7_200_000].map(ago)).toEqual(["0 s", "1 min", "2 h"]);
});
