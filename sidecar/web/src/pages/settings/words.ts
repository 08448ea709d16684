// What the app’s file says, in sentences.

import type { Settings } from "../../api/types";
import { duration } from "../../ui/format";

/** What an idle slot does. */
export function standbyInWords({ standby, standby_ms }: Pick<Settings, "standby" | "standby_ms">): string {
  const lasts = standby_ms ? `For ${duration(standby_ms)} after the bake` : "After the bake";
  switch (standby) {
    case "cold":
      return "Cold: the idle slot is stopped after the bake, and a rollback starts its release anew, which takes seconds.";
    case "warm":
      return `Warm: ${lasts.toLowerCase()} the release that was left runs on without traffic, and a rollback is a check and a switch. Then it is stopped.`;
    case "frozen":
      return `Frozen: ${lasts.toLowerCase()} the release that was left is at rest and stopped by SIGSTOP. It takes memory and no processor, and a rollback thaws it. Then it is stopped.`;
    default:
      return standby;
  }
}

/** What starts a release, and when it loads its modules. */
export function startInWords({ start, mode }: Pick<Settings, "start" | "mode">): string {
  const by = start === "direct" ? "Vial itself, where it knows the release’s script" : "Its own script";
  switch (mode) {
    case "embedded":
      return `${by}; all modules are loaded first`;
    case "interactive":
      return `${by}; modules are loaded when they are called`;
    default:
      return by;
  }
}
