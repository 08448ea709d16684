// Pages of two slots' logs, cut so that they cover the same time: the same number of lines may be a
// minute of one and a week of the other, and what lies beyond the shorter one comes with its next.

import type { LogChunk, LogLine, Slot } from "../api/types";
import { when } from "./line";

/** Times without a date mean nothing beside those of another day: with them nothing is cut. */
const DATED = 1e11;

function time(line: LogLine): number | undefined {
  const at = when(line.text);
  return at !== undefined && at > DATED ? at : undefined;
}

function firstTime(lines: readonly LogLine[]): number | undefined {
  for (const line of lines) {
    const at = time(line);
    if (at !== undefined) return at;
  }
  return undefined;
}

function lastTime(lines: readonly LogLine[]): number | undefined {
  for (let index = lines.length - 1; index >= 0; index -= 1) {
    const line = lines[index];
    const at = line && time(line);
    if (at !== undefined) return at;
  }
  return undefined;
}

/** Without what is before the beginning of a page that has more before it. */
export function cutOlder(chunks: readonly LogChunk[], whole: (slot: Slot) => boolean): LogChunk[] {
  if (chunks.length < 2) return [...chunks];
  const begins = chunks
    .filter((it) => !whole(it.slot) && (it.lines[0]?.at ?? 0) > 0)
    .map((it) => firstTime(it.lines) ?? -Infinity);
  const from = Math.max(-Infinity, ...begins);
  return chunks.map((it) => {
    const first = it.lines.findIndex((line) => (time(line) ?? -Infinity) >= from);
    if (from === -Infinity || firstTime(it.lines) === undefined || firstTime(it.lines) === from) return it;
    if (first === 0) return it;
    const { gap: _, ...rest } = it;
    return { ...rest, lines: first < 0 ? [] : it.lines.slice(first) };
  });
}

/** Without what is after the end of a page that ends first. */
export function cutNewer(chunks: readonly LogChunk[]): LogChunk[] {
  const ends = chunks.filter((it) => it.lines.length > 0).map((it) => lastTime(it.lines) ?? Infinity);
  if (ends.length < 2) return [...chunks];
  const to = Math.min(...ends);
  return chunks.map((it) => {
    const beyond = it.lines.findIndex((line) => (time(line) ?? -Infinity) > to);
    const cursor = it.lines[beyond]?.at;
    if (beyond <= 0 || cursor === undefined) return beyond === 0 ? { ...it, lines: [], cursor: it.lines[0]?.at ?? it.cursor } : it;
    return { ...it, lines: it.lines.slice(0, beyond), cursor };
  });
}
