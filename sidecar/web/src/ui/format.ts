// Figures and names as people read them.

import type { Commit, Deployment, Release, Status } from "../api/types";

/** `0.4 s`, `12 s`, `2 min 5 s`, `3 h 10 min`, `2 d 4 h`. */
export function duration(ms: number): string {
  if (!Number.isFinite(ms) || ms < 0) return "0 s";
  if (ms < 1000) return ms < 100 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
  if (ms < 9950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const pair = (whole: number, unit: string, rest: number, small: string) =>
    rest > 0 ? `${whole} ${unit} ${rest} ${small}` : `${whole} ${unit}`;
  if (seconds < 3600) return pair(Math.floor(seconds / 60), "min", seconds % 60, "s");
  const minutes = Math.floor(seconds / 60);
  if (minutes < 1440) return pair(Math.floor(minutes / 60), "h", minutes % 60, "min");
  const hours = Math.floor(minutes / 60);
  return pair(Math.floor(hours / 24), "d", hours % 24, "h");
}

/** How long ago, in one unit: `now`, `42 s`, `5 min`, `3 h`, `12 d`. */
export function ago(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

/** `812 B`, `14.2 MiB`. */
export function bytes(count: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let value = count;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** A share of a core: `3 %`, `140 %`. */
export function cpu(share: number): string {
  const percent = share * 100;
  return `${percent > 0 && percent < 10 ? percent.toFixed(1) : Math.round(percent)} %`;
}

/** `v1.4.2`. */
export function label(release: Pick<Release, "version">): string {
  return `v${release.version}`;
}

/** By what people name a commit. */
export function short(sha: string): string {
  return sha.slice(0, 10);
}

/** The commit of a deployment, as far as it is known. */
export function commitOf(it: Deployment): Pick<Commit, "sha"> & Partial<Commit> | undefined {
  if (it.commit) return it.commit;
  const sha = it.release?.commit ?? it.build?.sha;
  return sha ? { sha } : undefined;
}

/** `1 request`, `3 requests`. */
export function count(number: number, one: string, many = `${one}s`): string {
  return `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
}

/** `a`, `a and b`, `a, b and c`. */
export function list(words: readonly string[]): string {
  if (words.length < 2) return words.join("");
  return `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}

const STAGES: Record<Status, string> = {
  queued: "Queued",
  building: "Building",
  unpacking: "Deploying",
  migrating: "Migrating",
  starting: "Deploying",
  reverting: "Migrating",
  verifying: "Verifying",
  restoring: "Migrating",
  switching: "Verifying",
  draining: "Live",
  baking: "Live",
  succeeded: "Succeeded",
  failed: "Failed",
  cancelled: "Cancelled",
  rolled_back: "Rolled Back",
  superseded: "Superseded",
};

/** What the user reads: several steps share a stage. */
export function stage(status: Status): string {
  return STAGES[status];
}

const ENDS: ReadonlySet<Status> = new Set([
  "succeeded",
  "failed",
  "cancelled",
  "rolled_back",
  "superseded",
]);

export function inProgress(status: Status): boolean {
  return !ENDS.has(status);
}

export function isLive(status: Status): boolean {
  return status === "draining" || status === "baking";
}
