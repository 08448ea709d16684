// What a page asks the daemon for when it opens, and again when that may have changed.

import type { ComponentChildren } from "preact";
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { asProblem } from "../api/client";
import type { Problem } from "../api/types";
import { Loading, ProblemNotice } from "./state";

export type Loaded<T> = {
  /** The last answer, also while a new one is asked for, and where that failed. */
  data: T | undefined;
  problem: Problem | undefined;
  reload: () => Promise<void>;
  /** Takes what another answer said. */
  put: (data: T) => void;
};

/** Asks when the page opens and whenever a key changes. An answer that is overtaken is dropped. */
export function useLoad<T>(ask: (signal: AbortSignal) => Promise<T>, keys: readonly unknown[]): Loaded<T> {
  const [data, setData] = useState<T>();
  const [problem, setProblem] = useState<Problem>();
  const under = useRef<AbortController | undefined>(undefined);
  const asked = useRef(ask);
  asked.current = ask;
  const reload = useCallback(async () => {
    under.current?.abort();
    const control = new AbortController();
    under.current = control;
    try {
      const answer = await asked.current(control.signal);
      if (control.signal.aborted) return;
      setData(answer);
      setProblem(undefined);
    } catch (error) {
      if (!control.signal.aborted) setProblem(asProblem(error));
    }
  }, []);
  useEffect(() => {
    void reload();
    return () => under.current?.abort();
  }, keys);
  const put = useCallback((answer: T) => {
    under.current?.abort();
    setData(answer);
    setProblem(undefined);
  }, []);
  return { data, problem, reload, put };
}

/** The answer as the function draws it; before it comes, rows; where it failed, why. */
export function LoadedView<T>(props: { loaded: Loaded<T>; rows?: number; children: (data: T) => ComponentChildren }) {
  const { data, problem, reload } = props.loaded;
  if (data === undefined && problem === undefined) return <Loading rows={props.rows ?? 4} />;
  return (
    <>
      {problem && <ProblemNotice problem={problem} retry={() => void reload()} />}
      {data !== undefined && props.children(data)}
    </>
  );
}
