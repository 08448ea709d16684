// What slots used in the last minutes, and goes on to use.

import { useEffect, useState } from "preact/hooks";
import { asProblem, get } from "../../api/client";
import type { HealthChange, Metrics, Problem, Sample } from "../../api/types";
import { follow } from "../../live/live";

/** So far back reaches what is drawn. */
export const WINDOW_MS = 10 * 60_000;

export type Known = { data: Metrics | undefined; problem: Problem | undefined };

export function useMetrics(app: string): Known {
  const [known, setKnown] = useState<Known>({ data: undefined, problem: undefined });
  useEffect(() => {
    let gone = false;
    const add = (more: Metrics) => {
      if (!gone) setKnown(({ data }) => ({ data: data ? joined(data, more) : more, problem: undefined }));
    };
    const stop = follow({ kind: "metrics", app }, (heard) => {
      if (heard.type === "metrics" && heard.app === app) add(heard);
      else if (heard.type === "lost") setKnown(({ data }) => ({ data, problem: heard.problem }));
    });
    get<Metrics>("/v1/apps/{app}/metrics", { path: { app } }).then(add, (error: unknown) => {
      if (!gone) setKnown(({ data }) => ({ data, problem: data ? undefined : asProblem(error) }));
    });
    return () => {
      gone = true;
      stop();
    };
  }, [app]);
  return known;
}

/** What is known with what came: each moment once, oldest first, no older than the window. */
export function joined(a: Metrics, b: Metrics): Metrics {
  const samples = new Map<number, Sample>();
  for (const it of [...a.samples, ...b.samples]) samples.set(Date.parse(it.at), it);
  const newest = Math.max(...samples.keys(), 0);
  const kept = [...samples].filter(([at]) => at > newest - WINDOW_MS).sort(([x], [y]) => x - y);
  const health = new Map<string, HealthChange>();
  for (const it of [...a.health, ...b.health]) health.set(`${it.slot} ${it.at}`, it);
  const changes = [...health.values()].sort((x, y) => Date.parse(x.at) - Date.parse(y.at));
  return { ...b, samples: kept.map(([, it]) => it), health: changes.slice(-100) };
}
