// All apps of the host: which version serves each, since when, and how it is doing.

import type { AppStatus } from "../../api/types";
import { healthOf } from "../../deployment/health";
import { doing } from "../../deployment/words";
import { appAddress } from "../../layout/app-frame";
import { Page } from "../../layout/page";
import { useMetrics } from "../../live/metrics";
import { apps, complete, daemon, problems } from "../../live/store";
import type { PageProps } from "../../router";
import { Dot, SlotTag, StatusBadge } from "../../ui/badge";
import { bytes, count, cpu, label, short } from "../../ui/format";
import { Sparkline } from "../../ui/sparkline";
import { Empty, Loading, ProblemNotice, Sentence } from "../../ui/state";
import { Since } from "../../ui/time";
import "./style.css";

/** The newest samples that a small line shows. */
const SHOWN = 60;

export default function Apps(_: PageProps) {
  const all = [...apps.value.values()];
  const bad = all.filter((it) => healthOf(it).tone === "bad").length;
  return (
    <Page title="Apps" actions={<Summary all={all.length} bad={bad} />}>
      {problems.value.map((it) => <ProblemNotice key={it.message} problem={it} kind="warn" />)}
      {!complete.value && <Loading rows={4} label="Loading the apps" />}
      {complete.value && all.length === 0 && (
        <Empty title="No app is configured">
          <p>On the host, <code>vial init NAME</code> writes an app's file and <code>vial reload</code> reads it. It appears here by itself.</p>
        </Empty>
      )}
      {all.length > 0 && (
        <ul class="apps">
          {all.map((it) => <App key={it.name} status={it} />)}
        </ul>
      )}
      {daemon.value && (
        <p class="faint apps-daemon">Vial {daemon.value.version}, running for <Since at={daemon.value.started_at} /></p>
      )}
    </Page>
  );
}

function Summary({ all, bad }: { all: number; bad: number }) {
  if (all === 0) return null;
  return (
    <p class="muted" role="status">
      {count(all, "app")}, {bad === 0 ? "none in trouble" : `${bad} in trouble`}
    </p>
  );
}

function App({ status }: { status: AppStatus }) {
  const { serving, active, deployment } = status;
  const health = healthOf(status);
  const route = status.route;
  const subject = [deployment, status.last].find((it) => it?.release?.number === serving?.number)?.commit?.subject;
  return (
    <li class={health.tone === "bad" ? "card app app-bad" : "card app"}>
      <div class="app-id">
        <h2 class="app-title">
          <a href={appAddress(status.name)} class="app-link">{status.name}</a>
        </h2>
        <p class="muted truncate">{route ? route.hosts.join(", ") : "worker, without a route"}</p>
      </div>
      <div class="app-serving">
        {serving ? (
          <>
            <p class="app-version">
              <strong class="truncate" title={label(serving)}>{label(serving)}</strong>
              {active && <SlotTag slot={active} />}
            </p>
            <p class="app-commit muted">
              {serving.commit && <span class="mono">{short(serving.commit)}</span>}
              {subject && <span class="truncate">{subject}</span>}
              {status.serving_since && <span class="num">for <Since at={status.serving_since} /></span>}
            </p>
          </>
        ) : (
          <p class="muted">Nothing serves yet</p>
        )}
      </div>
      <div class="app-health">
        <p><Dot tone={health.tone}>{health.word}</Dot></p>
        {deployment ? (
          <p class="app-going"><StatusBadge status={deployment.status} /> <span class="muted truncate">{doing(deployment)}</span></p>
        ) : (
          <p class="muted app-detail" title={health.detail}>{health.detail}</p>
        )}
      </div>
      <Uses app={status.name} runs={status.slots.some((it) => !!it.pid)} />
      {status.warnings.map((it) => (
        <p key={it.code} class="app-warning"><Sentence text={it.message} /></p>
      ))}
    </li>
  );
}

function Uses({ app, runs }: { app: string; runs: boolean }) {
  const { samples } = useMetrics(app).value;
  const shown = samples.slice(-SHOWN);
  const last = shown.at(-1);
  const memory = shown.map((it) => it.slots.reduce((sum, slot) => sum + slot.memory, 0));
  const load = shown.map((it) => it.slots.reduce((sum, slot) => sum + slot.cpu, 0));
  const flight = last?.in_flight;
  const has = runs && !!last && last.slots.length > 0;
  return (
    <dl class="app-uses">
      <div>
        <dt>In flight</dt>
        <dd>{runs && typeof flight === "number" ? flight : "–"}</dd>
      </div>
      <div>
        <dt>Memory</dt>
        <dd>
          {has ? bytes(memory.at(-1) ?? 0) : "–"}
          {has && <Sparkline values={memory} label="memory of the last minutes" />}
        </dd>
      </div>
      <div>
        <dt>CPU</dt>
        <dd>
          {has ? cpu(load.at(-1) ?? 0) : "–"}
          {has && <Sparkline values={load} label="CPU of the last minutes" />}
        </dd>
      </div>
    </dl>
  );
}
