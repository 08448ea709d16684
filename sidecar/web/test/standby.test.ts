import { expect, test } from "vitest";
import type { AppStatus, SlotStatus } from "../src/api/types";
import { standbyCommand } from "../src/deployment/command";
import { idleOf, onItsWay, ready, waits } from "../src/deployment/standby";
import { standbyInWords, startInWords } from "../src/pages/settings/words";

const release = (number: number, version: string) => ({
  number,
  version,
  name: "shop",
  sha256: "",
  size: 1,
  migrations: [],
  unpacked_at: "2026-03-01T03:00:00Z",
});
const slot = (name: "blue" | "green", more: Partial<SlotStatus> = {}): SlotStatus => ({
  slot: name,
  state: "running",
  node: `shop_${name}@127.0.0.1`,
  restarts: 0,
  release: name === "green" ? release(7, "2.0.0") : release(5, "1.4.2"),
  ...more,
});
const app = (more: Partial<AppStatus> = {}): AppStatus =>
  ({ name: "shop", desired: "running", active: "green", works: "green", slots: [slot("blue"), slot("green")], ...more }) as AppStatus;

test("how quick a rollback is, is said as far as it is known", () => {
  expect(ready(32)).toBe("ready in about 32 ms");
  expect(ready(0)).toBe("ready in about 0 ms");
  expect([ready(null), ready(undefined)]).toEqual(["ready at once", "ready at once"]);
});

test("a standby that is not ready says what it is on its way to", () => {
  expect(onItsWay("resting", "frozen")).toBe("Comes to rest, to be frozen");
  expect(onItsWay("starting", "warm")).toBe("Starts, to be kept warm");
  expect(onItsWay("running", "frozen")).toBe("On its way to be frozen");
});

test("the idle slot is the one that does not serve, and before the first deploy there is none", () => {
  expect(idleOf(app())?.slot).toBe("blue");
  expect(idleOf(app({ active: "blue" }))?.slot).toBe("green");
  expect(idleOf(app({ active: null }))).toBeUndefined();
});

test("queues are said to wait only while the slot that was left has not come to rest", () => {
  expect(waits(app())).toBeUndefined();
  expect(waits(app({ works: null }))).toBe(
    "Queues and timers of v2.0.0 wait until v1.4.2, left in blue, has come to rest, so that never both work them.",
  );
  expect(waits(app({ works: null, active: null }))).toBeUndefined();
  // Where nothing serves, nothing waits.
  expect(waits(app({ works: null, slots: [slot("blue"), slot("green", { state: "stopped" })] }))).toBeUndefined();
});

test("the same is said as a command", () => {
  expect(standbyCommand("shop", { mode: "cold" })).toBe("vial standby shop cold");
  expect(standbyCommand("shop", { mode: "frozen", for_ms: 7_200_000 })).toBe("vial standby shop frozen --for 2h");
  expect(standbyCommand("shop", { mode: "warm", for_ms: 900_000 })).toBe("vial standby shop warm --for 15m");
});

test("what the file says of a standby is a sentence with its time", () => {
  expect(standbyInWords({ standby: "cold", standby_ms: 900_000 })).not.toContain("15 min");
  expect(standbyInWords({ standby: "warm", standby_ms: 900_000 })).toContain("for 15 min after the bake");
  expect(standbyInWords({ standby: "frozen", standby_ms: 900_000 })).toContain("SIGSTOP");
});

test("the settings say what starts a release and when its modules are loaded", () => {
  expect(startInWords({ start: "script" })).toBe("Its own script");
  expect(startInWords({ start: "direct", mode: "interactive" })).toBe(
    "Vial itself, where it knows the release’s script; modules are loaded when they are called",
  );
});
