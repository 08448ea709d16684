// The same as a command, for whoever would rather type it.

import type { AskBuild, KeepStandby, Rollback } from "../api/types";

/** A word as a POSIX shell takes it. */
export function quoted(text: string): string {
  if (/^[\w@%+=:,./-]+$/.test(text)) return text;
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** `vial rollback shop --to 5 --revert-migrations --reason '…'` */
export function rollbackCommand(app: string, ask: Rollback): string {
  const words = ["vial", "rollback", quoted(app)];
  if (ask.to !== undefined) words.push("--to", String(ask.to));
  if (ask.cancel) words.push("--cancel");
  if (ask.migrations) words.push(`--${ask.migrations}-migrations`);
  if (ask.env === "current") words.push("--env", "current");
  if (ask.reason) words.push("--reason", quoted(ask.reason));
  return words.join(" ");
}

/** `vial standby shop frozen --for 2h` */
export function standbyCommand(app: string, ask: KeepStandby): string {
  const words = ["vial", "standby", quoted(app), ask.mode];
  if (ask.for_ms) words.push("--for", ask.for_ms % 3_600_000 === 0 ? `${ask.for_ms / 3_600_000}h` : `${Math.round(ask.for_ms / 60_000)}m`);
  return words.join(" ");
}

/** `vial deploy shop --ref main`, `vial redeploy shop 7` */
export function buildCommand(app: string, ask: AskBuild, branch: string): string {
  const words = ["vial"];
  if (ask.deployment !== undefined) words.push("redeploy", quoted(app), String(ask.deployment));
  else words.push("deploy", quoted(app), "--ref", quoted(ask.ref ?? branch));
  if (ask.allow_destructive) words.push("--allow-destructive");
  if (ask.reason) words.push("--reason", quoted(ask.reason));
  return words.join(" ");
}
