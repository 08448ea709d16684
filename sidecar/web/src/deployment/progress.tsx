// The deployment in progress: what it does, how far it is, which release serves meanwhile, and what a
// failure would mean.

import { useEffect, useMemo, useState } from "preact/hooks";
import { asProblem, newKey } from "../api/client";
import { cancel, fetchDeployment } from "../api/operations";
import type { AppStatus, Deployment, Problem } from "../api/types";
import { appAddress } from "../layout/app-frame";
import { isDeployer } from "../session";
import { KindBadges, SlotTag, StatusBadge } from "../ui/badge";
import { Button, LinkButton } from "../ui/button";
import { duration, isLive, label, short, stage } from "../ui/format";
import { ProblemNotice } from "../ui/state";
import { Span } from "../ui/time";
import { toast } from "../ui/toast";
import { comparable, type History } from "./history";
import { Steps, stepName } from "./steps";

/** "Rolling back to v1.4.2" */
export function doing(it: Deployment): string {
  const to = it.release ? label(it.release) : it.commit ? short(it.commit.sha) : it.build?.ref;
  switch (it.kind) {
    case "rollback":
      return `Rolling back${to ? ` to ${to}` : ""}`;
    case "restart":
      return `Restarting${to ? ` ${to}` : ""}`;
    case "redeploy":
      return `Redeploying${to ? ` ${to}` : ""}`;
    case "deploy":
      return `Deploying${to ? ` ${to}` : ""}`;
  }
}

/** What a failure from here on would mean. */
export function onFailure(it: Deployment, serving: string | undefined): string {
  const name = it.release ? label(it.release) : "the new release";
  if (it.status === "baking") {
    const back = serving === name || !serving ? "the release before it" : serving;
    return `If ${name} crashes or fails its health check before the bake ends, Vial goes back to ${back} by itself, in one switch.`;
  }
  if (it.status === "draining") return `${name} has the traffic. The old slot only finishes what it has.`;
  const stays = serving ? `${serving} goes on serving` : "nothing changes: no release serves yet";
  if (it.status === "reverting" || (it.reverts?.length && !it.live_at)) {
    return `If it fails, what was reverted is migrated up again and ${stays}.`;
  }
  if (it.status === "migrating") {
    return `If it fails, ${stays}; migrations that were applied by then stay, and the history says which.`;
  }
  return `If it fails, ${stays}.`;
}

export function Progress({ status, of: it, history }: { status: AppStatus; of: Deployment; history: History }) {
  const before = useBefore(history, it);
  const serving = status.serving ? label(status.serving) : undefined;
  const live = isLive(it.status);
  const step = it.steps?.at(-1);
  return (
    <section class="card progress" aria-labelledby="progress-title">
      <header class="progress-head">
        <div>
          <h2 id="progress-title">
            {doing(it)} <a href={appAddress(status.name, `/deployments/${it.number}`)} class="faint">#{it.number}</a>
          </h2>
          <p class="progress-badges">
            <StatusBadge status={it.status} />
            <KindBadges it={it} />
            {it.slot && <SlotTag slot={it.slot} />}
            <span class="muted">by {it.actor}, <Span from={it.queued_at} /></span>
          </p>
        </div>
        {isDeployer.value && <Cancel app={status.name} it={it} live={live} queued={status.queued?.number} />}
      </header>
      {it.reason && <p class="quote">{it.reason}</p>}
      <p class="sr-only" role="status">
        {doing(it)}: {stage(it.status)}{step ? `, ${stepName(step.status)}` : ""}. {serving ? `${serving} serves.` : ""}
      </p>
      <Steps of={it} before={before} />
      <footer class="progress-foot">
        <p>
          <strong>{serving ?? "No release"}</strong> serves now
          {status.active && <> from <SlotTag slot={status.active} /></>}.
        </p>
        <p class="muted">{onFailure(it, serving)}</p>
        {status.queued && (
          <p class="muted">
            Next: {doing(status.queued)} <a href={appAddress(status.name, `/deployments/${status.queued.number}`)}>#{status.queued.number}</a>, asked for by {status.queued.actor}.
          </p>
        )}
      </footer>
    </section>
  );
}

/** What came of a deployment that was watched. */
export function Ended(props: { status: AppStatus; of: Deployment; history: History; onClose: () => void }) {
  const { status, of: it, history } = props;
  const before = useBefore(history, it);
  const serving = status.serving ? label(status.serving) : undefined;
  const took = it.live_at ? Date.parse(it.live_at) - Date.parse(it.queued_at) : undefined;
  const said = sentence(it, took, serving);
  return (
    <section class={it.status === "failed" ? "card progress progress-failed" : "card progress progress-ended"} aria-labelledby="ended-title">
      <header class="progress-head">
        <div>
          <h2 id="ended-title">
            {said} <a href={appAddress(status.name, `/deployments/${it.number}`)} class="faint">#{it.number}</a>
          </h2>
          <p class="progress-badges">
            <StatusBadge status={it.status} />
            <KindBadges it={it} />
            {it.slot && <SlotTag slot={it.slot} />}
          </p>
        </div>
        <Button kind="quiet" icon="cross" label="Close" onClick={props.onClose} />
      </header>
      <p class="sr-only" role="status">{said}</p>
      {it.error && <ProblemNotice problem={it.error} />}
      <Steps of={it} before={before} />
    </section>
  );
}

/** "v1.4.2 serves since 0.9 s after it was asked for." */
function sentence(it: Deployment, took: number | undefined, serving: string | undefined): string {
  const serves = serving ? `${serving} serves` : "Nothing serves";
  if (it.status === "failed") return `Failed: ${serves}.`;
  if (it.status === "cancelled") return `Cancelled: ${serves}.`;
  const time = took === undefined ? "" : ` after ${duration(took)}`;
  if (it.kind === "rollback") return `Rolled back: ${serves}${time}.`;
  return `Done: ${serves}${time}.`;
}

/** What is live is taken back by a rollback only; then what waits is what can be cancelled. */
function Cancel(props: { app: string; it: Deployment; live: boolean; queued: number | undefined }) {
  const { app, it, live, queued } = props;
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const which = live ? queued : it.number;
  const key = useMemo(newKey, [which]);
  useEffect(() => setBusy(false), [which]);
  if (which === undefined) return null;
  async function stop() {
    setBusy(true);
    setProblem(undefined);
    try {
      const done = await cancel(app, key);
      toast(done.message);
    } catch (error) {
      setProblem(asProblem(error));
      setBusy(false);
    }
  }
  return (
    <div class="progress-actions">
      <Button icon="cross" busy={busy} onClick={stop}>{live ? `Cancel #${which}` : "Cancel"}</Button>
      {it.kind !== "rollback" && !live && (
        <LinkButton href={appAddress(app, "/rollback?cancel=true")} icon="back">Cancel and roll back</LinkButton>
      )}
      {problem && <ProblemNotice problem={problem} />}
    </div>
  );
}

/** The last comparable deployment, with its steps. */
export function useBefore(history: History, it: Deployment): Deployment | undefined {
  const number = comparable(history.rows.value, it)?.number;
  const [before, setBefore] = useState<Deployment>();
  useEffect(() => {
    let gone = false;
    setBefore(undefined);
    // Without it the steps stand alone.
    if (number) fetchDeployment(history.app, number).then((found) => !gone && setBefore(found), () => undefined);
    return () => {
      gone = true;
    };
  }, [number]);
  return before;
}
