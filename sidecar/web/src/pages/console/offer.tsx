// What is shown before there is a console: on which node one can be opened, and which are open.

import { useState } from "preact/hooks";
import type { AppStatus, Console, OpenConsole, Slot, SlotState } from "../../api/types";
import { SlotTag } from "../../ui/badge";
import { Button } from "../../ui/button";
import { Choice } from "../../ui/field";
import { label } from "../../ui/format";
import { Empty, Notice } from "../../ui/state";
import { Ago } from "../../ui/time";

type Props = {
  app: string;
  status: AppStatus;
  open: readonly Console[];
  asked: string | null;
  onStart: (body: OpenConsole) => Promise<void>;
  onAttach: (console: Console) => void;
};

export function Offer({ app, status, open, asked, onStart, onAttach }: Props) {
  const runs = (slot: Slot) => {
    const state = status.slots.find((it) => it.slot === slot)?.state;
    return state === "running" || state === "starting";
  };
  const possible = status.slots.filter((it) => it.release && runs(it.slot)).map((it) => it.slot);
  const first = possible.find((it) => it === asked) ?? possible.find((it) => it === status.active) ?? possible[0];
  const [chosen, setChosen] = useState<Slot>();
  const [busy, setBusy] = useState(false);
  const slot = chosen !== undefined && possible.includes(chosen) ? chosen : first;
  const serving = status.serving;
  async function start(body: OpenConsole) {
    setBusy(true);
    await onStart(body);
    setBusy(false);
  }
  return (
    <>
      {open.length > 0 && (
        <section class="section" aria-labelledby="open-title">
          <h2 id="open-title">Open consoles of yours</h2>
          <ul class="card console-open">
            {open.map((it) => (
              <li key={it.id}>
                <span class="breaks">
                  {it.slot ? <SlotTag slot={it.slot} /> : "clean, without the app"} {it.label}{" "}
                  <span class="muted">opened <Ago at={it.opened_at} />{it.node ? ` on ${it.node}` : ""}</span>
                </span>
                <Button onClick={() => onAttach(it)}>Go on here</Button>
              </li>
            ))}
          </ul>
          <p class="muted">One page has a console at a time: another page that has it is told that it was taken over.</p>
        </section>
      )}
      {slot === undefined ? (
        <Empty title="No node runs">
          <p>
            A console attaches to a running node of {app}, and there is none.
            {serving && " A clean IEx on the last release is still possible: no traffic, the app not started."}
          </p>
          {serving && (
            <Button busy={busy} onClick={() => void start({ release: serving.number })}>
              Open a clean IEx on {label(serving)}
            </Button>
          )}
        </Empty>
      ) : (
        <section class="card card-pad console-offer" aria-labelledby="offer-title">
          <h2 id="offer-title">Open a console</h2>
          <p class="muted">
            IEx on a node of {app}, by <code>bin/{serving?.name ?? app} remote</code>. What is typed there acts on the live app. Who opened it,
            when and until when is written to the activity; what is typed is not.
          </p>
          <Choice<Slot>
            legend="On which node"
            value={slot}
            onValue={setChosen}
            options={status.slots.map((it) => ({
              value: it.slot,
              label: (
                <>
                  <SlotTag slot={it.slot} /> {it.release ? label(it.release) : "no release"}
                  {it.slot === status.active ? ": serves" : ": idle"}
                </>
              ),
              hint: possible.includes(it.slot) ? it.node : impossible(it.state),
              disabled: !possible.includes(it.slot),
            }))}
          />
          <div class="row-actions">
            <Button kind="primary" icon="lock" busy={busy} onClick={() => void start({ slot })}>Open the console</Button>
            {serving && (
              <Button busy={busy} onClick={() => void start({ release: serving.number })}>Clean IEx, without the app</Button>
            )}
          </div>
          <Notice>
            <p>It needs your password, is kept for a minute when the page is lost, and ends after a while without a key or output.</p>
          </Notice>
        </section>
      )}
    </>
  );
}

function impossible(state: SlotState): string {
  switch (state) {
    case "frozen":
      return "It is frozen, and answers nothing.";
    case "resting":
      return "It comes to rest, to be frozen.";
    default:
      return "Nothing runs in it.";
  }
}
