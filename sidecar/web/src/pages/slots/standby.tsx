// Asking for another standby of the idle slot, with what it costs and what it gives.

import { useState } from "preact/hooks";
import { get, newKey } from "../../api/client";
import { keepStandby } from "../../api/operations";
import type { AppStatus, KeepStandby, Settings, SlotStatus, StandbyMode } from "../../api/types";
import { standbyCommand } from "../../deployment/command";
import { SameCommand } from "../../deployment/rollback";
import { Kept } from "../../deployment/standby";
import type { Used } from "../../live/metrics";
import { Confirm } from "../../ui/dialog";
import { Choice, Select } from "../../ui/field";
import { bytes, duration, label } from "../../ui/format";
import { useLoad } from "../../ui/load";
import { Notice } from "../../ui/state";
import { toast } from "../../ui/toast";

const MINUTE = 60_000;
/** How long it may be asked for; the command line takes any time of 1 s to 24 h. */
const TIMES = [15, 60, 120, 480, 1440].map((it) => it * MINUTE);

type Props = { app: string; status: AppStatus; idle: SlotStatus; used: Used; onClose: () => void };

export function StandbyDialog({ app, status, idle, used, onClose }: Props) {
  const [key] = useState(newKey);
  const [mode, setMode] = useState<StandbyMode>(idle.standby?.mode === "frozen" ? "warm" : "frozen");
  const [lasts, setLasts] = useState("");
  const settings = useLoad<Settings>((signal) => get("/v1/apps/{app}/settings", { path: { app }, signal }), [app]).data;
  const ask: KeepStandby = { mode };
  if (mode !== "cold" && lasts !== "") ask.for_ms = Number(lasts);
  // What runs there already is what stays there; else the release that a rollback would go to.
  const release = idle.pid ? idle.release : status.rollback.target;
  const name = release ? label(release) : "the previous release";
  const usual = settings?.standby_ms ? `As the app’s file says (${duration(settings.standby_ms)})` : "As the app’s file says";
  return (
    <Confirm
      title={`Standby of ${app}`}
      action={`Keep ${idle.slot} ${mode}`}
      onClose={onClose}
      onConfirm={async () => {
        // Another standby is another request.
        const accepted = await keepStandby(app, ask, `${key}-${mode}-${lasts}`);
        toast(accepted.message);
      }}
    >
      <p>
        What the {idle.slot} slot does until the next deployment uses it.{" "}
        {idle.standby ? <>Now: <Kept it={idle} />.</> : now(idle, name)}
      </p>
      <Choice<StandbyMode>
        legend="It is kept"
        value={mode}
        onValue={setMode}
        options={[
          {
            value: "frozen",
            label: "Frozen: a rollback thaws it, in milliseconds",
            hint: `It takes ${memory(idle, status, used)} and no processor. ${name} must come to rest first: queues paused, no transaction open, no connection of a visitor left.`,
          },
          {
            value: "warm",
            label: "Warm: a rollback is a check and a switch",
            hint: `It takes ${memory(idle, status, used)}, some processor, and its connections to the database.`,
          },
          {
            value: "cold",
            label: "Cold: it is stopped",
            hint: "It takes nothing. A rollback starts its release anew, which takes seconds.",
          },
        ]}
      />
      {mode !== "cold" && (
        <Select
          label="For how long"
          hint="Then it is stopped."
          value={lasts}
          onValue={setLasts}
          options={[
            { value: "", label: usual },
            ...TIMES.map((it) => ({ value: String(it), label: duration(it) })),
          ]}
        />
      )}
      {mode === "cold" && idle.standby && (
        <Notice kind="warn"><p>The next rollback takes as long as {name} takes to start.</p></Notice>
      )}
      <SameCommand command={standbyCommand(app, ask)} />
    </Confirm>
  );
}

function now(idle: SlotStatus, name: string): string {
  if (idle.state === "stopping") return "Its release is ending.";
  return idle.pid ? "Its release still runs." : `Nothing runs in it: for warm and frozen ${name} is started.`;
}

/** The memory that it costs: what it has now, or about what the release that serves has. */
function memory(idle: SlotStatus, status: AppStatus, used: Used): string {
  const samples = used.samples.at(-1)?.slots ?? [];
  const of = (slot: string | null | undefined) => samples.find((it) => it.slot === slot)?.memory;
  const own = idle.pid ? of(idle.slot) : undefined;
  if (own) return `${bytes(own)} of memory`;
  const other = of(status.active);
  return other ? `memory (the active slot has ${bytes(other)})` : "the memory of a release that runs";
}
