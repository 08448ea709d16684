// What the health checks of a slot said over the last minutes: a strip, and the same in words.

import type { Health, HealthChange, Slot } from "../../api/types";
import { now } from "../../ui/clock";
import { count, duration } from "../../ui/format";
import { Dot } from "../../ui/badge";
import { Moment } from "../../ui/time";

const WINDOW_MS = 30 * 60_000;
const WIDTH = 600;

type Part = { from: number; to: number; is: "good" | "bad" | "unknown" };

/** The window in parts, each as the last change before it says. */
export function parts(changes: readonly HealthChange[], from: number, to: number): Part[] {
  const found: Part[] = [];
  let is: Part["is"] = "unknown";
  let begin = from;
  for (const it of changes) {
    const at = Math.min(to, Math.max(from, Date.parse(it.at)));
    if (at > begin) found.push({ from: begin, to: at, is });
    begin = at;
    is = it.healthy ? "good" : "bad";
  }
  if (to > begin) found.push({ from: begin, to, is });
  return found;
}

export function HealthStrip(props: { slot: Slot; changes: readonly HealthChange[]; now: Health | null | undefined }) {
  const own = props.changes.filter((it) => it.slot === props.slot);
  // A daemon that was just started knows only what it sees now.
  if (own.length === 0 && props.now) {
    own.push({ slot: props.slot, at: props.now.since, healthy: props.now.healthy, detail: props.now.detail });
  }
  const to = now.value;
  const shown = parts(own, to - WINDOW_MS, to);
  const bad = shown.filter((it) => it.is === "bad").reduce((sum, it) => sum + it.to - it.from, 0);
  const recent = own.filter((it) => Date.parse(it.at) > to - WINDOW_MS);
  const summary =
    own.length === 0
      ? "not checked in the last 30 min"
      : bad === 0
        ? "no failed check in the last 30 min"
        : `failing for ${duration(bad)} of the last 30 min, ${count(recent.length, "change")}`;
  return (
    <div class="health">
      <div class="health-head">
        <h3>Health</h3>
        <span class="muted">{summary}</span>
      </div>
      <svg class="health-strip" viewBox={`0 0 ${WIDTH} 10`} preserveAspectRatio="none" role="img" aria-label={`Health of ${props.slot}: ${summary}`}>
        {shown.map((it) => (
          <rect
            key={it.from}
            class={`health-${it.is}`}
            x={((it.from - to + WINDOW_MS) / WINDOW_MS) * WIDTH}
            width={Math.max(1.5, ((it.to - it.from) / WINDOW_MS) * WIDTH)}
            y={it.is === "bad" ? 0 : it.is === "good" ? 2 : 4}
            height={it.is === "bad" ? 10 : it.is === "good" ? 6 : 2}
          />
        ))}
      </svg>
      {own.length > 1 && (
        <details class="health-changes">
          <summary>{count(own.length, "change")} of its health</summary>
          <ol>
            {own.toReversed().slice(0, 30).map((it) => (
              <li key={it.at}>
                <Moment at={it.at} />
                <Dot tone={it.healthy ? "good" : "bad"}><span class="breaks">{it.healthy ? "healthy" : "failing"}: {it.detail}</span></Dot>
              </li>
            ))}
          </ol>
        </details>
      )}
    </div>
  );
}
