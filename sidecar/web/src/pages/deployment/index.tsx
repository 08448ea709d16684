// One deployment: what it did, step by step, what came of it, its build log and the slot's log of
// that time.

import { useEffect, useMemo, useState } from "preact/hooks";
import { asProblem } from "../../api/client";
import { fetchDeployment } from "../../api/operations";
import type { AppStatus, Deployment, Moved, Problem } from "../../api/types";
import { BuildDialog } from "../../deployment/build";
import { History } from "../../deployment/history";
import { Progress, useBefore } from "../../deployment/progress";
import { canRedeploy, canReturnTo } from "../../deployment/can";
import { Steps } from "../../deployment/steps";
import { AppFrame, appAddress } from "../../layout/app-frame";
import { Page } from "../../layout/page";
import { navigate, type PageProps } from "../../router";
import { isDeployer } from "../../session";
import { Badge, KindBadges, SlotTag, StatusBadge } from "../../ui/badge";
import { Button } from "../../ui/button";
import { bytes, commitOf, inProgress, label, short } from "../../ui/format";
import { Loading, ProblemNotice } from "../../ui/state";
import { Moment, Span } from "../../ui/time";
import { BuildLog } from "./build-log";
import { SlotLog } from "./slot-log";
import "../../deployment/style.css";
import "./style.css";

export default function DeploymentPage({ params }: PageProps) {
  const app = params["app"] ?? "";
  const number = params["number"] ?? "";
  return <AppFrame app={app}>{(status) => <Body status={status} number={number} />}</AppFrame>;
}

function Body({ status, number }: { status: AppStatus; number: string }) {
  const app = status.name;
  const [found, setFound] = useState<Deployment>();
  const [problem, setProblem] = useState<Problem>();
  const [attempt, again] = useState(0);
  // What the stream tells of it is newer than what was asked for.
  const told = [status.deployment, status.queued, status.last].find((it) => it && String(it.number) === number);
  const newest = [status.deployment?.number, status.deployment?.live_at, status.last?.number, status.last?.status].join();
  useEffect(() => {
    let gone = false;
    fetchDeployment(app, number).then(
      (it) => {
        if (gone) return;
        setFound(it);
        setProblem(undefined);
      },
      (error: unknown) => !gone && setProblem(asProblem(error)),
    );
    return () => {
      gone = true;
    };
  }, [app, number, newest, attempt]);
  const it = told ?? found;
  if (!it) {
    return (
      <Page title={`#${number}`} of={app}>
        {problem ? <ProblemNotice problem={problem} retry={() => again(attempt + 1)} /> : <Loading rows={5} />}
      </Page>
    );
  }
  return <Shown status={status} it={it} />;
}

function Shown({ status, it }: { status: AppStatus; it: Deployment }) {
  const app = status.name;
  const [rebuild, setRebuild] = useState(false);
  const history = useMemo(() => new History(app), [app]);
  useEffect(() => history.follow(status), [history, status]);
  const before = useBefore(history, it);
  const going = inProgress(it.status) && status.deployment?.number === it.number;
  const serving = status.serving?.number;
  const name = it.release ? label(it.release) : (it.build?.ref ?? "No release");
  const actions = isDeployer.value && (
    <>
      {canRedeploy(it, !!status.auto_deploy) && <Button icon="redo" onClick={() => setRebuild(true)}>Redeploy</Button>}
      {canReturnTo(it, serving) && (
        <Button kind="primary" icon="back" onClick={() => navigate(appAddress(app, `/rollback?to=${it.number}`))}>
          Roll back to this
        </Button>
      )}
    </>
  );
  return (
    <Page
      title={`#${it.number} ${name}`}
      of={app}
      heading={<>{name} <span class="deployment-number">#{it.number}</span></>}
      actions={actions || undefined}
    >
      <p class="deployment-badges">
        <StatusBadge status={it.status} />
        {it.release?.number === serving && it.live_at && <Badge tone="accent">Serving</Badge>}
        <KindBadges it={it} />
        {it.slot && <SlotTag slot={it.slot} />}
      </p>
      {it.error && <ProblemNotice problem={it.error} />}
      {going ? (
        <Progress status={status} of={it} history={history} />
      ) : (
        <section class="card card-pad" aria-labelledby="steps-title">
          <h2 id="steps-title" class="deployment-steps-title">Steps</h2>
          <Steps of={it} before={before} />
        </section>
      )}
      <Facts it={it} app={app} />
      {it.build && <BuildLog app={app} number={it.number} begins={it.status !== "queued"} />}
      <Written it={it} app={app} />
      {rebuild && <BuildDialog status={status} again={it} onClose={() => setRebuild(false)} />}
    </Page>
  );
}

function Written({ it, app }: { it: Deployment; app: string }) {
  const start = it.steps?.find((step) => step.status === "starting" || step.status === "migrating") ?? it.steps?.[0];
  if (!it.slot || !start) return null;
  return <SlotLog app={app} slot={it.slot} from={start.started_at} to={it.ended_at} />;
}

function Facts({ it, app }: { it: Deployment; app: string }) {
  const commit = commitOf(it);
  const release = it.release;
  const link = (number: number) => <a href={appAddress(app, `/deployments/${number}`)}>#{number}</a>;
  return (
    <section class="card card-pad" aria-label="About it">
      <dl class="facts">
        <dt>Asked for</dt>
        <dd>by {it.actor}, <Moment at={it.queued_at} /></dd>
        {it.reason && <><dt>Reason</dt><dd>{it.reason}</dd></>}
        <dt>Took</dt>
        <dd>
          {it.live_at ? <><Span from={it.queued_at} to={it.live_at} /> until it was live</> : <Span from={it.queued_at} to={it.ended_at} />}
          {it.live_at && it.ended_at ? <>, <Span from={it.queued_at} to={it.ended_at} /> in all</> : null}
        </dd>
        {it.replaces && <><dt>Replaced</dt><dd>{link(it.replaces)}</dd></>}
        {it.rolled_back_by && <><dt>Rolled back by</dt><dd>{link(it.rolled_back_by)}</dd></>}
        {commit && (
          <>
            <dt>Commit</dt>
            <dd><span class="mono" title={commit.sha}>{short(commit.sha)}</span> {commit.subject}{commit.ref ? <span class="muted"> ({commit.ref})</span> : null}</dd>
          </>
        )}
        {it.build?.of && <><dt>Builds again</dt><dd>{link(it.build.of)}</dd></>}
        {release && (
          <>
            <dt>Release</dt>
            <dd>
              {label(release)}, {bytes(release.size)}
              <span class="muted">{release.elixir ? `, Elixir ${release.elixir}` : ""}{release.erts ? `, ERTS ${release.erts}` : ""}</span>
              <br />
              <span class="mono faint deployment-sum" title="SHA-256 of the archive">{release.sha256}</span>
            </dd>
          </>
        )}
        {(it.environment ?? 0) > 0 && <><dt>Environment</dt><dd>version {it.environment}</dd></>}
        <Migrated name="Migrated up" moved={it.applied} />
        <Migrated name="Reverted" moved={it.reverted} />
      </dl>
    </section>
  );
}

function Migrated({ name, moved }: { name: string; moved: Moved[] | undefined }) {
  if (!moved || moved.length === 0) return null;
  return (
    <>
      <dt>{name}</dt>
      <dd>
        <ul>
          {moved.map((it) => <li key={`${it.repo} ${it.version}`}><span class="mono">{it.version}</span> <span class="muted">{it.repo}</span></li>)}
        </ul>
      </dd>
    </>
  );
}
