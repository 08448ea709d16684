// A console that is open: the banner that says where it is, the terminal, and how it ended.

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { remove } from "../../api/client";
import type { AppStatus, Console, OpenConsole } from "../../api/types";
import { useFill } from "../../layout/fill";
import { scheme } from "../../layout/scheme";
import { ConsoleLink, type LinkState } from "../../terminal/link";
import type { Screen } from "../../terminal/terminal";
import { now } from "../../ui/clock";
import { Badge, SlotTag } from "../../ui/badge";
import { Button } from "../../ui/button";
import { duration } from "../../ui/format";
import { Notice } from "../../ui/state";
import { Keys, type Sticky, held } from "./keys";

type Props = {
  console: Console;
  status: AppStatus;
  onAgain: (body: OpenConsole) => void;
  onLeave: () => void;
};
const READER = "vial-console-reader";
/** How long before the idle limit it is said. */
const SOON_MS = 2 * 60_000;

export function Session({ console, status, onAgain, onLeave }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const frame = useRef<HTMLDivElement>(null);
  const toolbar = useRef<HTMLDivElement>(null);
  const screen = useRef<Screen | undefined>(undefined);
  const link = useRef<ConsoleLink | undefined>(undefined);
  const sticky = useRef<Sticky>({ ctrl: false });
  const [ctrl, setCtrl] = useState(false);
  const [state, setState] = useState<LinkState>({ is: "connecting" });
  const [failed, setFailed] = useState(false);
  const [find, setFind] = useState("");
  const [missed, setMissed] = useState(false);
  const [reader, setReader] = useState(wantsReader);
  useFill(frame, 16, 320);

  useEffect(() => {
    let gone = false;
    const way = new ConsoleLink(console.id, console.kept_ms, {
      write: (bytes) => screen.current?.terminal.write(bytes),
      reset: () => screen.current?.terminal.reset(),
      state: (it) => !gone && setState(it),
    });
    link.current = way;
    import("../../terminal/terminal").then(
      ({ open }) => {
        if (gone || !place.current) return;
        screen.current = open({
          element: place.current,
          screenReader: reader,
          onText: (text) => {
            way.type(held(sticky.current, text));
            setCtrl(sticky.current.ctrl);
          },
          onBinary: (text) => way.typeBinary(text),
          onSize: (rows, cols) => way.resize(rows, cols),
          onLeave: () => toolbar.current?.querySelector<HTMLElement>("input, button")?.focus(),
        });
        way.resize(screen.current.terminal.rows, screen.current.terminal.cols);
        way.connect();
        screen.current.terminal.focus();
      },
      () => !gone && setFailed(true),
    );
    return () => {
      gone = true;
      way.leave();
      screen.current?.dispose();
      screen.current = undefined;
    };
  }, [console.id]);
  const seen = scheme.value;
  useLayoutEffect(() => screen.current?.recolour(), [seen]);

  const over = state.is === "ended" || state.is === "taken";
  function look(forward: boolean) {
    if (find === "") return;
    setMissed(screen.current?.find(find, forward) === false);
  }
  function press(keys: string) {
    // Programs may ask for arrows of another form.
    const other = screen.current?.terminal.modes.applicationCursorKeysMode === true;
    link.current?.type(held(sticky.current, other ? keys.replace(/^\x1b\[(?=[A-D]$)/, "\x1bO") : keys));
    setCtrl(sticky.current.ctrl);
    screen.current?.terminal.focus();
  }
  async function end() {
    // Its end is told over the socket, too; where that is broken, the page still leaves.
    await remove<void>("/v1/consoles/{id}", { path: { id: console.id } }).catch(() => undefined);
    onLeave();
  }
  return (
    <div class="console card" ref={frame}>
      <Banner console={console} status={status} />
      <div class="console-tools" ref={toolbar} role="toolbar" aria-label="Console">
        <input
          type="search"
          class="input console-find"
          aria-label="Search in what was printed"
          placeholder="Search"
          value={find}
          spellcheck={false}
          autocomplete="off"
          onInput={(event) => {
            setFind(event.currentTarget.value);
            setMissed(false);
          }}
          onKeyDown={(event) => {
            if (event.key === "Enter") look(event.shiftKey);
            if (event.key === "Escape") screen.current?.terminal.focus();
          }}
        />
        <span class="muted" role="status">{missed ? "not there" : ""}</span>
        <label class="console-reader">
          <input
            type="checkbox"
            checked={reader}
            onChange={(event) => {
              const on = event.currentTarget.checked;
              setReader(on);
              keepReader(on);
              screen.current?.screenReader(on);
            }}
          />
          Screen reader
        </label>
        <span class="muted console-hint">Ctrl+Shift+E leaves the terminal</span>
        {!over && <Button small icon="stop" onClick={() => void end()}>End</Button>}
      </div>
      <How state={state} console={console} active={link.current?.active} />
      {failed && (
        <Notice kind="error" live>
          <p>The terminal’s code could not be loaded: Vial may just have been updated. Load the page anew; the console is kept.</p>
        </Notice>
      )}
      <div class="console-screen" ref={place} />
      {over ? (
        <div class="console-over">
          <Button kind="primary" onClick={() => onAgain(console.slot ? { slot: console.slot } : { release: console.release })}>
            Open another
          </Button>
          <Button onClick={onLeave}>Close</Button>
        </div>
      ) : (
        <Keys
          ctrl={ctrl}
          onCtrl={() => {
            sticky.current.ctrl = !sticky.current.ctrl;
            setCtrl(sticky.current.ctrl);
            screen.current?.terminal.focus();
          }}
          onKeys={press}
        />
      )}
    </div>
  );
}

function wantsReader(): boolean {
  try {
    return localStorage.getItem(READER) === "yes";
  } catch {
    return false;
  }
}

function keepReader(on: boolean): void {
  try {
    localStorage.setItem(READER, on ? "yes" : "no");
  } catch {
    // A browser that keeps nothing: it holds until the page is left.
  }
}

/** Which node this is, so that nobody types into the wrong one. */
function Banner({ console, status }: { console: Console; status: AppStatus }) {
  const active = console.slot !== null && console.slot !== undefined && console.slot === status.active;
  return (
    <header class={active ? "console-banner console-banner-active" : "console-banner"}>
      {console.slot ? <SlotTag slot={console.slot} /> : <Badge>clean IEx</Badge>}
      <strong class="breaks">{console.node ?? `${console.app}, the app not started`}</strong>
      <span>{console.label}</span>
      <span class="console-which" role="status">
        {active ? "This is the ACTIVE slot: what you do here, users feel." : console.slot ? "This is the idle slot: it has no traffic." : "No traffic, no processes of the app."}
      </span>
    </header>
  );
}

/** What the connection is like, where it is not simply there. */
function How({ state, console, active }: { state: LinkState; console: Console; active: number | undefined }) {
  if (state.is === "open") {
    const left = active === undefined ? Infinity : active + console.idle_ms - Date.now();
    // Read for its tick.
    void now.value;
    if (left > SOON_MS) return null;
    return (
      <Notice kind="warn">
        <p>It ends in {duration(Math.max(0, left))}, as nothing was typed or printed for long. Any key keeps it.</p>
      </Notice>
    );
  }
  switch (state.is) {
    case "connecting":
      return <p class="console-how muted" role="status">Connecting…</p>;
    case "broken":
      return (
        <Notice kind="warn" live>
          <p>
            <strong>Connection lost.</strong> The console goes on; the daemon keeps it for{" "}
            {duration(Math.max(0, state.until - Math.max(now.value, Date.now())))} more. Connecting again…
          </p>
        </Notice>
      );
    case "taken":
      return (
        <Notice kind="warn" title="Taken over" live>
          <p>Another page of yours has this console now. What was printed here stays to be read.</p>
        </Notice>
      );
    case "ended":
      return (
        <Notice title="The console has ended" live>
          <p>{state.why}</p>
        </Notice>
      );
  }
}
