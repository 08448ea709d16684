// Who follows what, and what the stream has to be asked for so that all of them are served. Several
// tabs may follow one log from different places: it is asked for once, from where the one that is
// furthest behind is, and each is told only what it does not have yet.

import type { BuildChunk, LogChunk, Topics } from "../api/types";
import type { Heard, Topic } from "./topics";

/** The daemon's limit for each kind. */
const MOST = 8;
/** How long chunks may still come from where a log was followed before. */
const STRAGGLE_MS = 5000;

type Follower = { topic: Topic; cursor: number; tell: (heard: Heard) => void };
type Place = { cursor: number; since: number };

export class Followers {
  private readonly all = new Map<string, Follower>();
  /** From where each log was asked for in this stream: named again with that, it goes on. */
  private readonly asked = new Map<string, Place>();

  constructor(private readonly now: () => number = Date.now) {}

  add(id: string, topic: Topic, tell: (heard: Heard) => void): void {
    const cursor = topic.kind === "log" || topic.kind === "build" ? topic.topic.cursor : 0;
    this.all.set(id, { topic, cursor, tell });
    const key = keyOf(topic);
    const asked = this.asked.get(key);
    // Someone is further behind than the stream is: it begins there anew.
    if (asked && cursor < this.reached(key, id)) this.asked.delete(key);
  }

  remove(id: string): void {
    const gone = this.all.get(id);
    this.all.delete(id);
    if (!gone) return;
    const key = keyOf(gone.topic);
    if (![...this.all.values()].some((it) => keyOf(it.topic) === key)) this.asked.delete(key);
  }

  /** A new stream has been asked for nothing yet. */
  reopened(): void {
    this.asked.clear();
  }

  /** What the stream has to be asked for. */
  wanted(): Required<Topics> {
    const topics: Required<Topics> = { logs: [], builds: [], metrics: [], audit: false };
    for (const { topic } of this.all.values()) {
      const key = keyOf(topic);
      if (topic.kind === "audit") topics.audit = true;
      else if (topic.kind === "metrics") {
        if (!topics.metrics.includes(topic.app)) topics.metrics.push(topic.app);
      } else if (topic.kind === "log") {
        const { app, slot } = topic.topic;
        if (topics.logs.some((it) => it.app === app && it.slot === slot)) continue;
        topics.logs.push({ app, slot, cursor: this.place(key) });
      } else {
        const { app, number } = topic.topic;
        if (topics.builds.some((it) => it.app === app && it.number === number)) continue;
        topics.builds.push({ app, number, cursor: this.place(key) });
      }
    }
    topics.logs = topics.logs.slice(-MOST);
    topics.builds = topics.builds.slice(-MOST);
    topics.metrics = topics.metrics.slice(-100);
    return topics;
  }

  /** Tells those whom it concerns. */
  hear(heard: Heard): void {
    for (const follower of [...this.all.values()]) {
      const { topic } = follower;
      if (heard.type === "audit") {
        if (topic.kind === "audit") follower.tell(heard);
      } else if (heard.type === "metrics") {
        if (topic.kind === "metrics" && topic.app === heard.app) follower.tell(heard);
      } else if (heard.type === "lost") {
        const logs = topic.kind === "log" || topic.kind === "build";
        if (logs && topic.topic.app === heard.app) follower.tell(heard);
      } else if (heard.type === "log") {
        if (topic.kind !== "log" || topic.topic.app !== heard.app) continue;
        if (topic.topic.slot !== heard.chunk.slot) continue;
        const chunk = this.fresh(follower, heard.chunk);
        if (chunk) follower.tell({ ...heard, chunk });
      } else {
        if (topic.kind !== "build" || topic.topic.app !== heard.app) continue;
        if (topic.topic.number !== heard.chunk.number) continue;
        const chunk = this.fresh(follower, heard.chunk);
        if (chunk) follower.tell({ ...heard, chunk });
      }
    }
  }

  /** How far the one is that is furthest behind, but for one. */
  private reached(key: string, but?: string): number {
    let least = Number.POSITIVE_INFINITY;
    for (const [id, it] of this.all) {
      if (id !== but && keyOf(it.topic) === key) least = Math.min(least, it.cursor);
    }
    return least;
  }

  private place(key: string): number {
    const asked = this.asked.get(key);
    if (asked) return asked.cursor;
    const cursor = this.reached(key);
    this.asked.set(key, { cursor, since: this.now() });
    return cursor;
  }

  /** The part of a chunk that a follower does not have yet. */
  private fresh<C extends LogChunk | BuildChunk>(follower: Follower, chunk: C): C | undefined {
    const gap = "gap" in chunk ? (chunk.gap ?? 0) : 0;
    const first = chunk.lines[0]?.at ?? chunk.cursor;
    const ended = "ended" in chunk && chunk.ended;
    const asked = this.asked.get(keyOf(follower.topic));
    const straggles = !asked || this.now() - asked.since < STRAGGLE_MS;
    // Of the stream as it was before it began anew for this one: what lies between comes yet.
    if (straggles && first - gap > follower.cursor) return undefined;
    if (chunk.cursor <= follower.cursor && !ended) return undefined;
    const lines = chunk.lines.filter((line) => line.at >= follower.cursor);
    const left = Math.min(gap, Math.max(0, first - follower.cursor));
    follower.cursor = Math.max(follower.cursor, chunk.cursor);
    return "slot" in chunk ? { ...chunk, lines, gap: left } : { ...chunk, lines };
  }
}

function keyOf(topic: Topic): string {
  switch (topic.kind) {
    case "log":
      return `log ${topic.topic.slot} ${topic.topic.app}`;
    case "build":
      return `build ${topic.topic.number} ${topic.topic.app}`;
    case "metrics":
      return `metrics ${topic.app}`;
    case "audit":
      return "audit";
  }
}
