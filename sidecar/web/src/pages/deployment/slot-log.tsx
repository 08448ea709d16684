// What the slot wrote while a deployment was under way.

import { useEffect, useMemo, useState } from "preact/hooks";
import { asProblem, get } from "../../api/client";
import type { LogChunk, Problem, Slot } from "../../api/types";
import { LogBox, Lines } from "../../deployment/log-box";
import { appAddress } from "../../layout/app-frame";
import { when } from "../../log/line";
import { follow } from "../../live/live";
import { SlotTag } from "../../ui/badge";
import { Loading, ProblemNotice } from "../../ui/state";

type Props = { app: string; slot: Slot; from: string; to: string | null | undefined };
/** More is read on the page of the logs. */
const MOST = 2000;

/** The lines of a chunk up to a time, as far as they say when they were written. */
function until(chunk: LogChunk, end: number | undefined): { lines: LogChunk["lines"]; over: boolean } {
  if (end === undefined) return { lines: chunk.lines, over: false };
  const at = chunk.lines.findIndex((it) => (when(it.text) ?? 0) > end);
  return at < 0 ? { lines: chunk.lines, over: false } : { lines: chunk.lines.slice(0, at), over: true };
}

export function SlotLog({ app, slot, from, to }: Props) {
  const lines = useMemo(() => new Lines(slot), [app, slot, from]);
  const [loaded, setLoaded] = useState(false);
  const [count, setCount] = useState(0);
  const [cut, setCut] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const [attempt, again] = useState(0);
  const over = !!to;

  useEffect(() => {
    const abort = new AbortController();
    let stop: (() => void) | undefined;
    let had = 0;
    const end = to ? Date.parse(to) + 1000 : undefined;
    const take = (chunk: LogChunk) => {
      const { lines: fitting, over: past } = until(chunk, end);
      const rest = fitting.slice(0, Math.max(0, MOST - had));
      had += rest.length;
      lines.add(rest, chunk.cursor);
      setCount(had);
      if (rest.length < fitting.length) setCut(true);
      return past || had >= MOST;
    };
    async function load() {
      const query = { slot, since: from, lines: MOST };
      const chunk = await get<LogChunk>("/v1/apps/{app}/logs", { path: { app }, query, signal: abort.signal });
      lines.store.reset([]);
      const done = take(chunk);
      setLoaded(true);
      if (!done && !over) {
        stop = follow({ kind: "log", topic: { app, slot, cursor: chunk.cursor } }, (heard) => {
          if (heard.type === "log" && take(heard.chunk)) stop?.();
        });
      }
    }
    setProblem(undefined);
    load().catch((error: unknown) => !abort.signal.aborted && setProblem(asProblem(error)));
    return () => {
      abort.abort();
      stop?.();
    };
  }, [app, slot, from, over, attempt]);

  const page = appAddress(app, `/logs?slot=${slot}&since=${encodeURIComponent(from)}`);
  return (
    <section aria-labelledby="slot-log-title" class="deployment-part">
      <h2 id="slot-log-title" class="deployment-log-title">
        Log of that time <SlotTag slot={slot} /> <a href={page}>in Logs</a>
      </h2>
      {problem && <ProblemNotice problem={problem} retry={() => again(attempt + 1)} />}
      {!loaded && !problem && <Loading rows={3} label="Loading the log" />}
      {loaded && count === 0 && <p class="muted">The slot wrote nothing then, or its log of that time is no longer kept.</p>}
      {count > 0 && <LogBox lines={lines} follows={!over} label={`What ${slot} wrote during this deployment`} />}
      {cut && <p class="muted">These are the first {MOST.toLocaleString("en")} lines. <a href={page}>The rest is in Logs.</a></p>}
    </section>
  );
}
