// Where a page's lines come from: the end of the log and what is added to it, or some time in the
// past and what came after it, with older lines in front as they are asked for.

import { signal } from "@preact/signals";
import { asProblem, get } from "../api/client";
import type { LogChunk, Problem, Slot } from "../api/types";
import { follow } from "../live/live";
import { cutNewer, cutOlder } from "./together";
import { LogStore } from "./store";

/** So many lines a slot are there when the page opens, */
const FIRST = 1_000;
/** and so many older ones come at once. */
const OLDER = 1_000;

export type Mode =
  /** At the end, with what is added. */
  | "live"
  /** Somewhere before it. */
  | "past";

export class LogSource {
  readonly store = new LogStore();
  /** Counts up, at most once a frame, when the store has changed. */
  readonly revision = signal(0);
  readonly mode = signal<Mode>("live");
  readonly loading = signal(true);
  readonly problem = signal<Problem | undefined>(undefined);
  /** Whether older lines are on their way. */
  readonly older = signal<"idle" | "loading" | "none">("idle");

  private stops: (() => void)[] = [];
  /** From where on the lines of each slot are here. */
  private readonly begins = new Map<Slot, number>();
  private readonly exhausted = new Set<Slot>();
  private newer = false;
  private frame = 0;
  /** Counts up when something else is shown: an answer to what was asked before is dropped. */
  private turn = 0;

  constructor(
    private readonly app: string,
    private slots: readonly Slot[],
  ) {}

  /** Goes to the end, and follows. */
  async live(slots: readonly Slot[] = this.slots): Promise<void> {
    await this.show(slots, "live", async () => {
      const read = (slot: Slot) => this.read({ slot, lines: FIRST });
      const chunks = await Promise.all(slots.map(read));
      return cutOlder(chunks, () => false);
    });
  }

  /** Goes to a time. */
  async toTime(time: Date, slots: readonly Slot[] = this.slots): Promise<void> {
    await this.show(slots, "past", async () => {
      const since = time.toISOString();
      return cutNewer(await Promise.all(slots.map((slot) => this.read({ slot, since }))));
    });
  }

  /** Goes to a line of one slot, with what is before and after it. */
  async toLine(slot: Slot, at: number): Promise<void> {
    await this.show([slot], "past", async () => {
      const [before, after] = await Promise.all([this.before(slot, at), this.read({ slot, cursor: at })]);
      const gap = before.lines.length === 0 ? after.gap : before.gap;
      const lines = before.lines.concat(after.lines);
      return [{ slot, lines, cursor: after.cursor, ...(gap ? { gap } : {}) }];
    });
  }

  /** Loads what is before the first line, if there is room and anything is. */
  async loadOlder(): Promise<void> {
    if (this.older.peek() !== "idle" || this.loading.peek()) return;
    if (!this.store.roomBefore) return;
    const slots = this.slots.filter((it) => !this.exhausted.has(it) && this.begin(it) > 0);
    if (slots.length === 0) {
      this.older.value = "none";
      return;
    }
    this.older.value = "loading";
    const turn = this.turn;
    try {
      const chunks = await Promise.all(slots.map((it) => this.before(it, this.begin(it))));
      if (turn !== this.turn) return;
      const cut = cutOlder(chunks, (slot) => chunks.some((it) => it.slot === slot && it.cursor === 0));
      for (const [index, it] of chunks.entries()) {
        const lines = cut[index]?.lines ?? [];
        // The daemon's cursor is where the next page ends, and 0 where there is none.
        if (it.cursor === 0 && lines.length === it.lines.length) this.exhausted.add(it.slot);
        const first = lines[0]?.at ?? (it.lines.length === 0 ? it.cursor : undefined);
        if (first !== undefined) this.begins.set(it.slot, first);
      }
      this.store.prepend(cut);
      this.older.value = slots.every((it) => this.exhausted.has(it)) ? "none" : "idle";
      this.changed();
    } catch (error) {
      if (turn !== this.turn) return;
      this.problem.value = asProblem(error);
      this.older.value = "none";
    }
  }

  /** In the past: loads what comes after the last line, and goes on live where that is the end. */
  async loadNewer(): Promise<void> {
    if (this.mode.peek() !== "past" || this.newer || this.loading.peek()) return;
    this.newer = true;
    const turn = this.turn;
    try {
      const read = (slot: Slot) => this.read({ slot, cursor: this.store.cursor(slot) ?? 0 });
      const chunks = cutNewer(await Promise.all(this.slots.map(read)));
      if (turn !== this.turn) return;
      this.store.appendAll(chunks);
      if (chunks.every((it) => it.lines.length === 0)) {
        this.mode.value = "live";
        this.followAll();
      }
      this.changed();
    } catch (error) {
      if (turn === this.turn) this.problem.value = asProblem(error);
    } finally {
      this.newer = false;
    }
  }

  /** Stops following. */
  stop(): void {
    this.turn += 1;
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    for (const stop of this.stops) stop();
    this.stops = [];
  }

  /** Says that the store was changed from outside. */
  changed(): void {
    if (this.frame !== 0) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.revision.value += 1;
    });
  }

  private async show(slots: readonly Slot[], mode: Mode, ask: () => Promise<LogChunk[]>): Promise<void> {
    this.stop();
    const turn = this.turn;
    this.slots = slots;
    this.loading.value = true;
    this.problem.value = undefined;
    try {
      const chunks = await ask();
      if (turn !== this.turn) return;
      this.begins.clear();
      this.exhausted.clear();
      for (const it of chunks) this.begins.set(it.slot, it.lines[0]?.at ?? it.cursor);
      this.store.release();
      this.store.reset(chunks);
      this.mode.value = mode;
      this.older.value = "idle";
      if (mode === "live") this.followAll();
    } catch (error) {
      if (turn !== this.turn) return;
      this.problem.value = asProblem(error);
    }
    this.loading.value = false;
    this.changed();
  }

  private followAll(): void {
    for (const stop of this.stops) stop();
    this.stops = this.slots.map((slot) => {
      const topic = { app: this.app, slot, cursor: this.store.cursor(slot) ?? 0 };
      return follow({ kind: "log", topic }, (heard) => {
        if (heard.type === "log" && heard.app === this.app && heard.chunk.slot === slot) {
          this.store.append(heard.chunk);
          this.changed();
        } else if (heard.type === "lost") {
          this.problem.value = heard.problem;
        }
      });
    });
  }

  /** Where a slot's log begins here, also after lines were dropped at the top. */
  private begin(slot: Slot): number {
    return Math.max(this.begins.get(slot) ?? 0, this.store.begin(slot) ?? 0);
  }

  private read(query: { slot: Slot; lines?: number; cursor?: number; since?: string }): Promise<LogChunk> {
    return get("/v1/apps/{app}/logs", { path: { app: this.app }, query });
  }

  private before(slot: Slot, before: number): Promise<LogChunk> {
    const query = { slot, before, limit: OLDER };
    return get("/v1/apps/{app}/logs/search", { path: { app: this.app }, query });
  }
}
