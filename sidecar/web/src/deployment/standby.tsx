// What an idle slot is kept as, and what that means for a rollback to it.

import type { AppStatus, SlotStatus, StandbyMode } from "../api/types";
import { duration, label } from "../ui/format";
import { Moment, Since } from "../ui/time";

/** `ready in about 32 ms`, and where nobody knows how long it takes, `ready at once`. */
export function ready(ms: number | null | undefined): string {
  return ms === null || ms === undefined ? "ready at once" : `ready in about ${duration(ms)}`;
}

/** What a standby is on its way to: `Comes to rest, to be frozen`. */
export function onItsWay(state: SlotStatus["state"], mode: StandbyMode): string {
  switch (state) {
    case "resting":
      return "Comes to rest, to be frozen";
    case "starting":
    case "backoff":
      return `Starts, to be kept ${mode}`;
    default:
      return `On its way to be ${mode}`;
  }
}

/** `Frozen since 14:02, until 14:17: ready in about 32 ms` */
export function Kept({ it }: { it: SlotStatus }) {
  const { standby } = it;
  if (!standby) return null;
  if (!standby.ready) return <>{onItsWay(it.state, standby.mode)}, for <Since at={standby.since} /></>;
  const word = standby.mode === "frozen" ? "Frozen" : "Warm";
  return (
    <>
      {word} since <Moment at={standby.since} />, until <Moment at={standby.until} />: {ready(standby.expected_ms)}
    </>
  );
}

/** The slot that does not serve; absent before the first deploy. */
export function idleOf(status: AppStatus): SlotStatus | undefined {
  return status.active ? status.slots.find((it) => it.slot !== status.active) : undefined;
}

/** Why the queues of the release that serves wait; absent where they do not. */
export function waits(status: AppStatus): string | undefined {
  const idle = idleOf(status);
  const active = status.slots.find((it) => it.slot === status.active);
  if (!idle || status.works || active?.state !== "running") return undefined;
  const who = active.release ? label(active.release) : active.slot;
  const left = idle.release ? `${label(idle.release)}, left in ${idle.slot},` : `the ${idle.slot} slot`;
  return `Queues and timers of ${who} wait until ${left} has come to rest, so that never both work them.`;
}
