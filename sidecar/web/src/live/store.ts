// What the stream has told, as signals: every page reads these, and none of them polls.

import { computed, signal, type ReadonlySignal } from "@preact/signals";
import type { AppStatus, Hello, Live, Problem } from "../api/types";
import { setDaemonTime } from "../ui/clock";

export type Connection =
  /** Nothing was told yet. */
  | "connecting"
  /** What is shown is how it is. */
  | "live"
  /** What is shown is how it was. */
  | "lost";

export const connection = signal<Connection>("connecting");
/** When the connection was lost, by the browser's clock. */
export const lostAt = signal<number | undefined>(undefined);
/** The daemon, as it said hello last. */
export const daemon = signal<Hello | undefined>(undefined);
/** The version that this page was loaded with. */
let loadedWith: string | undefined;
/** The daemon's version, where it is another than the one that this page is of. */
export const updatedTo = signal<string | undefined>(undefined);
/** What is wrong with the daemon's configuration. */
export const problems = signal<readonly Problem[]>([]);
/** Every app, by name. */
export const apps = signal<ReadonlyMap<string, AppStatus>>(new Map());
/** Whether every app was told at least once: an app that is not known then is not there. */
export const complete = signal(false);

const byName = new Map<string, ReadonlySignal<AppStatus | undefined>>();

/** One app's status; changes only when that app does. */
export function appStatus(name: string): ReadonlySignal<AppStatus | undefined> {
  let found = byName.get(name);
  if (!found) {
    found = computed(() => apps.value.get(name));
    byName.set(name, found);
  }
  return found;
}

/** Apps that this stream has told; what an earlier one knew and this one does not is gone. */
let told = new Set<string>();
let daemonSince: string | undefined;

/** Takes in what the stream tells. What concerns topics goes to those who follow them. */
export function take(event: Live): void {
  switch (event.type) {
    case "hello":
      setDaemonTime(event.now);
      told = new Set();
      daemonSince = event.started_at;
      daemon.value = event;
      loadedWith ??= event.version;
      updatedTo.value = event.version === loadedWith ? undefined : event.version;
      break;
    case "app": {
      const { type: _, ...status } = event;
      told.add(status.name);
      put(status);
      break;
    }
    case "app_removed":
      told.delete(event.name);
      drop((name) => name === event.name);
      break;
    case "complete":
      drop((name) => !told.has(name));
      complete.value = true;
      connection.value = "live";
      lostAt.value = undefined;
      break;
    case "problems":
      problems.value = event.problems;
      break;
    default:
      break;
  }
}

const since = new Map<string, string | undefined>();

function put(status: AppStatus): void {
  const known = apps.peek().get(status.name);
  // Revisions count up within one life of the daemon.
  const same = since.get(status.name) === daemonSince;
  if (known && same && known.revision > status.revision) return;
  since.set(status.name, daemonSince);
  const next = new Map(apps.peek());
  next.set(status.name, status);
  apps.value = new Map([...next].sort(([a], [b]) => a.localeCompare(b)));
}

function drop(gone: (name: string) => boolean): void {
  const next = new Map([...apps.peek()].filter(([name]) => !gone(name)));
  if (next.size !== apps.peek().size) apps.value = next;
}

/** Says that the stream has ended and is being opened again. */
export function lose(): void {
  if (connection.peek() === "lost") return;
  lostAt.value = Date.now();
  if (connection.peek() === "live") connection.value = "lost";
}

/** Forgets everything: somebody else logs in. */
export function forget(): void {
  connection.value = "connecting";
  lostAt.value = undefined;
  apps.value = new Map();
  complete.value = false;
  problems.value = [];
}
