// Moments and spans, in the reader's zone, with the exact moment on hover.

import { duration, ago } from "./format";
import { coarse, daemonNow, now, slow } from "./clock";

const exactly = new Intl.DateTimeFormat(undefined, {
  dateStyle: "full",
  timeStyle: "long",
});
const today = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const thisYear = new Intl.DateTimeFormat(undefined, {
  month: "short",
  day: "numeric",
  hour: "2-digit",
  minute: "2-digit",
});
const everYear = new Intl.DateTimeFormat(undefined, {
  year: "numeric",
  month: "short",
  day: "numeric",
});

/** The exact moment, for a tooltip. */
export function exact(at: string): string {
  return exactly.format(new Date(at));
}

/** A moment as short as it stays clear. */
export function moment(at: string, nowMs: number): string {
  const date = new Date(at);
  const current = new Date(nowMs);
  if (date.toDateString() === current.toDateString()) return today.format(date);
  if (date.getFullYear() === current.getFullYear()) return thisYear.format(date);
  return everYear.format(date);
}

/** Now, as exactly as a moment's age is told: ten thousand old rows need not tick each second. */
function tick(at: number): number {
  const age = now.peek() - at;
  if (age < 65_000) return now.value;
  if (age < 3_700_000) return coarse.value;
  if (age < 90_000_000) return slow.value;
  return now.peek();
}

/** A moment: "14:02", "Mar 3, 14:02". */
export function Moment({ at }: { at: string }) {
  return (
    <time dateTime={at} title={exact(at)}>
      {moment(at, now.peek())}
    </time>
  );
}

/** How long ago a moment was: "2 min ago", "just now". Ticks. */
export function Ago({ at }: { at: string }) {
  const since = Date.parse(at);
  const ms = tick(since) - since;
  return (
    <time dateTime={at} title={exact(at)}>
      {ms < 5000 ? "just now" : `${ago(ms)} ago`}
    </time>
  );
}

/** Since when something is so: "2 min". Ticks. */
export function Since({ at }: { at: string }) {
  const since = Date.parse(at);
  return (
    <time dateTime={at} title={`since ${exact(at)}`}>
      {ago(tick(since) - since)}
    </time>
  );
}

/** How long something takes: ticks while it has no end. */
export function Span({ from, to }: { from: string; to?: string | null | undefined }) {
  const end = to ? Date.parse(to) : now.value && daemonNow();
  return <span class="num">{duration(end - Date.parse(from))}</span>;
}
