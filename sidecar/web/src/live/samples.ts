// Samples as they are kept in the page.

import type { Sample } from "../api/types";

/** As long as the daemon keeps them, in milliseconds. */
const KEPT = 600_000;

/** What is known and what came, oldest first, no moment twice, none older than is kept. */
export function join(known: readonly Sample[], fresh: readonly Sample[]): Sample[] {
  const all = new Map<string, Sample>();
  for (const it of known) all.set(it.at, it);
  for (const it of fresh) all.set(it.at, it);
  const sorted = [...all.values()].sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
  const last = sorted.at(-1);
  if (!last) return sorted;
  const from = Date.parse(last.at) - KEPT;
  return sorted.filter((it) => Date.parse(it.at) >= from);
}
