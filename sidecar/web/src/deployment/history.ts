// An app's history as far as it was loaded, kept current by the stream.

import { signal } from "@preact/signals";
import { asProblem } from "../api/client";
import { fetchDeployments } from "../api/operations";
import type { AppStatus, Deployment, Problem } from "../api/types";

const PAGE = 50;

/** Rows by number, newest first, the fresher of two. A gap between both leaves the fresh ones alone. */
export function merge(known: readonly Deployment[], fresh: readonly Deployment[]): Deployment[] {
  const oldest = fresh.at(-1);
  const newest = known[0];
  if (oldest && newest && oldest.number > newest.number + 1) return [...fresh];
  const all = new Map<number, Deployment>();
  for (const it of known) all.set(it.number, it);
  for (const it of fresh) {
    const before = all.get(it.number);
    // A row that did not change stays the same object, so that nothing is drawn again for it.
    all.set(it.number, before && JSON.stringify(before) === JSON.stringify(it) ? before : it);
  }
  return [...all.values()].sort((a, b) => b.number - a.number);
}

/** A row as lists have it. */
function listed(it: Deployment): Deployment {
  const { steps: _, ...row } = it;
  return row;
}

export class History {
  readonly rows = signal<readonly Deployment[]>([]);
  readonly loaded = signal(false);
  readonly loading = signal(false);
  readonly more = signal(false);
  readonly problem = signal<Problem | undefined>(undefined);
  /** What commits are about, by their ids: a rollback's row has the id alone. */
  readonly subjects = new Map<string, string>();
  private seen: string | undefined;
  /** What the stream told last. */
  private going: readonly Deployment[] = [];

  constructor(readonly app: string) {}

  /** The newest page; called again whenever the app's status says that rows have changed. */
  async refresh(): Promise<void> {
    try {
      const fresh = await fetchDeployments(this.app, { limit: PAGE });
      this.note(fresh);
      const first = !this.loaded.peek();
      const before = this.rows.peek();
      const rows = merge(before, fresh);
      // What the stream told meanwhile is newer than what was asked for before it.
      this.rows.value = merge(rows, this.fitting(rows));
      const last = before.at(-1);
      const cut = !last || rows.at(-1)?.number !== last.number;
      if (first || cut) this.more.value = fresh.length === PAGE;
      this.loaded.value = true;
      this.problem.value = undefined;
    } catch (error) {
      this.problem.value = asProblem(error);
    }
  }

  /** The page after the last one that was loaded. */
  async older(): Promise<void> {
    const last = this.rows.peek().at(-1);
    if (!last || this.loading.peek() || !this.more.peek()) return;
    this.loading.value = true;
    try {
      const fresh = await fetchDeployments(this.app, { before: last.number, limit: PAGE });
      this.note(fresh);
      this.rows.value = merge(this.rows.peek(), fresh);
      this.more.value = fresh.length === PAGE;
      this.problem.value = undefined;
    } catch (error) {
      this.problem.value = asProblem(error);
    } finally {
      this.loading.value = false;
    }
  }

  /** Those that the stream told of which belong to the rows, newest first. */
  private fitting(rows: readonly Deployment[]): Deployment[] {
    const newest = rows[0]?.number ?? 0;
    const oldest = rows.at(-1)?.number ?? 0;
    const known = this.going.filter((it) => it.number <= newest + 2 && it.number >= oldest);
    return known.sort((a, b) => b.number - a.number);
  }

  private note(rows: readonly Deployment[]): void {
    for (const { commit } of rows) if (commit) this.subjects.set(commit.sha, commit.subject);
  }

  /** Takes in what the stream told of the app. */
  follow(status: AppStatus): void {
    const going = [status.queued, status.deployment, status.last].filter((it) => !!it).map(listed);
    this.note(going);
    this.going = going;
    if (this.loaded.peek()) this.rows.value = merge(this.rows.peek(), this.fitting(this.rows.peek()));
    // What ends or goes live changes the rows of others, too.
    const seen = going.map((it) => `${it.number} ${it.live_at} ${it.ended_at} ${it.status === "queued"}`).join();
    if (seen !== this.seen) {
      this.seen = seen;
      void this.refresh();
    }
  }
}

/** The last deployment of the same kind that went live before this one: what its steps took. */
export function comparable(rows: readonly Deployment[], it: Deployment): Deployment | undefined {
  return rows.find((row) => row.number < it.number && row.kind === it.kind && !!row.live_at && !!row.ended_at);
}
