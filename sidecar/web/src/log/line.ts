// What is known of a line by its text alone: its level and its time.

/** How grave a line says it is; `debug` least. */
export type Level = "debug" | "info" | "warning" | "error";

/** Every level, the least grave first. */
export const LEVELS: readonly Level[] = ["debug", "info", "warning", "error"];

const WORDS: Record<string, Level> = {
  debug: "debug",
  trace: "debug",
  info: "info",
  notice: "info",
  warn: "warning",
  warning: "warning",
  error: "error",
  err: "error",
  critical: "error",
  crit: "error",
  alert: "error",
  emergency: "error",
  emerg: "error",
  fatal: "error",
};

const WORD = Object.keys(WORDS).join("|");
/** `[error]`, `level=error`, `"level":"error"`. */
const NAMED = new RegExp(`\\[(${WORD})\\]|\\b(?:level|severity)"?[=:]\\s*"?(${WORD})\\b`, "i");
/** `ERROR` near the beginning: shouting alone, as "an error" in a sentence is no level. */
const SHOUTED = new RegExp(`^.{0,40}?\\b(${WORD.toUpperCase()})\\b`);

/** The level that a line names; absent where it names none, as in the second line of a message. */
export function guess(text: string): Level | undefined {
  const head = text.length > 300 ? text.slice(0, 300) : text;
  const named = NAMED.exec(head);
  const word = named?.[1] ?? named?.[2] ?? SHOUTED.exec(head)?.[1];
  return word === undefined ? undefined : WORDS[word.toLowerCase()];
}

const DAY = /^\W{0,2}(?:(\d{4}-\d\d-\d\d)[T ])?(\d\d):(\d\d):(\d\d)(?:[.,](\d{1,6}))?(Z|[+-]\d\d:?\d\d)?/;

/**
 * A number by which lines of two slots are put in order: the time at a line's beginning. Both slots
 * write in the same zone, so that what it means need not be known.
 */
export function when(text: string): number | undefined {
  const found = DAY.exec(text);
  if (found === null) return undefined;
  const [, date, hours, minutes, seconds, fraction] = found;
  const day = date === undefined ? 0 : Date.parse(`${date}T00:00:00Z`);
  const time = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
  return day + time * 1000 + Number(`0.${fraction ?? "0"}`) * 1000;
}
