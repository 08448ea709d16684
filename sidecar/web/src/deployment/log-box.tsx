// A log in a box: as much as is drawn of it is what is in view.

import type { RefObject } from "preact";
import { useEffect, useMemo, useReducer } from "preact/hooks";
import type { LogLine, Slot } from "../api/types";
import { LogList, type ListHandle } from "../log/list";
import { LogStore } from "../log/store";

export class Lines {
  readonly store = new LogStore();
  private changed: (() => void) | undefined;
  private drawing = 0;

  constructor(readonly slot: Slot = "blue") {}

  add(lines: LogLine[], cursor: number): void {
    this.store.append({ slot: this.slot, lines, cursor });
    // What comes fast is drawn once a frame.
    this.drawing ||= requestAnimationFrame(() => {
      this.drawing = 0;
      this.changed?.();
    });
  }

  watch(changed: () => void): () => void {
    this.changed = changed;
    return () => {
      this.changed = undefined;
    };
  }
}

const nothing = () => undefined;

export function LogBox({ lines, label, follows }: { lines: Lines; label: string; follows: boolean }) {
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  const handle = useMemo(() => ({ current: null }) as RefObject<ListHandle | null> as RefObject<ListHandle>, []);
  useEffect(() => lines.watch(() => redraw(undefined)), [lines]);
  const wrap = useMemo(() => matchMedia("(max-width: 640px)").matches, []);
  return (
    <div class="log-box">
      <LogList
        store={lines.store}
        revision={lines.store.revision}
        wrap={wrap}
        named={false}
        label={label}
        wanted={undefined}
        current={undefined}
        selected={undefined}
        follows={follows}
        handle={handle}
        onSelect={nothing}
        onFollowing={nothing}
        onTop={nothing}
        onEnd={nothing}
      />
    </div>
  );
}
