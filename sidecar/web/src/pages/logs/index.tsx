// The logs of an app's slots, live.
// The map: `index` is the page, `controls` what is above the lines, `find` the search in what is
// loaded, `kept` the one in all that is kept, `time` the way to a time. Lines are in `src/log`.

import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { AppStatus, Slot } from "../../api/types";
import { AppFrame, appAddress } from "../../layout/app-frame";
import { useFill } from "../../layout/fill";
import { Page } from "../../layout/page";
import { LogList, type ListHandle } from "../../log/list";
import type { Level } from "../../log/line";
import { plain } from "../../log/sgr";
import { LogSource } from "../../log/source";
import type { Line } from "../../log/store";
import "../../log/log.css";
import { type PageProps, query } from "../../router";
import { Button, CopyButton } from "../../ui/button";
import { count } from "../../ui/format";
import { Empty, Loading, ProblemNotice } from "../../ui/state";
import { Controls } from "./controls";
import { useFind } from "./find";
import { KeptDialog } from "./kept";
import { TimeDialog } from "./time";
import "./logs.css";

export default function LogsPage({ params }: PageProps) {
  const app = params["app"] ?? "";
  return <AppFrame app={app}>{(status) => <Logs app={app} status={status} />}</AppFrame>;
}

const BOTH: readonly Slot[] = ["blue", "green"];

function slotIn(search: URLSearchParams): Slot | undefined {
  const slot = search.get("slot");
  return slot === "blue" || slot === "green" ? slot : undefined;
}

function Logs({ app, status }: { app: string; status: AppStatus }) {
  const asked = query.peek();
  const [slot, setSlot] = useState<Slot | undefined>(slotIn(asked));
  const [level, setLevel] = useState<Level>();
  const [wrap, setWrap] = useState(() => matchMedia("(max-width: 640px)").matches);
  const [paused, setPaused] = useState(false);
  const [following, setFollowing] = useState(true);
  const [left, setLeft] = useState(0);
  const [selected, select] = useState<Line>();
  const [open, setOpen] = useState<"kept" | "time">();
  const list = useRef<ListHandle>(null);
  const frame = useRef<HTMLDivElement>(null);
  const source = useMemo(() => new LogSource(app, BOTH), [app]);
  const { store } = source;
  const revision = source.revision.value;
  const mode = source.mode.value;
  const find = useFind(source, list);
  useFill(frame);

  useEffect(() => {
    const at = Number(asked.get("at"));
    const linked = slotIn(asked);
    const since = Date.parse(asked.get("since") ?? "");
    if (linked !== undefined && asked.get("at") !== null && Number.isSafeInteger(at)) void goToLine(linked, at);
    else if (!Number.isNaN(since)) void goToTime(new Date(since));
    else void source.live();
    return () => source.stop();
  }, [source]);
  useEffect(() => {
    store.setFilter({ slot, level, text: find.only ? find.pattern : undefined });
    source.changed();
  }, [source, slot, level, find.only ? find.pattern : undefined]);

  // The list may only be drawn once there are lines.
  const wanted = useRef<number | undefined>(undefined);
  function reveal(number: number) {
    wanted.current = number;
    source.changed();
  }
  useLayoutEffect(() => {
    if (wanted.current === undefined || list.current === null) return;
    list.current.reveal(wanted.current);
    wanted.current = undefined;
  });
  async function goToLine(on: Slot, at: number) {
    resume();
    await source.toLine(on, at);
    setSlot(on);
    setLevel(undefined);
    store.setFilter({ slot: on, level: undefined, text: undefined });
    const index = store.find(on, at);
    const item = index === undefined ? undefined : store.shown[index];
    if (index === undefined || item?.kind !== "line") return;
    select(item);
    reveal(store.first + index);
  }
  async function goToTime(time: Date) {
    resume();
    await source.toTime(time);
    reveal(store.first);
  }
  async function goLive() {
    resume();
    select(undefined);
    await source.live(BOTH);
    list.current?.toEnd();
  }
  function pause() {
    store.hold();
    list.current?.stay();
    setPaused(true);
  }
  function resume() {
    store.release();
    setPaused(false);
    source.changed();
  }

  // While paused, lines wait in the store; where the reader scrolled up, they come below.
  const fresh = paused ? store.aside : following ? 0 : Math.max(0, store.added - left);
  const toEnd = () => {
    if (paused) resume();
    if (mode === "past") void goLive();
    else list.current?.toEnd();
  };
  const loading = source.loading.value;
  const problem = source.problem.value;
  const nothing = !loading && !problem && store.size === 0;
  return (
    <Page title="Logs" of={app} quiet>
      <Controls
        app={app}
        active={status.active ?? undefined}
        slot={slot}
        onSlot={(it) => {
          setSlot(it);
          // Around a line of one slot, the other's lines are not loaded.
          if (mode === "past" && it !== slot) void goLive();
        }}
        level={level}
        onLevel={setLevel}
        wrap={wrap}
        onWrap={setWrap}
        find={find}
        onKept={() => setOpen("kept")}
        onTime={() => setOpen("time")}
      />
      {problem && <ProblemNotice problem={problem} retry={() => void goLive()} />}
      <div class="log-frame card" ref={frame}>
        {loading && store.size === 0 ? (
          <div class="log-waits"><Loading rows={8} label="Loading the log" /></div>
        ) : nothing ? (
          <div class="log-waits">
            <Empty title="Nothing was written yet">
              <p>What {app}’s releases write to their standard output appears here as it comes.</p>
            </Empty>
          </div>
        ) : (
          <LogList
            store={store}
            revision={revision}
            wrap={wrap}
            named={slot === undefined}
            label={`Log of ${app}${slot ? `, ${slot} slot` : ", both slots"}`}
            wanted={find.pattern}
            current={find.current}
            selected={selected}
            handle={list}
            follows={mode === "live"}
            onSelect={select}
            onFollowing={(it) => {
              setFollowing(it);
              setLeft(store.added);
            }}
            onTop={() => void source.loadOlder()}
            onEnd={() => void source.loadNewer()}
          />
        )}
        {!loading && store.size > 0 && store.shown.length === 0 && (
          <p class="log-none" role="status">
            None of the {count(store.size, "line")} here fits the filter.{" "}
            {find.only && <Button small onClick={() => setOpen("kept")}>Search all that is kept</Button>}
          </p>
        )}
        {(paused || !following || mode === "past") && store.size > 0 && (
          <div class="log-end">
            <Button kind="primary" icon="arrow" class="log-end-button" onClick={toEnd}>
              {mode === "past" ? "Back to live" : fresh > 0 ? count(fresh, "new line") : "To the end"}
            </Button>
          </div>
        )}
        <div class="log-foot">
          {selected ? (
            <Selected app={app} line={selected} onClose={() => select(undefined)} />
          ) : (
            <>
              <span class="log-how" role="status">
                {mode === "past" ? "In the past" : paused ? "Paused" : "Live"}
              </span>
              <span class="muted num">{count(store.shown.length, "line")}</span>
              {source.older.value === "loading" && <span class="muted">loading older lines…</span>}
              {mode === "live" && store.size > 0 && (
                <Button small icon={paused ? "play" : "pause"} onClick={() => (paused ? toEnd() : pause())}>
                  {paused ? "Resume" : "Pause"}
                </Button>
              )}
            </>
          )}
        </div>
      </div>
      {open === "kept" && (
        <KeptDialog app={app} slots={slot ? [slot] : BOTH} level={level} text={find.text} onGo={goToLine} onClose={() => setOpen(undefined)} />
      )}
      {open === "time" && <TimeDialog onGo={goToTime} onClose={() => setOpen(undefined)} />}
    </Page>
  );
}

/** What can be done with the line that was chosen. */
function Selected({ app, line, onClose }: { app: string; line: Line; onClose: () => void }) {
  const link = `${location.origin}${appAddress(app, `/logs?slot=${line.slot}&at=${line.at}`)}`;
  return (
    <>
      <span class="muted num">
        {line.slot}, at byte {line.at.toLocaleString("en")}
      </span>
      <CopyButton text={plain(line.text)} label="Copy line" />
      <CopyButton text={link} label="Copy link" />
      <Button small kind="quiet" icon="cross" label="Choose no line" onClick={onClose} />
    </>
  );
}
