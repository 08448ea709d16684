// What a page shows where it has nothing to show: loading, empty, refused.

import type { ComponentChildren } from "preact";
import type { Problem } from "../api/types";
import { Icon, type IconName } from "./icon";
import { Button } from "./button";

/** A sentence that stands out. */
export function Notice(props: {
  kind?: "info" | "good" | "warn" | "error";
  title?: string;
  children?: ComponentChildren;
  /** Told to a screen reader when it appears. */
  live?: boolean;
}) {
  const kind = props.kind ?? "info";
  const icon: IconName =
    kind === "good" ? "check" : kind === "info" ? "info" : kind === "warn" ? "warn" : "cross";
  return (
    <div class={`notice notice-${kind}`} role={props.live ? (kind === "error" ? "alert" : "status") : undefined}>
      <Icon name={icon} />
      <div class="notice-text">
        {props.title && <strong>{props.title}</strong>}
        {props.children}
      </div>
    </div>
  );
}

/** A text in which `commands` stand between backquotes. */
export function Sentence({ text }: { text: string }) {
  const parts = text.split("`");
  return (
    <>
      {parts.map((part, index) =>
        index % 2 === 1 && index < parts.length - 1 ? <code key={index}>{part}</code> : part,
      )}
    </>
  );
}

/** What went wrong, why, what to do next, and the log lines that show it. */
export function ProblemNotice(props: {
  problem: Problem;
  kind?: "warn" | "error";
  retry?: (() => void) | undefined;
  children?: ComponentChildren;
}) {
  const { problem, retry } = props;
  return (
    <Notice kind={props.kind ?? "error"} live>
      <p class="problem-message"><Sentence text={problem.message} /></p>
      {problem.next && <p class="problem-next">Next: <Sentence text={problem.next} /></p>}
      {problem.log && problem.log.length > 0 && (
        <pre class="problem-log" tabIndex={0} aria-label="The last lines of the log">
          {problem.log.join("\n")}
        </pre>
      )}
      {props.children}
      {retry && <Button small icon="redo" onClick={retry}>Try again</Button>}
    </Notice>
  );
}

/** Nothing is there, and why. */
export function Empty(props: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <h2>{props.title}</h2>
      {props.children}
    </div>
  );
}

/** Rows that are on their way. */
export function Loading({ rows = 3, label = "Loading" }: { rows?: number; label?: string }) {
  return (
    <div class="loading" role="status">
      <span class="sr-only">{label}…</span>
      {Array.from({ length: rows }, (_, index) => (
        <div key={index} class="skeleton" aria-hidden="true" />
      ))}
    </div>
  );
}
