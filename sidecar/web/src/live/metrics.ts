// What apps used lately: the last minutes once, then what the stream brings.

import { signal, type ReadonlySignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { get } from "../api/client";
import type { HealthChange, Metrics, Sample } from "../api/types";
import { follow } from "./live";

export type Used = { samples: readonly Sample[]; health: readonly HealthChange[] };
const NOTHING: Used = { samples: [], health: [] };
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

/** What an app's slots use, while the page that asks is shown. */
export function useMetrics(app: string): ReadonlySignal<Used> {
  const used = useMemo(() => signal<Used>(NOTHING), [app]);
  useEffect(() => {
    let gone = false;
    const take = (it: Metrics) => {
      if (!gone) used.value = { samples: join(used.peek().samples, it.samples), health: it.health };
    };
    get<Metrics>("/v1/apps/{app}/metrics", { path: { app } }).then(take, () => undefined);
    const stop = follow({ kind: "metrics", app }, (heard) => heard.type === "metrics" && take(heard));
    return () => {
      gone = true;
      stop();
    };
  }, [app, used]);
  return used;
}
