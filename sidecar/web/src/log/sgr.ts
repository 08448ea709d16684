// What a program printed, as text with colours: of all escape sequences only SGR is understood, and
// of it only what has a class in `log.css`. Everything else that a terminal would obey is dropped.
//
// A style is one number, so that a hundred thousand lines remember cheaply what they begin with:
// five bits of foreground, five of background (0 is none, 1 to 16 the sixteen colours), then flags.

/** Text in one style. */
export interface Span {
  readonly text: string;
  readonly style: number;
}

/** The style of text that nothing was said about. */
export const PLAIN = 0;

const BACKGROUND = 5;
const FLAGS = 10;
const FIVE = 0b11111;
const BOLD = 1 << FLAGS;
const DIM = 2 << FLAGS;
const ITALIC = 4 << FLAGS;
const UNDERLINE = 8 << FLAGS;
const STRIKE = 16 << FLAGS;
const INVERSE = 32 << FLAGS;

/**
 * Whatever is not text: control sequences with their final byte (kept apart, as only `m` counts),
 * strings for the terminal (OSC, DCS, SOS, PM, APC) where they end on the same line, other escapes,
 * and lone control characters. A string that never ends loses only its beginning, so that no
 * program hides the rest of a line.
 */
const SEQUENCE = new RegExp(
  [
    "(?:\\x1b\\[|\\x9b)([0-?]*)[ -/]*([@-~])?",
    "(?:\\x1b[\\]PX^_]|[\\x90\\x98\\x9d-\\x9f])[^\\x07\\x1b\\x9c]*(?:\\x07|\\x1b\\\\|\\x9c)",
    "\\x1b[\\]PX^_]",
    "\\x1b[ -/]*[0-~]?",
    "[\\x00-\\x08\\x0a-\\x1f\\x7f-\\x9f]",
  ].join("|"),
  "g",
);

/** Characters that would turn the text around that is beside them. */
const TURNING = /[\u202a-\u202e\u2066-\u2069]/g;

/** What of a text is worth a look for escape sequences or turning characters. */
const SPECIAL = /[\x00-\x08\x0a-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/;

/** A line's spans, and the style that the next line begins with. */
export interface Parsed {
  readonly spans: readonly Span[];
  readonly end: number;
}

/** Reads a line that begins in a style. */
export function parse(text: string, start: number = PLAIN): Parsed {
  if (!SPECIAL.test(text)) {
    return { spans: text === "" ? [] : [{ text, style: start }], end: start };
  }
  const spans: Span[] = [];
  let style = start;
  let from = 0;
  const add = (to: number) => {
    if (to <= from) return;
    const part = text.slice(from, to).replace(TURNING, "\ufffd");
    const last = spans[spans.length - 1];
    if (last !== undefined && last.style === style) {
      spans[spans.length - 1] = { text: last.text + part, style };
    } else {
      spans.push({ text: part, style });
    }
  };
  for (const found of text.matchAll(SEQUENCE)) {
    add(found.index);
    from = found.index + found[0].length;
    if (found[2] === "m") style = after(style, found[1] ?? "");
  }
  add(text.length);
  return { spans, end: style };
}

/** The text alone, as it is searched and copied. */
export function plain(text: string): string {
  if (!SPECIAL.test(text)) return text;
  return text.replace(SEQUENCE, "").replace(TURNING, "\ufffd");
}

/** The style after an SGR sequence with these parameters. */
function after(style: number, params: string): number {
  // A private sequence (`\e[>4;2m` sets keyboard modes) has nothing to do with colours.
  if (/[<=>?]/.test(params)) return style;
  const codes = params.split(";").map((it) => it.split(":").map((part) => Number(part || "0")));
  let now = style;
  for (let at = 0; at < codes.length; at += 1) {
    const parts = codes[at] ?? [0];
    const code = parts[0] ?? 0;
    if (code === 38 || code === 48 || code === 58) {
      const [colour, used] = extended(parts, codes, at);
      at += used;
      if (code === 38) now = foreground(now, colour);
      if (code === 48) now = background(now, colour);
    } else {
      now = simple(now, code, parts[1]);
    }
  }
  return now;
}

function simple(style: number, code: number, sub: number | undefined): number {
  if (code >= 30 && code <= 37) return foreground(style, code - 29);
  if (code >= 90 && code <= 97) return foreground(style, code - 81);
  if (code >= 40 && code <= 47) return background(style, code - 39);
  if (code >= 100 && code <= 107) return background(style, code - 91);
  switch (code) {
    case 0:
      return PLAIN;
    case 1:
      return style | BOLD;
    case 2:
      return style | DIM;
    case 3:
      return style | ITALIC;
    case 4:
      return sub === 0 ? style & ~UNDERLINE : style | UNDERLINE;
    case 7:
      return style | INVERSE;
    case 9:
      return style | STRIKE;
    case 21:
    case 22:
      return style & ~(BOLD | DIM);
    case 23:
      return style & ~ITALIC;
    case 24:
      return style & ~UNDERLINE;
    case 27:
      return style & ~INVERSE;
    case 29:
      return style & ~STRIKE;
    case 39:
      return foreground(style, 0);
    case 49:
      return background(style, 0);
    default:
      return style;
  }
}

function foreground(style: number, colour: number): number {
  return (style & ~FIVE) | colour;
}

function background(style: number, colour: number): number {
  return (style & ~(FIVE << BACKGROUND)) | (colour << BACKGROUND);
}

/** An extended colour, `38;5;N` or `38;2;R;G;B` or with colons, and how many codes it took more. */
function extended(
  parts: readonly number[],
  codes: readonly (readonly number[])[],
  at: number,
): [number, number] {
  if (parts.length > 1) {
    const rgb = parts.slice(-3);
    return [parts[1] === 5 ? indexed(parts[2] ?? 0) : nearest(rgb), 0];
  }
  const one = (offset: number) => codes[at + offset]?.[0] ?? 0;
  if (one(1) === 5) return [indexed(one(2)), 2];
  if (one(1) === 2) return [nearest([one(2), one(3), one(4)]), 4];
  return [0, codes.length];
}

/** One of the 256 colours. */
function indexed(index: number): number {
  if (index < 16) return index + 1;
  if (index >= 232) {
    const grey = 8 + (index - 232) * 10;
    return nearest([grey, grey, grey]);
  }
  const level = (it: number) => (it === 0 ? 0 : 55 + it * 40);
  const cube = index - 16;
  return nearest([
    level(Math.floor(cube / 36) % 6),
    level(Math.floor(cube / 6) % 6),
    level(cube % 6),
  ]);
}

/** The sixteen colours as terminals have them, by which others find theirs. */
const SIXTEEN = [
  0x000000, 0xcd0000, 0x00cd00, 0xcdcd00, 0x0000ee, 0xcd00cd, 0x00cdcd, 0xe5e5e5, 0x7f7f7f, 0xff0000,
  0x00ff00, 0xffff00, 0x5c5cff, 0xff00ff, 0x00ffff, 0xffffff,
];

/** The nearest of the sixteen: those are legible in both themes, which any colour is not. */
function nearest(rgb: readonly number[]): number {
  let best = 0;
  let least = Infinity;
  SIXTEEN.forEach((colour, index) => {
    const away =
      ((colour >> 16) - (rgb[0] ?? 0)) ** 2 +
      (((colour >> 8) & 255) - (rgb[1] ?? 0)) ** 2 +
      ((colour & 255) - (rgb[2] ?? 0)) ** 2;
    if (away < least) [best, least] = [index, away];
  });
  return best + 1;
}

const names = new Map<number, string>();

/** The classes of a style, as `log.css` has them. */
export function classes(style: number): string {
  const known = names.get(style);
  if (known !== undefined) return known;
  let fore = style & FIVE;
  let back = (style >> BACKGROUND) & FIVE;
  const list: string[] = [];
  if (style & INVERSE) {
    [fore, back] = [back, fore];
    if (fore === 0 && back === 0) list.push("sgr-inverse");
    else if (fore === 0) list.push("sgr-f-page");
  }
  if (fore > 0) list.push(`sgr-f${fore - 1}`);
  if (back > 0) list.push(`sgr-b${back - 1}`);
  if (style & BOLD) list.push("sgr-bold");
  if (style & DIM) list.push("sgr-dim");
  if (style & ITALIC) list.push("sgr-italic");
  if (style & UNDERLINE) list.push("sgr-underline");
  if (style & STRIKE) list.push("sgr-strike");
  const text = list.join(" ");
  names.set(style, text);
  return text;
}
