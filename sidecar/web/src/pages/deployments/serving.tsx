// Which release serves, since when and how it is doing; Deploy and Rollback beside each other, each
// with the reason in plain sight where it cannot be pressed.

import type { AppStatus, Deployment, Problem } from "../../api/types";
import { appAddress } from "../../layout/app-frame";
import { isDeployer } from "../../session";
import { Dot, SlotTag } from "../../ui/badge";
import { Button } from "../../ui/button";
import { label, short } from "../../ui/format";
import { Sentence } from "../../ui/state";
import { Since } from "../../ui/time";
import { healthOf } from "../../deployment/health";
import { Kept, idleOf, waits } from "../../deployment/standby";

type Actions = { status: AppStatus; onDeploy: () => void; onRollback: () => void };
/** `by`: the deployment that last made what serves active. */
type Props = Actions & { by: Deployment | undefined; subjects: ReadonlyMap<string, string> };

export function Serving({ status, by, subjects, onDeploy, onRollback }: Props) {
  const { serving, active } = status;
  const health = healthOf(status);
  const idle = idleOf(status);
  const waiting = waits(status);
  const subject = serving?.commit ? subjects.get(serving.commit) : undefined;
  return (
    <section class="card serving" aria-labelledby="serving-title">
      <div class="serving-what">
        <h2 id="serving-title" class="serving-label" tabIndex={-1}>Serving now</h2>
        {serving ? (
          <>
            <p class="serving-version">
              {label(serving)} {active && <SlotTag slot={active} />}
            </p>
            {(serving.commit || subject) && (
              <p class="serving-commit">
                {serving.commit && <span class="mono" title={serving.commit}>{short(serving.commit)}</span>}
                <span class="truncate" title={subject}>{subject}</span>
              </p>
            )}
            <p class="serving-facts">
              <Dot tone={health.tone}>{health.word}</Dot>
              {health.detail && <span class="muted">{health.detail}</span>}
              {status.serving_since && <span class="muted">serving for <Since at={status.serving_since} /></span>}
              {by && (
                <span class="muted">
                  <a href={appAddress(status.name, `/deployments/${by.number}`)}>#{by.number}</a> by {by.actor}
                </span>
              )}
            </p>
            {idle?.standby && <p class="muted"><SlotTag slot={idle.slot} /> <Kept it={idle} /></p>}
            {waiting && <p class="muted">{waiting}</p>}
            {status.auto_deploy && <p class="serving-auto muted"><Auto status={status} /></p>}
          </>
        ) : (
          <>
            <p class="serving-version">Nothing yet</p>
            <p class="muted">The first deployment that succeeds takes the traffic.</p>
          </>
        )}
      </div>
      <Actions status={status} onDeploy={onDeploy} onRollback={onRollback} />
    </section>
  );
}

function Auto({ status }: { status: AppStatus }) {
  const auto = status.auto_deploy;
  if (!auto) return null;
  if (!auto.on) return <>Auto-deploy is off for <code>{auto.branch}</code>.</>;
  return (
    <>
      Auto-deploy is on for <code>{auto.branch}</code>{auto.tip ? <>, at <span class="mono">{short(auto.tip)}</span></> : null}.
      {auto.note && <> <Sentence text={auto.note} />.</>}
      {auto.failing && <> The repository cannot be asked since <Since at={auto.failing.since} />: {auto.failing.error}</>}
    </>
  );
}

function Actions({ status, onDeploy, onRollback }: Actions) {
  const viewer: Problem | undefined = isDeployer.value
    ? undefined
    : { code: "forbidden", message: "You may look. Deploying and rolling back need the role deployer." };
  const noSource: Problem | undefined = status.auto_deploy
    ? undefined
    : {
        code: "configuration",
        message: `Deploy: the app's file names no source to build from. On the host: \`vial deploy ${status.name} PATH\`.`,
      };
  const refusal = status.rollback.refusal ?? undefined;
  const target = status.rollback.target;
  const idle = idleOf(status);
  const isReady = idle?.standby?.ready && idle.release?.number === target?.number;
  const whyDeploy = viewer ?? noSource;
  const whyRollback = viewer ?? refusal;
  return (
    <div class={whyDeploy && whyRollback ? "actions" : "actions actions-reach"}>
      <div class="actions-buttons">
        <Button icon="up" disabled={!!whyDeploy} aria-describedby={whyDeploy ? "why-deploy" : undefined} onClick={onDeploy}>
          Deploy
        </Button>
        <Button
          kind="primary"
          icon="back"
          disabled={!!whyRollback}
          aria-describedby={whyRollback ? (viewer ? "why-deploy" : "why-rollback") : "rollback-target"}
          onClick={onRollback}
        >
          Rollback
        </Button>
      </div>
      <div class="actions-why">
        {!whyRollback && target && <p id="rollback-target">Rollback goes to <strong>{label(target)}</strong>, without a build{isReady ? " and without a start" : ""}.</p>}
        {whyDeploy && <p id="why-deploy"><Sentence text={whyDeploy.message} /></p>}
        {!viewer && refusal && (
          <p id="why-rollback">
            <Sentence text={refusal.message} />
            {refusal.next && <> Next: <Sentence text={refusal.next} /></>}
          </p>
        )}
      </div>
    </div>
  );
}
