// What apps used lately: the last minutes once, then what the stream brings.

import { signal, type ReadonlySignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { get } from "../api/client";
import type { HealthChange, Metrics, Sample } from "../api/types";
import { follow } from "./live";
import { join } from "./samples";

export type Used = { samples: readonly Sample[]; health: readonly HealthChange[] };
const NOTHING: Used = { samples: [], health: [] };
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
