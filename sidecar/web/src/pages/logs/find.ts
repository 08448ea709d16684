// The search in the lines that are loaded: counted in short turns, gone through one by one.

import type { RefObject } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { Finder, pattern } from "../../log/finder";
import type { ListHandle } from "../../log/list";
import type { LogSource } from "../../log/source";

export type Find = {
  text: string;
  setText: (text: string) => void;
  /** What is marked in the lines. */
  pattern: RegExp | undefined;
  /** Whether lines without it are left out. */
  only: boolean;
  setOnly: (only: boolean) => void;
  /** How many lines have it, as far as they were looked at. */
  found: number;
  /** Which of them is gone to, counted from the first; absent before that. */
  at: number | undefined;
  /** The number of its line. */
  current: number | undefined;
  next: (step: 1 | -1) => void;
};

/** How long somebody may stop typing before it is looked for. */
const TYPING_MS = 150;

export function useFind(source: LogSource, list: RefObject<ListHandle | null>): Find {
  const [text, setText] = useState("");
  const [wanted, setWanted] = useState("");
  const [only, setOnly] = useState(false);
  const [found, setFound] = useState(0);
  const [current, setCurrent] = useState<number>();
  const revision = source.revision.value;
  useEffect(() => {
    const timer = setTimeout(() => setWanted(text), TYPING_MS);
    return () => clearTimeout(timer);
  }, [text]);
  const sought = useMemo(() => pattern(wanted), [wanted]);
  const finder = useRef<Finder | undefined>(undefined);
  useEffect(() => {
    finder.current = sought ? new Finder(source.store, sought) : undefined;
    setFound(0);
    setCurrent(undefined);
  }, [source, sought]);
  useEffect(() => {
    const it = finder.current;
    if (!it) return undefined;
    let timer: ReturnType<typeof setTimeout>;
    const turn = () => {
      const done = it.turn();
      setFound(it.matches.length);
      if (!done) timer = setTimeout(turn);
    };
    turn();
    return () => clearTimeout(timer);
  }, [source, sought, revision]);

  const next = (step: 1 | -1) => {
    const matches = finder.current?.matches ?? [];
    if (matches.length === 0) return;
    const from = current ?? list.current?.top() ?? 0;
    // The first one at or after where the reader is; the one before the current otherwise.
    let index = matches.findIndex((it) => (step > 0 && current !== undefined ? it > from : it >= from));
    if (step < 0) index = (index < 0 ? matches.length : index) - 1;
    const number = matches[(index + matches.length) % matches.length] ?? matches[0];
    if (number === undefined) return;
    setCurrent(number);
    list.current?.reveal(number);
  };
  const at = current === undefined ? undefined : finder.current?.matches.indexOf(current);
  return {
    text,
    setText,
    pattern: sought,
    only,
    setOnly,
    found,
    at: at === undefined || at < 0 ? undefined : at,
    current,
    next,
  };
}
