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
import { isLive, label, stage } from "../ui/format";
import { ProblemNotice } from "../ui/state";
import { Span } from "../ui/time";
import { toast } from "../ui/toast";
import { comparable, type History } from "./history";
import { Steps, stepName } from "./steps";
import { cameOf, doing, onFailure } from "./words";

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
  const said = cameOf(it, serving);
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
