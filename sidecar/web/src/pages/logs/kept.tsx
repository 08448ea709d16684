// The search in all that is kept, which the daemon does: newest first, further back on demand.

import { useEffect, useRef, useState } from "preact/hooks";
import { asProblem, get } from "../../api/client";
import type { LogChunk, LogLine, Problem, Slot } from "../../api/types";
import { pattern } from "../../log/finder";
import type { Level } from "../../log/line";
import { marked } from "../../log/row";
import { classes, parse } from "../../log/sgr";
import { SlotTag } from "../../ui/badge";
import { Button } from "../../ui/button";
import { Dialog } from "../../ui/dialog";
import { TextField } from "../../ui/field";
import { Loading, ProblemNotice } from "../../ui/state";

const PAGE = 100;
/** So much of a line is shown here. */
const SHOWN = 400;

type Found = { lines: LogLine[]; before: number | undefined; busy: boolean; done: boolean };

export function KeptDialog(props: {
  app: string;
  slots: readonly Slot[];
  level: Level | undefined;
  text: string;
  onGo: (slot: Slot, at: number) => Promise<void>;
  onClose: () => void;
}) {
  const { app, slots, level } = props;
  const [text, setText] = useState(props.text);
  const [sought, setSought] = useState(props.text);
  return (
    <Dialog title="Search all that is kept" wide onClose={props.onClose}>
      <form
        class="log-kept-form"
        onSubmit={(event) => {
          event.preventDefault();
          setSought(text);
        }}
      >
        <TextField label="Text" type="search" value={text} onValue={setText} mono autofocus />
        <Button kind="primary" type="submit" icon="search" disabled={text === ""}>Search</Button>
      </form>
      {sought !== "" &&
        slots.map((slot) => (
          <InSlot
            key={`${slot} ${sought}`}
            app={app}
            slot={slot}
            text={sought}
            level={level}
            onGo={(at) => {
              props.onClose();
              void props.onGo(slot, at);
            }}
          />
        ))}
    </Dialog>
  );
}

function InSlot(props: { app: string; slot: Slot; text: string; level: Level | undefined; onGo: (at: number) => void }) {
  const { app, slot, text, level } = props;
  const [found, setFound] = useState<Found>({ lines: [], before: undefined, busy: true, done: false });
  const [problem, setProblem] = useState<Problem>();
  const control = useRef(new AbortController());
  const wanted = pattern(text);
  async function search(before: number | undefined) {
    setProblem(undefined);
    setFound((it) => ({ ...it, busy: true }));
    try {
      const query = { slot, text, level, before, limit: PAGE };
      const chunk = await get<LogChunk>("/v1/apps/{app}/logs/search", { path: { app }, query, signal: control.current.signal });
      // A search that ran out of time gives fewer lines, and says where it stopped.
      const done = chunk.cursor <= 0 || (before !== undefined && chunk.cursor >= before);
      const newest = chunk.lines.toReversed();
      setFound((it) => ({ lines: it.lines.concat(newest), before: chunk.cursor, busy: false, done }));
    } catch (error) {
      if (control.current.signal.aborted) return;
      setProblem(asProblem(error));
      setFound((it) => ({ ...it, busy: false }));
    }
  }
  useEffect(() => {
    void search(undefined);
    return () => control.current.abort();
  }, []);
  return (
    <section class="section" aria-label={`Found in ${slot}’s log`}>
      <div class="section-head">
        <h3><SlotTag slot={slot} /></h3>
        <span class="muted" role="status">
          {found.busy ? "searching…" : `${found.lines.length}${found.done ? "" : " so far"}`}
        </span>
      </div>
      {problem && <ProblemNotice problem={problem} retry={() => void search(found.before)} />}
      {found.lines.length > 0 && (
        <ol class="log-kept">
          {found.lines.map((it) => (
            <li key={it.at}>
              <button type="button" onClick={() => props.onGo(it.at)} title="Go to this line">
                {marked(parse(it.text.slice(0, SHOWN)).spans, wanted).map((piece, index) =>
                  piece.hit ? (
                    <mark key={index}>{piece.text}</mark>
                  ) : (
                    <span key={index} class={classes(piece.style)}>{piece.text}</span>
                  ),
                )}
              </button>
            </li>
          ))}
        </ol>
      )}
      {found.busy && found.lines.length === 0 && <Loading rows={2} />}
      {!found.busy && found.lines.length === 0 && found.done && !problem && <p class="muted">Nothing that is kept has it.</p>}
      {!found.busy && !found.done && !problem && (
        <Button small class="log-kept-more" onClick={() => void search(found.before)}>Search further back</Button>
      )}
    </section>
  );
}
