// The daemon's time, once a second while the page is seen: what "since 2 min" is reckoned against.

import { computed, signal } from "@preact/signals";

let ahead = 0;

/** Now by the daemon's clock, in milliseconds; ticks each second. */
export const now = signal(Date.now());

/** The same, every ten seconds, and every five minutes. */
export const coarse = computed(() => Math.floor(now.value / 10_000) * 10_000);
export const slow = computed(() => Math.floor(now.value / 300_000) * 300_000);

/** Tells how far the daemon's clock is from the browser's. */
export function setDaemonTime(text: string): void {
  const time = Date.parse(text);
  if (Number.isNaN(time)) return;
  // What the network takes is no difference between clocks.
  const difference = time - Date.now();
  ahead = Math.abs(difference) < 2000 ? 0 : difference;
  now.value = Date.now() + ahead;
}

/** Now, to the millisecond. */
export function daemonNow(): number {
  return Date.now() + ahead;
}

function tick(): void {
  if (document.visibilityState === "visible") now.value = daemonNow();
}
if (typeof document !== "undefined") {
  setInterval(tick, 1000);
  document.addEventListener("visibilitychange", tick);
}
