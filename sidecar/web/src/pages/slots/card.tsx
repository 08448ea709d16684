// One slot: what it does, where it is found, how it has been.

import type { ComponentChildren } from "preact";
import type { SlotState, SlotStatus } from "../../api/types";
import { appAddress } from "../../layout/app-frame";
import { Kept } from "../../deployment/standby";
import type { Used } from "../../live/metrics";
import { isAdmin } from "../../session";
import { Badge, Dot, SlotTag, type Tone } from "../../ui/badge";
import { Button, LinkButton } from "../../ui/button";
import { bytes, count, cpu, label, short } from "../../ui/format";
import { Ago, Since } from "../../ui/time";
import { HealthStrip } from "./health";

type Shown = { word: string; tone: Tone };

const STATES: Record<SlotState, Shown> = {
  stopped: { word: "Stopped", tone: "neutral" },
  starting: { word: "Starting, not healthy yet", tone: "accent" },
  running: { word: "Running", tone: "good" },
  resting: { word: "Comes to rest, to be frozen", tone: "accent" },
  frozen: { word: "Frozen", tone: "good" },
  stopping: { word: "Stopping", tone: "neutral" },
  backoff: { word: "Exited by itself; started again soon", tone: "bad" },
};

function stateOf(it: SlotStatus): Shown {
  const warm = it.state === "running" && it.standby?.mode === "warm" && it.standby.ready;
  return warm ? { word: "Warm: runs without traffic", tone: "good" } : STATES[it.state];
}

export function SlotCard(props: {
  app: string;
  it: SlotStatus;
  active: boolean;
  since: string | null | undefined;
  /** Whether the next deploy goes to it. */
  next: boolean;
  used: Used;
  /** Asks for another standby; absent where nobody may. */
  onStandby?: (() => void) | undefined;
}) {
  const { app, it, active, used } = props;
  const { word, tone } = stateOf(it);
  const runs = it.state === "running" || it.state === "starting";
  const sample = used.samples.at(-1)?.slots.find((sampled) => sampled.slot === it.slot);
  return (
    <section class={active ? "card slot-card slot-card-active" : "card slot-card"} aria-labelledby={`slot-${it.slot}`}>
      <header class="slot-head">
        <h2 id={`slot-${it.slot}`}><SlotTag slot={it.slot} /></h2>
        {active ? <Badge tone="accent">active: serves</Badge> : <Badge>idle</Badge>}
        <span class="slot-state"><Dot tone={tone}>{word}</Dot></span>
      </header>
      <div class="slot-release">
        {it.release ? (
          <>
            <span class="slot-version breaks">{label(it.release)}</span>
            {it.release.commit && <code title={it.release.commit}>{short(it.release.commit)}</code>}
            <a href={appAddress(app, `/deployments/${it.release.number}`)}>#{it.release.number}</a>
            {props.since && <span class="muted">serves for <Since at={props.since} /></span>}
          </>
        ) : (
          <span class="muted">No release is in it.{props.next && " The next deploy uses it."}</span>
        )}
      </div>
      <dl class="slot-facts">
        <Fact name="Health">
          {it.health && it.state !== "frozen" ? (
            <Dot tone={it.health.healthy ? "good" : "bad"}>
              <span class="breaks">
                {it.health.healthy ? "Healthy" : "Failing"}: {it.health.detail}, for <Since at={it.health.since} />
              </span>
            </Dot>
          ) : (
            <span class="muted">{it.state === "frozen" ? "not asked while it is frozen" : "not checked"}</span>
          )}
        </Fact>
        <Fact name="Up">{it.since && it.pid ? <Since at={it.since} /> : <None />}</Fact>
        <Fact name="Restarts">
          {it.restarts > 0 ? <span class="slot-bad">{count(it.restarts, "time")} since it was last healthy for a minute</span> : "none"}
        </Fact>
        <Fact name="Port">{it.port ? <code class="bare">{it.port}</code> : <None />}</Fact>
        <Fact name="Node"><code class="bare breaks">{it.node}</code></Fact>
        <Fact name="Process">{it.pid ? <code class="bare">{it.pid}</code> : <None />}</Fact>
        <Fact name="Memory">{sample ? bytes(sample.memory) : <None />}</Fact>
        <Fact name="CPU">{sample ? `${cpu(sample.cpu)} of a core` : <None />}</Fact>
        {sample?.in_flight !== undefined && sample.in_flight !== null && (
          <Fact name="In flight">{count(sample.in_flight, "request")}</Fact>
        )}
        {it.last_exit && <Fact name="Ended last"><span class="breaks">{it.last_exit}</span></Fact>}
        {!active && it.standby && <Fact name="Standby"><Kept it={it} /></Fact>}
        {!active && !it.standby && it.release && <Fact name="Rollback">{rollback(it.state)}</Fact>}
      </dl>
      <HealthStrip slot={it.slot} changes={used.health} now={it.health} />
      <footer class="slot-foot">
        <LinkButton small href={appAddress(app, `/logs?slot=${it.slot}`)}>Its log</LinkButton>
        {isAdmin.value && runs && (
          <LinkButton small href={appAddress(app, `/console?slot=${it.slot}`)}>Console on it</LinkButton>
        )}
        {props.onStandby && <Button small icon="pause" onClick={props.onStandby}>Standby…</Button>}
        {it.since && !it.pid && <span class="muted">started <Ago at={it.since} /></span>}
      </footer>
    </section>
  );
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function None() {
  return <span class="muted" aria-label="none">–</span>;
}

/** What the idle slot's state means for a rollback to it. */
function rollback(state: SlotState): string {
  return state === "running" ? "a switch, as it runs" : "it starts anew";
}
