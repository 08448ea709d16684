// What a deployment's build printed, all of it, and what it prints as it comes.

import { useEffect, useMemo, useState } from "preact/hooks";
import { asProblem, get } from "../../api/client";
import type { BuildChunk, Problem } from "../../api/types";
import { LogBox, Lines } from "../../deployment/log-box";
import { follow } from "../../live/live";
import { Loading, ProblemNotice } from "../../ui/state";

export function BuildLog({ app, number, begins }: { app: string; number: number; begins: boolean }) {
  const lines = useMemo(() => new Lines(), [app, number]);
  const [state, setState] = useState<"loading" | "going" | "ended">("loading");
  const [empty, setEmpty] = useState(true);
  const [problem, setProblem] = useState<Problem>();
  const [attempt, again] = useState(0);

  useEffect(() => {
    const abort = new AbortController();
    let stop: (() => void) | undefined;
    const take = (chunk: BuildChunk) => {
      if (chunk.lines.length > 0) setEmpty(false);
      lines.add(chunk.lines, chunk.cursor);
    };
    async function load() {
      let cursor = lines.store.cursor("blue") ?? 0;
      for (;;) {
        const chunk = await get<BuildChunk>("/v1/apps/{app}/deployments/{number}/log", {
          path: { app, number },
          query: { cursor },
          signal: abort.signal,
        });
        take(chunk);
        if (chunk.ended) {
          setState("ended");
          return;
        }
        if (chunk.lines.length === 0) break;
        cursor = chunk.cursor;
      }
      setState("going");
      stop = follow({ kind: "build", topic: { app, number, cursor } }, (heard) => {
        if (heard.type === "lost") setProblem(heard.problem);
        if (heard.type !== "build_log") return;
        take(heard.chunk);
        if (heard.chunk.ended) setState("ended");
      });
    }
    setProblem(undefined);
    load().catch((error: unknown) => !abort.signal.aborted && setProblem(asProblem(error)));
    return () => {
      abort.abort();
      stop?.();
    };
  }, [app, number, attempt]);

  return (
    <section aria-labelledby="build-title" class="deployment-part">
      <h2 id="build-title">Build log</h2>
      {problem && <ProblemNotice problem={problem} retry={() => again(attempt + 1)} />}
      {state === "loading" && !problem && <Loading rows={3} label="Loading the build log" />}
      {state !== "loading" && empty && (
        <p class="muted">{state === "ended" ? "The build printed nothing, or its log is no longer kept." : begins ? "The build has printed nothing yet." : "The build has not begun."}</p>
      )}
      {!empty && <LogBox lines={lines} follows={state === "going"} label={`What the build of #${number} printed`} />}
    </section>
  );
}
