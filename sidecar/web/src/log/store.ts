// The lines that a page has of one or both slots, in the order in which they are shown.
//
// Lines have numbers that never change while they are here: dropping at the top leaves the others'
// as they are, and older ones in front of them count down. What is shown is what passes the filter.
// While the store is held, new lines wait aside, so that nothing moves under a reader.

import type { LogChunk, LogLine, Slot } from "../api/types";
import { type Level, LEVELS, guess, when } from "./line";
import { PLAIN, parse } from "./sgr";

/** A line. */
export interface Line {
  readonly kind: "line";
  readonly slot: Slot;
  readonly at: number;
  readonly text: string;
  /** The style that it begins in. */
  readonly style: number;
  /** What it says itself, or the line before it did: a stack trace is as grave as its first line. */
  readonly level: Level | undefined;
}

/** Bytes that are no longer kept. */
export interface Gap {
  readonly kind: "gap";
  readonly slot: Slot;
  readonly at: number;
  readonly bytes: number;
}

export type Item = Line | Gap;

/** What is shown. */
export interface Filter {
  readonly slot: Slot | undefined;
  /** This level and graver ones; lines of no level pass only where it is absent. */
  readonly level: Level | undefined;
  /** Only lines with this in them. */
  readonly text: RegExp | undefined;
}

/** No more lines than this are here, */
export const MOST_LINES = 100_000;
/** nor more characters: what is drawn of them has to fit the height that a browser can scroll. */
export const MOST_CHARACTERS = 24_000_000;

const NOTHING: Filter = { slot: undefined, level: undefined, text: undefined };

export class LogStore {
  /** The number of the first of `shown`. */
  first = 0;
  /** What passes the filter, oldest first. */
  shown: Item[] = [];
  /** Counts up with each change. */
  revision = 0;
  /** Counts up where numbers mean other lines than before. */
  epoch = 0;
  /** How many lines were added at the end, ever. */
  added = 0;

  private all: Item[] = [];
  private waiting: Item[] = [];
  private held = false;
  private characters = 0;
  private filter = NOTHING;
  private readonly style = new Map<Slot, number>();
  private readonly level = new Map<Slot, Level | undefined>();
  private readonly cursors = new Map<Slot, number>();

  constructor(
    private readonly mostLines = MOST_LINES,
    private readonly mostCharacters = MOST_CHARACTERS,
  ) {}

  /** Where a slot's log goes on after what is here. */
  cursor(slot: Slot): number | undefined {
    return this.cursors.get(slot);
  }

  /** Where a slot's log begins here. */
  begin(slot: Slot): number | undefined {
    return this.all.find((it) => it.slot === slot)?.at;
  }

  /** How many lines are here, shown or not. */
  get size(): number {
    return this.all.length;
  }

  /** How many new lines wait until the store is released. */
  get aside(): number {
    return this.waiting.length;
  }

  /** Begins anew, with chunks of one or both slots. */
  reset(chunks: readonly LogChunk[]): void {
    this.all = [];
    this.waiting = [];
    this.characters = 0;
    this.style.clear();
    this.level.clear();
    this.cursors.clear();
    this.first = 0;
    this.epoch += 1;
    this.shown = [];
    this.put(merge(chunks.map((it) => this.items(it))));
  }

  /** Adds what came: lines that are here already are left out. */
  append(chunk: LogChunk): void {
    this.appendAll([chunk]);
  }

  /** The same of both slots at once, in the order of their times. */
  appendAll(chunks: readonly LogChunk[]): void {
    const items = merge(chunks.map((it) => this.items(it)));
    if (this.held) {
      for (const item of items) this.waiting.push(item);
      const over = this.waiting.length - this.mostLines;
      if (over > 0) this.waiting = [...lost(this.waiting.slice(0, over)), ...this.waiting.slice(over)];
      this.revision += 1;
      return;
    }
    this.put(items);
  }

  /** Puts older lines in front; as many as there is room for. */
  prepend(chunks: readonly LogChunk[]): void {
    const older = chunks.map((chunk) => {
      const begin = this.begin(chunk.slot) ?? Infinity;
      let level: Level | undefined;
      return chunk.lines
        .filter((line) => line.at < begin)
        .map((line): Item => {
          level = guess(line.text) ?? level;
          return { kind: "line", slot: chunk.slot, at: line.at, text: line.text, style: PLAIN, level };
        });
    });
    const room = Math.max(0, this.mostLines - this.all.length);
    const merged = merge(older);
    const items = merged.slice(Math.max(0, merged.length - room));
    for (const item of items) this.characters += length(item);
    this.all = items.concat(this.all);
    const shown = items.filter((it) => this.passes(it));
    this.shown = shown.concat(this.shown);
    this.first -= shown.length;
    this.revision += 1;
  }

  /** Whether older lines would find room. */
  get roomBefore(): boolean {
    return this.all.length < this.mostLines && this.characters < this.mostCharacters;
  }

  /** Shows what passes, and nothing else. */
  setFilter(filter: Filter): void {
    this.filter = filter;
    this.shown = this.all.filter((it) => this.passes(it));
    this.first = 0;
    this.epoch += 1;
    this.revision += 1;
  }

  /** Keeps new lines aside. */
  hold(): void {
    this.held = true;
  }

  /** Shows those that waited, and new ones as they come. */
  release(): void {
    this.held = false;
    const items = this.waiting;
    this.waiting = [];
    this.put(items);
  }

  /** Where a line is in `shown`: at that offset, or the last before it. */
  find(slot: Slot, at: number): number | undefined {
    let found: number | undefined;
    for (let index = 0; index < this.shown.length; index += 1) {
      const item = this.shown[index];
      if (item === undefined || item.slot !== slot || item.kind !== "line") continue;
      if (item.at > at) break;
      found = index;
    }
    return found;
  }

  private passes(item: Item): boolean {
    const { slot, level, text } = this.filter;
    if (slot !== undefined && item.slot !== slot) return false;
    if (item.kind === "gap") return true;
    if (level !== undefined) {
      const own = item.level === undefined ? -1 : LEVELS.indexOf(item.level);
      if (own < LEVELS.indexOf(level)) return false;
    }
    return text === undefined || text.test(item.text);
  }

  /** The new ones of a chunk, and what their slot goes on with. */
  private items(chunk: LogChunk): Item[] {
    const { slot } = chunk;
    const from = this.cursors.get(slot) ?? 0;
    const items: Item[] = [];
    const gap = chunk.gap ?? 0;
    const first = chunk.lines[0]?.at ?? chunk.cursor;
    if (gap > 0 && first > from) items.push({ kind: "gap", slot, at: first - gap, bytes: gap });
    for (const line of chunk.lines) {
      if (line.at >= from) items.push(this.line(slot, line));
    }
    this.cursors.set(slot, Math.max(from, chunk.cursor));
    return items;
  }

  private line(slot: Slot, line: LogLine): Line {
    const style = this.style.get(slot) ?? PLAIN;
    if (style !== PLAIN || line.text.includes("\x1b") || line.text.includes("\x9b")) {
      this.style.set(slot, parse(line.text, style).end);
    }
    const level = guess(line.text) ?? this.level.get(slot);
    this.level.set(slot, level);
    return { kind: "line", slot, at: line.at, text: line.text, style, level };
  }

  private put(items: readonly Item[]): void {
    for (const item of items) {
      this.all.push(item);
      this.characters += length(item);
      if (this.passes(item)) this.shown.push(item);
    }
    this.added += items.length;
    this.drop();
    this.revision += 1;
  }

  /** Drops what is too much, a tenth at once so that it is seldom done. */
  private drop(): void {
    if (this.all.length <= this.mostLines && this.characters <= this.mostCharacters) return;
    const lines = this.mostLines * 0.9;
    const characters = this.mostCharacters * 0.9;
    let count = 0;
    let gone = 0;
    while (this.all.length - count > lines || this.characters > characters) {
      const item = this.all[count];
      if (item === undefined) break;
      this.characters -= length(item);
      if (this.shown[gone] === item) gone += 1;
      count += 1;
    }
    this.all.splice(0, count);
    this.shown.splice(0, gone);
    this.first += gone;
  }
}

function length(item: Item): number {
  return item.kind === "line" ? item.text.length : 0;
}

/** What says of lines that waited too long that they were left out. */
function lost(items: readonly Item[]): Gap[] {
  const bytes = new Map<Slot, Gap>();
  for (const item of items) {
    const before = bytes.get(item.slot);
    const size = item.kind === "gap" ? item.bytes : item.text.length + 1;
    bytes.set(item.slot, {
      kind: "gap",
      slot: item.slot,
      at: before?.at ?? item.at,
      bytes: (before?.bytes ?? 0) + size,
    });
  }
  return [...bytes.values()];
}

/** Lines of both slots by the time at their beginning; those without go with the line before. */
function merge(lists: readonly Item[][]): Item[] {
  const [a, b] = lists.filter((it) => it.length > 0);
  if (a === undefined) return [];
  if (b === undefined) return a;
  const merged: Item[] = [];
  const times = [timed(a), timed(b)] as const;
  let [i, j] = [0, 0];
  while (i < a.length && j < b.length) {
    const next = (times[0][i] ?? 0) <= (times[1][j] ?? 0) ? a[i++] : b[j++];
    if (next !== undefined) merged.push(next);
  }
  return merged.concat(a.slice(i), b.slice(j));
}

function timed(items: readonly Item[]): number[] {
  let last = 0;
  return items.map((it) => {
    last = Math.max(last, (it.kind === "line" ? when(it.text) : undefined) ?? last);
    return last;
  });
}
