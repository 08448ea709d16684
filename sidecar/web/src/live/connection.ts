// The one stream: opened, watched, and opened again when it is lost.

import type { Live, Topics } from "../api/types";
import { EventParser } from "./sse";

/** The daemon sends a comment every 15 s: after this long without one nobody is there. */
const SILENCE_MS = 40_000;
/** Someone looks again: if nothing came for this long, it is better to ask. */
const DOUBT_MS = 18_000;
/** A daemon that is started again is back sooner than this; until then nothing is said. */
const GRACE_MS = 700;
const PUT_PAUSE_MS = 15;

export type Told = {
  event: (event: Live) => void;
  /** It is lost, and opened again. */
  lost: () => void;
  /** Nobody is logged in: it is not opened again until `restart`. */
  refused: () => void;
  /** What it shall bring, asked whenever it may have changed. */
  wanted: () => Topics;
  /** It is a new one: it was asked for nothing yet. */
  reopened: () => void;
};

/** How long to wait before the next attempt, in milliseconds: short, while it may be a restart. */
export function pause(attempt: number, random: number = Math.random()): number {
  const base = attempt < 14 ? Math.min(1000, 100 * 2 ** attempt) : 5000;
  return base * (0.8 + 0.4 * random);
}

export class Connection {
  private abort: AbortController | undefined;
  private attempt = 0;
  private heardAt = 0;
  private stream: string | undefined;
  private waiting: ReturnType<typeof setTimeout> | undefined;
  private grace: ReturnType<typeof setTimeout> | undefined;
  private putting: ReturnType<typeof setTimeout> | undefined;
  private sent = "";
  private stopped = true;

  constructor(private readonly told: Told) {
    setInterval(() => {
      if (this.abort && Date.now() - this.heardAt > SILENCE_MS) this.abort.abort();
    }, 5000);
  }

  start(): void {
    if (!this.stopped) return;
    this.stopped = false;
    this.attempt = 0;
    void this.run();
  }

  restart(): void {
    this.stop();
    this.start();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.waiting);
    clearTimeout(this.grace);
    this.waiting = this.grace = undefined;
    this.abort?.abort();
    this.abort = undefined;
    this.stream = undefined;
  }

  /** Someone looks at a page again, or the network is back: no more waiting. */
  poke(): void {
    if (this.stopped) return;
    if (this.waiting !== undefined) {
      clearTimeout(this.waiting);
      this.waiting = undefined;
      this.attempt = 0;
      void this.run();
    } else if (this.abort && Date.now() - this.heardAt > DOUBT_MS) this.abort.abort();
  }

  /** What it shall bring has changed. */
  changed(): void {
    if (this.putting !== undefined || !this.stream) return;
    this.putting = setTimeout(() => void this.put(), PUT_PAUSE_MS);
  }

  private async run(): Promise<void> {
    const abort = new AbortController();
    this.abort = abort;
    this.heardAt = Date.now();
    try {
      const response = await fetch("/v1/stream", {
        headers: { accept: "text/event-stream" },
        credentials: "same-origin",
        cache: "no-store",
        signal: abort.signal,
      });
      if (response.status === 401 || response.status === 403) {
        if (this.abort === abort) {
          this.stop();
          this.told.refused();
        }
        return;
      }
      if (response.ok && response.body) await this.read(response.body, abort);
    } catch {
      // The network, or nobody there: it is tried again below either way.
    }
    if (this.abort !== abort) return;
    this.abort = undefined;
    this.stream = undefined;
    this.again();
  }

  private async read(body: ReadableStream<Uint8Array>, abort: AbortController): Promise<void> {
    const reader = body.getReader();
    const decoder = new TextDecoder();
    const parser = new EventParser((data) => {
      if (data !== undefined && this.abort === abort) this.event(JSON.parse(data) as Live);
    });
    for (;;) {
      const { done, value } = await reader.read();
      if (done || this.abort !== abort) return;
      this.heardAt = Date.now();
      parser.push(decoder.decode(value, { stream: true }));
    }
  }

  private event(event: Live): void {
    if (event.type === "hello") {
      this.stream = event.stream;
      this.sent = "";
      this.told.reopened();
      this.changed();
    } else if (event.type === "complete") {
      this.attempt = 0;
      clearTimeout(this.grace);
      this.grace = undefined;
    }
    this.told.event(event);
  }

  private again(): void {
    if (this.stopped) return;
    this.grace ??= setTimeout(() => this.told.lost(), GRACE_MS);
    this.waiting = setTimeout(() => {
      this.waiting = undefined;
      void this.run();
    }, pause(this.attempt));
    this.attempt += 1;
  }

  private async put(): Promise<void> {
    const stream = this.stream;
    const body = JSON.stringify(this.told.wanted());
    let good = true;
    if (stream && body !== this.sent && !(this.sent === "" && isNothing(body))) {
      this.sent = body;
      good = await this.ask(stream, body);
    }
    this.putting = undefined;
    if (this.stream !== stream) this.changed();
    else if (!good) this.abort?.abort();
    else if (stream && JSON.stringify(this.told.wanted()) !== body) this.changed();
  }

  /** Whether the stream is as it should be: one that the daemon does not know is opened anew. */
  private async ask(stream: string, body: string): Promise<boolean> {
    try {
      const headers = { "content-type": "application/json" };
      const address = `/v1/streams/${encodeURIComponent(stream)}`;
      const response = await fetch(address, { method: "PUT", headers, body, credentials: "same-origin" });
      // What is refused now is refused again: the stream goes on with what it brings.
      return response.ok || (response.status >= 400 && response.status < 500 && response.status !== 404);
    } catch {
      return false;
    }
  }
}

function isNothing(body: string): boolean {
  return body === JSON.stringify({ logs: [], builds: [], metrics: [], audit: false });
}
