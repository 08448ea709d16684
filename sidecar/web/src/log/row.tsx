// A line as it is drawn. Its text only ever becomes text nodes.

import { memo } from "./memo";
import { places } from "./finder";
import { type Span, classes, parse } from "./sgr";
import type { Item, Line } from "./store";
import { bytes } from "../ui/format";

/** More of a line is not drawn: it is there in what is downloaded and copied. */
export const CLIP = 4_000;

interface Props {
  readonly item: Item;
  readonly number: number;
  /** Whether its slot is named, because lines of both are shown. */
  readonly named: boolean;
  readonly wanted: RegExp | undefined;
  readonly current: boolean;
  readonly selected: boolean;
}

export const Row = memo(function Row({ item, number, named, wanted, current, selected }: Props) {
  if (item.kind === "gap") {
    return (
      <div class="log-row log-gap" data-number={number}>
        <span class="log-text">
          {bytes(item.bytes)} of {item.slot}'s log are no longer kept
        </span>
      </div>
    );
  }
  const level = item.level === undefined ? "" : ` log-${item.level}`;
  const state = (current ? " log-current" : "") + (selected ? " log-selected" : "");
  return (
    <div class={`log-row${level}${state}`} data-number={number}>
      {named && (
        <span class={`log-slot slot-${item.slot}`} title={item.slot}>
          {item.slot === "blue" ? "B" : "G"}
        </span>
      )}
      <span class="log-text">{pieces(item, wanted)}</span>
    </div>
  );
});

/** The text that is drawn of a line. */
export function drawn(line: Line): string {
  return line.text.length > CLIP ? line.text.slice(0, CLIP) : line.text;
}

function pieces(line: Line, wanted: RegExp | undefined) {
  const spans = marked(parse(drawn(line), line.style).spans, wanted);
  const drawnPieces = spans.map((it, index) =>
    it.hit ? (
      <mark key={index} class={classes(it.style)}>
        {it.text}
      </mark>
    ) : it.style === 0 ? (
      it.text
    ) : (
      <span key={index} class={classes(it.style)}>
        {it.text}
      </span>
    ),
  );
  const more = line.text.length - CLIP;
  if (more <= 0) return drawnPieces;
  return [
    ...drawnPieces,
    <em key="more" class="log-more">
      {" "}
      … {more.toLocaleString()} more characters
    </em>,
  ];
}

interface Piece extends Span {
  readonly hit: boolean;
}

/** Spans, cut where matches begin and end: a match may reach over several colours. */
export function marked(spans: readonly Span[], wanted: RegExp | undefined): Piece[] {
  if (wanted === undefined) return spans.map((it) => ({ ...it, hit: false }));
  const found = places(spans.map((it) => it.text).join(""), wanted);
  const cut: Piece[] = [];
  let begin = 0;
  let next = 0;
  for (const { text, style } of spans) {
    let from = 0;
    while (from < text.length) {
      while (next < found.length && (found[next]?.[1] ?? 0) <= begin + from) next += 1;
      const [start, end] = found[next] ?? [Infinity, Infinity];
      const hit = start <= begin + from;
      const to = Math.min(text.length, (hit ? end : start) - begin);
      cut.push({ text: text.slice(from, to), style, hit });
      from = to;
    }
    begin += text.length;
  }
  return cut;
}
