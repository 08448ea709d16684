// Both slots of an app, and what restarts and stops them.
// The map: `index` is the page, `card` one slot, `health` its checks over time, `use` memory and CPU,
// `chart` the drawing, `dialogs` and `standby` what changes something.

import { useState } from "preact/hooks";
import type { AppStatus } from "../../api/types";
import { idleOf, waits } from "../../deployment/standby";
import { AppFrame } from "../../layout/app-frame";
import { Page } from "../../layout/page";
import { useMetrics } from "../../live/metrics";
import type { PageProps } from "../../router";
import { isDeployer } from "../../session";
import { Button } from "../../ui/button";
import { Notice, ProblemNotice } from "../../ui/state";
import { SlotCard } from "./card";
import { RestartDialog, StartDialog, StopDialog } from "./dialogs";
import { StandbyDialog } from "./standby";
import { Use } from "./use";
import "./slots.css";

export default function SlotsPage({ params }: PageProps) {
  const app = params["app"] ?? "";
  return <AppFrame app={app}>{(status) => <Slots app={app} status={status} />}</AppFrame>;
}

type Open = "restart" | "stop" | "start" | "standby";

function Slots({ app, status }: { app: string; status: AppStatus }) {
  const [open, setOpen] = useState<Open>();
  const close = () => setOpen(undefined);
  const used = useMetrics(app).value;
  const stopped = status.desired === "stopped";
  const nothing = !status.active;
  const idle = idleOf(status);
  const waiting = waits(status);
  return (
    <Page
      title="Slots"
      of={app}
      heading="Slots"
      actions={
        isDeployer.value && (
          <>
            {!stopped && (
              <Button icon="redo" disabled={nothing} onClick={() => setOpen("restart")}>Restart…</Button>
            )}
            {stopped ? (
              <Button kind="primary" icon="play" disabled={nothing} onClick={() => setOpen("start")}>Start…</Button>
            ) : (
              <Button icon="stop" disabled={nothing} onClick={() => setOpen("stop")}>Stop…</Button>
            )}
          </>
        )
      }
    >
      {stopped && !nothing && (
        <Notice kind="warn" title={`${app} is stopped`}>
          <p>Nothing of it runs until it is started or deployed again.</p>
        </Notice>
      )}
      {nothing && (
        <Notice>
          <p>{app} has no live release yet. Its first deploy goes to the blue slot.</p>
        </Notice>
      )}
      {waiting && <Notice><p>{waiting}</p></Notice>}
      {status.warnings.map((it) => <ProblemNotice key={it.code + it.message} problem={it} kind="warn" />)}
      <div class="slots-pair">
        {status.slots.map((it) => (
          <SlotCard
            key={it.slot}
            app={app}
            it={it}
            active={status.active === it.slot}
            since={status.active === it.slot ? status.serving_since : undefined}
            next={status.active ? status.active !== it.slot : it.slot === "blue"}
            used={used}
            onStandby={isDeployer.value && !stopped && it === idle ? () => setOpen("standby") : undefined}
          />
        ))}
      </div>
      <Use used={used} />
      {!isDeployer.value && <p class="muted">Restarting, stopping and changing the standby need the role deployer.</p>}
      {open === "restart" && <RestartDialog app={app} onClose={close} />}
      {open === "stop" && <StopDialog app={app} status={status} onClose={close} />}
      {open === "standby" && idle && <StandbyDialog app={app} status={status} idle={idle} used={used} onClose={close} />}
      {open === "start" && <StartDialog app={app} onClose={close} />}
    </Page>
  );
}
