// A rollback's plan, as a person reads it before they agree.

import type { ComponentChildren } from "preact";
import type { AppStatus, EnvironmentChoice, MigrationChoice, Plan, Release, Standing } from "../api/types";
import { appAddress } from "../layout/app-frame";
import { Badge, SlotTag, type Tone } from "../ui/badge";
import { Choice } from "../ui/field";
import { count, duration, label, list, short } from "../ui/format";
import { Icon } from "../ui/icon";
import { Notice, Sentence } from "../ui/state";
import { Moment, Since } from "../ui/time";
import { ready } from "./standby";

export type Choices = { migrations: MigrationChoice | undefined; env: EnvironmentChoice };

export function PlanView(props: {
  plan: Plan;
  status: AppStatus;
  /** What commits are about, as far as the history is loaded. */
  subjects: ReadonlyMap<string, string>;
  choices: Choices;
  /** Names that differ where the target starts with its own environment. */
  differs: readonly string[];
  onChoose: (choices: Choices) => void;
}) {
  const { plan, status, subjects, choices, differs, onChoose } = props;
  return (
    <>
      <FromTo plan={plan} status={status} subjects={subjects} />
      <Takes plan={plan} />
      {(plan.warnings ?? []).length > 0 && (
        <Notice kind="warn">
          {(plan.warnings ?? []).map((it) => <p key={it}><Sentence text={it} /></p>)}
        </Notice>
      )}
      <Database plan={plan} value={choices.migrations} onValue={(migrations) => onChoose({ ...choices, migrations })} />
      <Environment plan={plan} differs={differs} value={choices.env} onValue={(env) => onChoose({ ...choices, env })} />
      <After plan={plan} status={status} />
    </>
  );
}

function FromTo({ plan, status, subjects }: { plan: Plan; status: AppStatus; subjects: ReadonlyMap<string, string> }) {
  const subject = (release: Release) => (release.commit ? subjects.get(release.commit) : undefined);
  return (
    <div class="from-to">
      <Side title="Serves now" release={plan.from} number={plan.from_deployment} app={plan.app} subject={subject(plan.from)}>
        {status.serving_since && <p>for <Since at={status.serving_since} /></p>}
        {status.active && <SlotTag slot={status.active} />}
      </Side>
      <Icon name="arrow" class="from-to-arrow" />
      <span class="sr-only">is replaced by</span>
      <Side title="Will serve" release={plan.to} number={plan.to_deployment} app={plan.app} subject={subject(plan.to)} strong>
        <p>
          {plan.to_last_live_at ? (
            <>served last from <Moment at={plan.to_last_live_at} />{plan.to_served_ms ? <>, for {duration(plan.to_served_ms)}</> : null}</>
          ) : "has not served yet"}
        </p>
        {plan.to_health && <p>{plan.to_health}</p>}
        <SlotTag slot={plan.slot} />
      </Side>
    </div>
  );
}

function Side(props: {
  title: string;
  release: Release;
  number: number;
  app: string;
  subject: string | undefined;
  strong?: boolean;
  children: ComponentChildren;
}) {
  const { release } = props;
  return (
    <section class={props.strong ? "side side-strong" : "side"}>
      <h3>{props.title}</h3>
      <p class="side-version">
        {label(release)} <a href={appAddress(props.app, `/deployments/${props.number}`)} class="faint">#{props.number}</a>
      </p>
      {release.commit && (
        <p class="side-commit">
          <span class="mono" title={release.commit}>{short(release.commit)}</span> {props.subject}
        </p>
      )}
      <div class="side-more">{props.children}</div>
    </section>
  );
}

function Takes({ plan }: { plan: Plan }) {
  const { standby } = plan;
  const cancels = plan.cancels ? (
    <> Deployment <a href={appAddress(plan.app, `/deployments/${plan.cancels}`)}>#{plan.cancels}</a>, in progress, is cancelled first.</>
  ) : null;
  if (standby) {
    const takes = ready(plan.expected_ms ?? standby.expected_ms);
    return (
      <p class="takes">
        <strong class="takes-time">{takes.charAt(0).toUpperCase() + takes.slice(1)}</strong>: {label(plan.to)} is{" "}
        {standby.mode} since <Moment at={standby.since} />, and kept so until <Moment at={standby.until} />.{" "}
        {standby.mode === "frozen"
          ? "It is thawed and its health is checked, then it takes the traffic."
          : "Its health is checked, then it takes the traffic."}{" "}
        There is no build and no start.{cancels}
      </p>
    );
  }
  const takes = plan.expected_ms ? `About ${duration(plan.expected_ms)}` : "Seconds, as a rule";
  return (
    <p class="takes">
      <strong class="takes-time">{takes}</strong> until {label(plan.to)} serves{plan.expected_ms ? "" : " (no rollback of this kind was done yet)"}.{" "}
      {plan.hot
        ? "It still runs: only the switch is left to do."
        : `It starts anew and is checked first; ${label(plan.from)} goes on serving until then.`}{" "}
      There is no build.{cancels}
    </p>
  );
}

function Database(props: { plan: Plan; value: MigrationChoice | undefined; onValue: (value: MigrationChoice) => void }) {
  const { plan } = props;
  const { migrations, database } = plan;
  const applies = plan.applies ?? [];
  const to = label(plan.to);
  const stuck = migrations.filter((it) => it.reversal === "irreversible");
  const cannot = stuck.length > 0 || (database.action === "choose" && !database.choices.includes("revert"));
  const loses = migrations.flatMap((it) => it.loses ?? []);
  const destructive = migrations.some((it) => it.effect === "destructive");
  const some = count(migrations.length, "migration");
  const it = migrations.length === 1;
  const later = `Nothing is lost; ${it ? "it" : "they"} can still be reverted afterwards.`;
  return (
    <section class="plan-part">
      <h3>Database</h3>
      {migrations.length === 0 ? (
        <p>It is left alone: {to} knows every migration that was applied.</p>
      ) : (
        <>
          <p>{label(plan.from)} brought {some} that {to} does not know:</p>
          <Migrations migrations={migrations} app={plan.app} />
          <Choice
            legend={`What shall become of ${migrations.length === 1 ? "it" : "them"}?`}
            required
            value={props.value}
            onValue={props.onValue}
            options={[
              {
                value: "keep",
                label: "Keep: the database stays as it is",
                hint: destructive
                  ? `${to} meets a schema that it does not know, and may fail where it uses what was dropped or changed. ${later}`
                  : `${to} runs beside what was added. ${later}`,
              },
              {
                value: "revert",
                label: `Revert: run ${migrations.length === 1 ? "it" : "them"} down before the switch`,
                disabled: cannot,
                hint: cannot
                  ? `Not possible: ${stuck.length > 0 ? `${list(stuck.map((it) => it.name))} has no way down` : "not all of them have a way down"}.`
                  : `${loses.length > 0 ? `${list(loses)}. ` : ""}${label(plan.from)} serves on for a moment with the older schema; if the health check then fails, ${it ? "it is" : "they are"} migrated up again.`,
              },
            ]}
          />
        </>
      )}
      {applies.length > 0 && (
        <>
          <p>
            {to} brings {count(applies.length, "migration")} that {label(plan.from)} does not know; where the app
            has `migrate`, {applies.length === 1 ? "it runs" : "they run"} before {to} starts:
          </p>
          <Migrations migrations={applies} app={plan.app} />
        </>
      )}
    </section>
  );
}

const EFFECTS: Record<Standing["effect"], { word: string; tone: Tone }> = {
  additive: { word: "additive", tone: "good" },
  destructive: { word: "destructive", tone: "bad" },
  unknown: { word: "unknown effect", tone: "warn" },
};

function Migrations({ migrations, app }: { migrations: readonly Standing[]; app: string }) {
  return (
    <ul class="migrations">
      {migrations.map((it) => {
        const effect = EFFECTS[it.effect ?? "unknown"];
        return (
          <li key={`${it.app} ${it.folder} ${it.version}`}>
            <p class="migration-head">
              <strong>{it.name}</strong>
              <Badge tone={effect.tone}>{effect.word}</Badge>
              {it.reversal === "irreversible" && <Badge tone="bad">no way down</Badge>}
              {it.reversal === "unknown" && <Badge tone="warn">way down unknown</Badge>}
            </p>
            {(it.does ?? []).length > 0 && <p>{list(it.does ?? [])}</p>}
            <p class="faint">
              <span class="mono">{it.version}</span> · {it.app} · came with <a href={appAddress(app, `/deployments/${it.brought_by}`)}>#{it.brought_by}</a>
            </p>
          </li>
        );
      })}
    </ul>
  );
}

function Environment(props: { plan: Plan; differs: readonly string[]; value: EnvironmentChoice; onValue: (value: EnvironmentChoice) => void }) {
  const { plan, differs } = props;
  const renewed = plan.environment?.renewed ?? [];
  const to = label(plan.to);
  return (
    <section class="plan-part">
      <h3>Environment</h3>
      {differs.length === 0 && renewed.length === 0 && <p>{to} {plan.hot || plan.standby ? "runs" : "starts"} with the variables that are set today.</p>}
      {differs.length > 0 && (
        <>
          <p>
            {count(differs.length, "variable")} had another value when {to} ran: <Names names={differs} />
          </p>
          <Choice
            legend="Which values does it start with?"
            value={props.value}
            onValue={props.onValue}
            options={[
              { value: "own", label: "Its own: those that it ran with", hint: "What is marked secret is today's in any case." },
              { value: "current", label: "Today's, all of them" },
            ]}
          />
        </>
      )}
      {renewed.length > 0 && (
        <p class="muted">Secret and changed since: it takes today's <Names names={renewed} /></p>
      )}
    </section>
  );
}

function Names({ names }: { names: readonly string[] }) {
  return (
    <span class="names">
      {names.map((it) => <code key={it}>{it}</code>)}
    </span>
  );
}

function After({ plan, status }: { plan: Plan; status: AppStatus }) {
  const auto = status.auto_deploy;
  return (
    <section class="plan-part">
      <h3>Afterwards</h3>
      <ul class="bullets">
        {auto?.on && (
          <li>
            Auto-deploy stays on: the next commit on <code>{auto.branch}</code> deploys on top of {label(plan.to)}.
          </li>
        )}
        {auto && !auto.on && <li>Auto-deploy stays off.</li>}
        <li>
          {label(plan.from)} is marked Rolled Back. It is reached again by “Roll back to this” in the history.
        </li>
        {auto && (
          <li>
            A redeploy would differ: it builds the commit afresh, takes as long as a build, and starts with today's environment.
          </li>
        )}
      </ul>
    </section>
  );
}
