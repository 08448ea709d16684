// Words in a box: what a slot, a deployment or a check is. Always a word, never a colour alone.

import type { ComponentChildren } from "preact";
import type { Deployment, Kind, Slot, Status } from "../api/types";
import { Icon } from "./icon";
import { inProgress, isLive, stage } from "./format";

export type Tone = "neutral" | "good" | "warn" | "bad" | "accent";

export function Badge({ tone = "neutral", children, title }: { tone?: Tone; children: ComponentChildren; title?: string }) {
  return <span class={`badge badge-${tone}`} title={title}>{children}</span>;
}

/** A slot by its name, with its hue. */
export function SlotTag({ slot }: { slot: Slot }) {
  return <span class={`slot-tag slot-${slot}`}>{slot}</span>;
}

/** A dot with a word beside it. */
export function Dot({ tone, children }: { tone: Tone; children: ComponentChildren }) {
  return (
    <span class={`dot dot-${tone}`}>
      <span class="dot-mark" aria-hidden="true" />
      {children}
    </span>
  );
}

export function toneOf(status: Status): Tone {
  if (status === "succeeded") return "good";
  if (status === "failed") return "bad";
  if (status === "rolled_back") return "warn";
  if (isLive(status)) return "good";
  if (inProgress(status)) return "accent";
  return "neutral";
}

/** Where a deployment stands. */
export function StatusBadge({ status }: { status: Status }) {
  const going = inProgress(status);
  return (
    <span class={`badge badge-${toneOf(status)}`}>
      {going ? <span class="pulse" aria-hidden="true" /> : null}
      {status === "succeeded" && <Icon name="check" />}
      {status === "failed" && <Icon name="cross" />}
      {status === "rolled_back" && <Icon name="back" />}
      {stage(status)}
    </span>
  );
}

const KINDS: Record<Exclude<Kind, "deploy">, { word: string; icon: "back" | "redo" }> = {
  rollback: { word: "Rollback", icon: "back" },
  redeploy: { word: "Redeploy", icon: "redo" },
  restart: { word: "Restart", icon: "redo" },
};

/** What kind of deployment it is, where it is not a plain deploy, and whether it came by itself. */
export function KindBadges({ it }: { it: Deployment }) {
  const kind = it.kind === "deploy" ? undefined : KINDS[it.kind];
  const auto = it.actor === "vial" || (it.build && it.build.trigger !== "by_hand");
  return (
    <>
      {kind && <Badge tone={it.kind === "rollback" ? "warn" : "neutral"}><Icon name={kind.icon} />{kind.word}</Badge>}
      {auto && <Badge title={it.actor === "vial" ? "Vial did this by itself" : "a new commit was deployed by itself"}>Auto</Badge>}
    </>
  );
}
