import { expect, test } from "vitest";
import type { LogChunk } from "../src/api/types";
import { pause } from "../src/live/connection";
import { Followers } from "../src/live/followers";
import { EventParser } from "../src/live/sse";
import { join } from "../src/live/samples";
import type { Heard, Topic } from "../src/live/topics";

const log = (cursor: number): Topic => ({ kind: "log", topic: { app: "shop", slot: "blue", cursor } });

/** Lines of ten bytes each, from one offset to another. */
function chunk(from: number, to: number, gap = 0): Heard {
  const lines = [];
  for (let at = from; at < to; at += 10) lines.push({ at, text: `line ${at}` });
  const it: LogChunk = { slot: "blue", lines, cursor: to, gap };
  return { type: "log", app: "shop", chunk: it };
}

class Reader {
  readonly seen: number[] = [];
  gaps = 0;
  readonly tell = (heard: Heard) => {
    if (heard.type !== "log") return;
    this.gaps += heard.chunk.gap ?? 0;
    this.seen.push(...heard.chunk.lines.map((it) => it.at));
  };
}

test("a log that two tabs follow is asked for once, from where the one behind is", () => {
  const followers = new Followers();
  followers.add("a", log(100), new Reader().tell);
  expect(followers.wanted().logs).toEqual([{ app: "shop", slot: "blue", cursor: 100 }]);
  followers.add("b", log(50), new Reader().tell);
  expect(followers.wanted().logs).toEqual([{ app: "shop", slot: "blue", cursor: 50 }]);
});

test("a log that is followed already goes on: it is named with the cursor that it began at", () => {
  const followers = new Followers();
  const reader = new Reader();
  followers.add("a", log(0), reader.tell);
  followers.wanted();
  followers.hear(chunk(0, 100));
  followers.add("b", { kind: "metrics", app: "shop" }, reader.tell);
  expect(followers.wanted().logs[0]?.cursor).toBe(0);
  followers.reopened();
  expect(followers.wanted().logs[0]?.cursor).toBe(100);
});

test("every tab is told each line once, also while another one catches up", () => {
  const followers = new Followers();
  const [ahead, behind] = [new Reader(), new Reader()];
  followers.add("a", log(100), ahead.tell);
  followers.wanted();
  followers.hear(chunk(100, 120));
  followers.add("b", log(50), behind.tell);
  followers.wanted();
  // Sent before the daemon knew of the second tab.
  followers.hear(chunk(120, 140));
  followers.hear(chunk(50, 140));
  followers.hear(chunk(140, 160));
  expect(ahead.seen).toEqual([100, 110, 120, 130, 140, 150]);
  expect(behind.seen).toEqual([50, 60, 70, 80, 90, 100, 110, 120, 130, 140, 150]);
});

test("what is no longer kept is a gap for the tab that had not read it, and for no other", () => {
  const followers = new Followers();
  const [ahead, behind] = [new Reader(), new Reader()];
  followers.add("a", log(500), ahead.tell);
  followers.add("b", log(0), behind.tell);
  followers.wanted();
  followers.hear(chunk(480, 520, 480));
  expect(ahead.gaps).toBe(0);
  expect(behind.gaps).toBe(480);
  expect(ahead.seen).toEqual([500, 510]);
});

test("nothing is asked for any more once nobody follows it", () => {
  const followers = new Followers();
  followers.add("a", log(0), new Reader().tell);
  followers.add("b", { kind: "audit" }, new Reader().tell);
  followers.remove("a");
  expect(followers.wanted()).toEqual({ logs: [], builds: [], metrics: [], audit: true });
});

test("events are read however they are cut into pieces", () => {
  const seen: (string | undefined)[] = [];
  const parser = new EventParser((data) => seen.push(data));
  for (const piece of ["id: 1\nda", 'ta: {"a":1}\n', "\n: still he", "re\r\n\ndata: x\ndata: y\n\n"]) parser.push(piece);
  expect(seen).toEqual(['{"a":1}', undefined, "x\ny"]);
});

test("a daemon that is started again is found within a second, and one that stays away is not pestered", () => {
  expect(pause(0, 0.5)).toBe(100);
  expect(Math.max(...Array.from({ length: 14 }, (_, attempt) => pause(attempt, 1)))).toBeLessThan(1300);
  expect(pause(50, 0.5)).toBe(5000);
});

test("samples are joined in order, no moment twice, none older than ten minutes", () => {
  const sample = (minute: number) => ({ at: new Date(minute * 60_000).toISOString(), slots: [] });
  const joined = join([sample(0), sample(5)], [sample(5), sample(12)]);
  expect(joined.map((it) => it.at)).toEqual([sample(5).at, sample(12).at]);
});
