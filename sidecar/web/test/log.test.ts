import { describe, expect, it } from "vitest";
import type { LogChunk, Slot } from "../src/api/types";
import { Finder, pattern, places } from "../src/log/finder";
import { Heights, rowsOf } from "../src/log/heights";
import { guess } from "../src/log/line";
import { classes, parse, plain } from "../src/log/sgr";
import { type Item, LogStore } from "../src/log/store";

const shown = (text: string) => parse(text).spans.map((it) => [it.text, classes(it.style)]);

describe("escape sequences", () => {
  it("become classes where they are colours", () => {
    expect(shown("\x1b[31mred\x1b[1;44m bold\x1b[0m plain")).toEqual([
      ["red", "sgr-f1"],
      [" bold", "sgr-f1 sgr-b4 sgr-bold"],
      [" plain", ""],
    ]);
  });

  it("find the nearest of sixteen colours where there are more", () => {
    expect(shown("\x1b[38;5;9ma\x1b[38;2;250;5;5mb\x1b[38:2::0:0:0mc\x1b[48;5;21md")).toEqual([
      ["ab", "sgr-f9"],
      ["c", "sgr-f0"],
      ["d", "sgr-f0 sgr-b4"],
    ]);
  });

  it("go on in the next line until they are reset", () => {
    const first = parse("\x1b[33m** (RuntimeError) no");
    expect(classes(parse("    at shop.ex:12", first.end).spans[0]?.style ?? 0)).toBe("sgr-f3");
  });

  it("are dropped where a terminal would do anything but colour with them", () => {
    const hostile = [
      "\x1b]0;title\x07", "\x1b]52;c;aGk=\x1b\\", "\x1b[2J", "\x1b[10;10H", "\x1b[?1049h", "\x1bc",
      "\x1b(0", "\x1bP1$r\x1b\\", "\x9b31m", "\x9d8;;http://x\x9c", "\x07", "\b", "\r", "\x1b[>4;2m", "\x7f",
    ];
    for (const sequence of hostile) {
      expect(plain(`a${sequence}b`), JSON.stringify(sequence)).toBe("ab");
      expect(parse(`a${sequence}b`).spans.map((it) => it.text).join("")).toBe("ab");
    }
  });

  it("hide nothing by never ending, and leave no control character behind", () => {
    expect(plain("a\x1b]0;rest of the line")).toBe("a0;rest of the line");
    expect(plain("end\x1b")).toBe("end");
    expect(plain("end\x1b[31")).toBe("end");
    expect(plain("abc\u202edcba")).toBe("abc\ufffddcba");
    for (let code = 0; code < 0xa0; code += 1) {
      const text = plain(`x${String.fromCharCode(code)}y`);
      expect(text).not.toMatch(/[\x00-\x08\x0a-\x1f\x7f-\x9f]/);
    }
  });

  it("take no time that grows faster than the line", () => {
    const began = performance.now();
    for (const part of ["\x1b]", "\x1b[", "\x1b", "\x1b[1;", "\x9d\x1b", "[error] "]) {
      parse(part.repeat(50_000));
      guess(part.repeat(50_000));
    }
    expect(performance.now() - began).toBeLessThan(5_000);
  });
});

describe("a line's level", () => {
  it("is what loggers write", () => {
    expect(guess("12:00:00.123 [error] GenServer terminating")).toBe("error");
    expect(guess("time=1 level=warning msg=hi")).toBe("warning");
    expect(guess('{"level":"debug","msg":"x"}')).toBe("debug");
    expect(guess("2026-11-30 12:00:00 INFO started")).toBe("info");
  });

  it("is not a word in a sentence", () => {
    expect(guess("there was an error in the report")).toBeUndefined();
    expect(guess("** (RuntimeError) no")).toBeUndefined();
  });
});

function chunk(slot: Slot, from: number, texts: string[], gap?: number): LogChunk {
  let at = from;
  const lines = texts.map((text) => {
    const line = { at, text };
    at += text.length + 1;
    return line;
  });
  return gap === undefined ? { slot, lines, cursor: at } : { slot, lines, cursor: at, gap };
}
const texts = (items: readonly Item[]) =>
  items.map((it) => (it.kind === "line" ? it.text : `-${it.bytes}-`));

describe("the store of a log", () => {
  it("leaves out what it has when a stream begins again", () => {
    const store = new LogStore();
    store.reset([chunk("blue", 0, ["a", "b"])]);
    store.append(chunk("blue", 2, ["b", "c"]));
    expect(texts(store.shown)).toEqual(["a", "b", "c"]);
    expect(store.cursor("blue")).toBe(6);
  });

  it("says how much is no longer kept", () => {
    const store = new LogStore();
    store.reset([chunk("blue", 0, ["a"])]);
    store.append(chunk("blue", 1002, ["b"], 1000));
    expect(texts(store.shown)).toEqual(["a", "-1000-", "b"]);
  });

  it("puts the lines of two slots in the order of their times", () => {
    const store = new LogStore();
    store.reset([
      chunk("blue", 0, ["10:00:01 a", "  more of a", "10:00:05 c"]),
      chunk("green", 0, ["10:00:03 b", "10:00:06 d"]),
    ]);
    expect(texts(store.shown)).toEqual([
      "10:00:01 a", "  more of a", "10:00:03 b", "10:00:05 c", "10:00:06 d",
    ]);
  });

  it("drops the oldest at its bound, and every other line keeps its number", () => {
    const store = new LogStore(100);
    store.reset([chunk("blue", 0, Array.from({ length: 100 }, (_, it) => `line ${it}`))]);
    expect(store.first).toBe(0);
    const before = store.shown[60 - store.first];
    store.append(chunk("blue", store.cursor("blue") ?? 0, ["one more"]));
    expect(store.size).toBe(90);
    expect(store.first).toBe(11);
    expect(store.shown[60 - store.first]).toBe(before);
  });

  it("shows nothing new while it is held, and all of it afterwards", () => {
    const store = new LogStore();
    store.reset([chunk("blue", 0, ["a"])]);
    store.hold();
    store.append(chunk("blue", 2, ["b", "c"]));
    expect([texts(store.shown), store.aside]).toEqual([["a"], 2]);
    store.release();
    expect([texts(store.shown), store.aside]).toEqual([["a", "b", "c"], 0]);
  });

  it("says what waited too long while it was held", () => {
    const store = new LogStore(10);
    store.hold();
    store.append(chunk("blue", 0, Array.from({ length: 12 }, (_, it) => `${it}x`.padStart(3, "0"))));
    store.release();
    expect(texts(store.shown)[0]).toMatch(/^-\d+-$|^0/);
    expect(texts(store.shown).at(-1)).toBe("11x");
  });

  it("puts older lines in front with numbers that count down", () => {
    const store = new LogStore();
    store.reset([chunk("blue", 10, ["c", "d"])]);
    store.prepend([chunk("blue", 6, ["a", "b", "c"])]);
    expect(texts(store.shown)).toEqual(["a", "b", "c", "d"]);
    expect(store.first).toBe(-2);
  });

  it("filters by slot, level and text, and a stack trace is as grave as its first line", () => {
    const store = new LogStore();
    store.reset([chunk("blue", 0, ["[info] fine", "[error] bad", "  at shop.ex:1", "[debug] x"])]);
    store.setFilter({ slot: undefined, level: "warning", text: undefined });
    expect(texts(store.shown)).toEqual(["[error] bad", "  at shop.ex:1"]);
    store.append(chunk("blue", store.cursor("blue") ?? 0, ["[info] no", "[warning] yes"]));
    expect(texts(store.shown).at(-1)).toBe("[warning] yes");
    store.setFilter({ slot: "green", level: undefined, text: undefined });
    expect(store.shown).toEqual([]);
  });
});

describe("the search", () => {
  it("takes what was typed as it is", () => {
    const wanted = pattern("a.b*[");
    expect(wanted && places("xA.B*[ y a.b*[", wanted)).toEqual([[1, 6], [9, 14]]);
  });

  it("counts what came, went and was older meanwhile", () => {
    const store = new LogStore(100);
    store.reset([chunk("blue", 1000, ["hit", "miss", "hit"])]);
    const finder = new Finder(store, pattern("hit") ?? /x/);
    expect(finder.turn()).toBe(true);
    expect(finder.matches).toEqual([0, 2]);
    store.append(chunk("blue", store.cursor("blue") ?? 0, ["hit"]));
    store.prepend([chunk("blue", 900, ["hit", "miss"])]);
    while (!finder.turn(1));
    expect(finder.matches).toEqual([-2, 0, 2, 3]);
  });
});

describe("heights of lines", () => {
  it("say which line is at which row, also after lines went and guesses were put right", () => {
    const heights = new Heights();
    const rows = Array.from({ length: 5_000 }, (_, it) => 1 + (it % 3));
    rows.forEach((it) => heights.push(it));
    expect(heights.total).toBe(rows.reduce((sum, it) => sum + it, 0));
    heights.shift(3_000);
    for (let more = 0; more < 5_000; more += 1) heights.push(1);
    expect(heights.count).toBe(7_000);
    expect(heights.correct(new Map([[10, 7]]))).toBe(true);
    for (const index of [0, 9, 10, 11, 6_999]) {
      expect(heights.at(heights.top(index))).toBe(index);
    }
    expect(heights.top(11) - heights.top(10)).toBe(7);
    expect(heights.at(heights.total + 10)).toBe(6_999);
  });

  it("are what a text takes in so many columns", () => {
    expect(rowsOf("", 10)).toBe(1);
    expect(rowsOf("x".repeat(21), 10)).toBe(3);
    expect(rowsOf("漢".repeat(5), 9)).toBe(2);
  });
});
