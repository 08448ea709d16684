// What a deployment did and does, step by step, with the time of each beside last time's.

import type { Deployment, Status, Step } from "../api/types";
import { daemonNow, now } from "../ui/clock";
import { duration } from "../ui/format";
import { Icon } from "../ui/icon";

const WORDS: Record<Status, { name: string; does: string }> = {
  queued: { name: "Queued", does: "waits for the deployment before it" },
  building: { name: "Build", does: "the release is built from its commit" },
  unpacking: { name: "Unpack", does: "the archive is checked and unpacked" },
  migrating: { name: "Migrate", does: "its migrations run before it starts" },
  starting: { name: "Start", does: "it starts in the idle slot until its health check answers" },
  reverting: { name: "Revert migrations", does: "the release that is left reverts them" },
  verifying: { name: "Verify", does: "its health and paths are checked once more" },
  restoring: { name: "Restore migrations", does: "what was reverted is migrated up again" },
  switching: { name: "Switch", does: "Caddy sends the traffic to it" },
  draining: { name: "Drain", does: "the old slot finishes the requests that it has" },
  baking: { name: "Bake", does: "the old slot stays ready, should it fail" },
  succeeded: { name: "Succeeded", does: "" },
  failed: { name: "Failed", does: "" },
  cancelled: { name: "Cancelled", does: "" },
  rolled_back: { name: "Rolled back", does: "" },
  superseded: { name: "Superseded", does: "" },
};

export function stepName(status: Status): string {
  return WORDS[status].name;
}

function millis(step: Step, until: number): number {
  return (step.ended_at ? Date.parse(step.ended_at) : until) - Date.parse(step.started_at);
}

/** The order in which steps come, in every kind of deployment. */
const ORDER: readonly Status[] = [
  "building",
  "unpacking",
  "migrating",
  "starting",
  "reverting",
  "verifying",
  "switching",
  "draining",
  "baking",
];

/** Steps that are still to come, as last time they did. */
export function ahead(steps: readonly Step[], before: readonly Step[]): Step[] {
  const current = steps.at(-1);
  // What is undone has no more of the steps ahead that a success has.
  if (current?.status === "restoring") return [];
  const at = current ? ORDER.indexOf(current.status) : -1;
  return before.filter((it) => ORDER.indexOf(it.status) > at);
}

export function Steps({ of, before }: { of: Deployment; before?: Deployment | undefined }) {
  const steps = of.steps ?? [];
  const last = before?.steps ?? [];
  const over = !!of.ended_at;
  const coming = over ? [] : ahead(steps, last);
  // Read, so that what runs ticks; reckoned to the millisecond.
  const until = over ? Date.parse(of.ended_at ?? "") : now.value && daemonNow();
  const lasts = (status: Status) => {
    const found = last.find((it) => it.status === status && it.ended_at);
    return found ? millis(found, 0) : undefined;
  };
  if (steps.length === 0 && coming.length === 0) {
    return <p class="muted">{over ? "It ended before its first step." : "It has not begun."}</p>;
  }
  return (
    <table class="steps">
      <caption class="sr-only">Steps of #{of.number}</caption>
      <thead>
        <tr>
          <th scope="col">Step</th>
          <th scope="col" class="steps-time">Took</th>
          {before && <th scope="col" class="steps-time" title={`as #${before.number} did`}>Last time</th>}
        </tr>
      </thead>
      <tbody>
        {steps.map((step, index) => {
          const runs = !step.ended_at && !over;
          const failed = over && index === steps.length - 1 && of.status === "failed";
          const expected = lasts(step.status);
          const took = millis(step, until);
          const slow = runs && expected !== undefined && took > expected * 2 + 1000;
          return (
            <tr key={index} class={runs ? "step step-runs" : failed ? "step step-failed" : "step"} aria-current={runs ? "step" : undefined}>
              <th scope="row">
                <span class="step-mark">
                  {runs ? <span class="spinner" aria-hidden="true" /> : <Icon name={failed ? "cross" : "check"} />}
                </span>
                <span>
                  <span class="step-name">{WORDS[step.status].name}</span>
                  <span class="step-says">{step.outcome ?? (runs ? WORDS[step.status].does : "")}</span>
                </span>
              </th>
              <td class="steps-time">
                {duration(took)}
                {slow && <span class="sr-only">, longer than last time</span>}
                {slow && <span class="step-slow" aria-hidden="true">longer than last time</span>}
              </td>
              {before && <td class="steps-time faint">{expected === undefined ? "–" : duration(expected)}</td>}
            </tr>
          );
        })}
        {coming.map((step, index) => (
          <tr key={`coming ${index}`} class="step step-coming">
            <th scope="row">
              <span class="step-mark"><span class="step-dot" aria-hidden="true" /></span>
              <span>
                <span class="step-name">{WORDS[step.status].name}</span>
                <span class="sr-only">, still to come</span>
              </span>
            </th>
            <td class="steps-time" />
            <td class="steps-time faint">{duration(millis(step, 0))}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
