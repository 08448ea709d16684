// How an app is doing, in one word and a detail.

import type { AppStatus } from "../api/types";
import type { Tone } from "../ui/badge";
import { count } from "../ui/format";

export type Doing = { tone: Tone; word: string; detail?: string | undefined };

export function healthOf(status: AppStatus): Doing {
  if (!status.active) {
    const going = status.deployment;
    return going ? { tone: "accent", word: "First deployment" } : { tone: "neutral", word: "Nothing deployed" };
  }
  if (status.desired === "stopped") return { tone: "neutral", word: "Stopped" };
  const slot = status.slots.find((it) => it.slot === status.active);
  const restarts = slot && slot.restarts > 0 ? `started again ${count(slot.restarts, "time")}` : undefined;
  switch (slot?.state) {
    case "backoff":
      return { tone: "bad", word: "Crashed", detail: [slot.last_exit, restarts].filter(Boolean).join(", ") };
    case "starting":
      return { tone: "warn", word: "Starting", detail: restarts };
    case "stopped":
    case "stopping":
      return { tone: "bad", word: "Not running", detail: slot.last_exit ?? undefined };
    case "running":
    case undefined:
      break;
  }
  const health = slot?.health;
  if (!health) return { tone: slot ? "good" : "neutral", word: slot ? "Running" : "Unknown", detail: restarts };
  if (!health.healthy) return { tone: "bad", word: "Unhealthy", detail: health.detail };
  return { tone: restarts ? "warn" : "good", word: "Healthy", detail: [health.detail, restarts].filter(Boolean).join(", ") };
}
