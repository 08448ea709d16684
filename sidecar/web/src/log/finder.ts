// Which of the shown lines have the text that is searched, found in short turns.

import { plain } from "./sgr";
import type { LogStore } from "./store";

/** So many lines are looked at in one turn: a few milliseconds' worth. */
const TURN = 5_000;
/** No more matches than this are counted. */
export const MOST_MATCHES = 20_000;

/** What a person typed, as they meant it: as it is, in either case. */
export function pattern(text: string, flags = "giu"): RegExp | undefined {
  if (text === "") return undefined;
  return new RegExp(text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&").replace(/\\-/g, "\\x2d"), flags);
}

/** Where a pattern is in a text: begin and end of each. */
export function places(text: string, wanted: RegExp): [number, number][] {
  const found: [number, number][] = [];
  for (const match of text.matchAll(wanted)) {
    if (match[0] === "") break;
    found.push([match.index, match.index + match[0].length]);
    if (found.length >= 500) break;
  }
  return found;
}

export class Finder {
  /** Numbers of lines that match, ascending. */
  matches: number[] = [];
  private scanned = 0;
  private begin = 0;
  private epoch = -1;

  constructor(
    private readonly store: LogStore,
    readonly wanted: RegExp,
  ) {}

  /** Looks at some more lines; true where there are none left. */
  turn(most = TURN): boolean {
    const { store } = this;
    if (this.epoch !== store.epoch) {
      this.epoch = store.epoch;
      this.matches = [];
      this.begin = this.scanned = store.first;
    }
    const once = new RegExp(this.wanted.source, this.wanted.flags.replace("g", ""));
    let left = most;
    if (store.first < this.begin) {
      // Older lines came in front: from the newest of them backwards.
      const older: number[] = [];
      while (this.begin > store.first && left > 0) {
        this.begin -= 1;
        left -= 1;
        if (this.tests(this.begin, once)) older.push(this.begin);
      }
      this.matches = older.reverse().concat(this.matches);
    } else if (store.first > this.begin) {
      this.begin = store.first;
      const kept = this.matches.findIndex((it) => it >= store.first);
      this.matches = kept < 0 ? [] : this.matches.slice(kept);
      this.scanned = Math.max(this.scanned, store.first);
    }
    const end = store.first + store.shown.length;
    while (this.scanned < end && left > 0) {
      if (this.tests(this.scanned, once)) this.matches.push(this.scanned);
      this.scanned += 1;
      left -= 1;
    }
    if (this.matches.length > MOST_MATCHES) this.matches.splice(0, this.matches.length - MOST_MATCHES);
    return this.scanned >= end && this.begin <= store.first;
  }

  private tests(number: number, once: RegExp): boolean {
    const item = this.store.shown[number - this.store.first];
    return item?.kind === "line" && once.test(plain(item.text));
  }
}
