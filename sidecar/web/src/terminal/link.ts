// The way between a page and its console: one WebSocket, opened again where it breaks off.
//
// The daemon counts every byte that the terminal printed. A page that comes back says how many it
// has, and is sent what follows; what it cannot go on with, it begins anew.

import type { ConsoleSaid } from "../api/types";

/** Where a console stands, as a page tells it. */
export type LinkState =
  | { readonly is: "connecting" }
  | { readonly is: "open" }
  /** Broken off; tried again until then, as the daemon keeps the console so long. */
  | { readonly is: "broken"; readonly until: number }
  /** Over. */
  | { readonly is: "ended"; readonly why: string }
  /** Another page has it now. */
  | { readonly is: "taken" };

/** What is done with what comes. */
export interface Sink {
  write(bytes: Uint8Array): void;
  /** What was printed before is not to be gone on with. */
  reset(): void;
  state(state: LinkState): void;
}

/** The part of a WebSocket that is used. */
export interface Socket {
  binaryType: string;
  readonly readyState: number;
  onopen: ((event: Event) => void) | null;
  onmessage: ((event: MessageEvent) => void) | null;
  onclose: ((event: CloseEvent) => void) | null;
  send(data: string | Uint8Array<ArrayBuffer>): void;
  close(code?: number): void;
}

/** The code that a socket is closed with when another page attaches. */
export const TAKEN_OVER = 4001;
/** Long texts go in parts: a message has a bound, and the terminal takes what it can. */
const PART = 4096;
/** How long after a break it is tried again: at once, then slower. */
const AGAIN = [100, 500, 1_000, 2_000, 4_000];

export class ConsoleLink {
  /** When anything was typed or printed last. */
  active = Date.now();
  private socket: Socket | undefined;
  private received = 0;
  private attempts = 0;
  private brokenSince: number | undefined;
  private opened = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private over = false;
  private size: { rows: number; cols: number } | undefined;

  constructor(
    private readonly id: string,
    private readonly keptMs: number,
    private readonly sink: Sink,
    private readonly make: (path: string) => Socket = websocket,
  ) {}

  /** Attaches; from now on the sink is told. */
  connect(): void {
    clearTimeout(this.timer);
    if (this.over || this.socket !== undefined) return;
    if (this.brokenSince === undefined) this.sink.state({ is: "connecting" });
    const asked = this.received;
    const socket = this.make(`/v1/consoles/${encodeURIComponent(this.id)}?cursor=${asked}`);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    socket.onopen = () => {
      this.attempts = 0;
      this.opened = true;
      this.brokenSince = undefined;
      this.sink.state({ is: "open" });
      if (this.size !== undefined) this.tell(this.size);
    };
    socket.onmessage = ({ data }) => {
      this.active = Date.now();
      if (typeof data === "string") this.said(data);
      else if (data instanceof ArrayBuffer) {
        this.received += data.byteLength;
        this.sink.write(new Uint8Array(data));
      }
    };
    socket.onclose = ({ code }) => {
      if (this.socket !== socket) return;
      this.socket = undefined;
      if (this.over) return;
      if (code === TAKEN_OVER) {
        this.over = true;
        this.sink.state({ is: "taken" });
      } else this.broken();
    };
  }

  /** Types a text. */
  type(text: string): void {
    this.send(new TextEncoder().encode(text));
  }

  /** Types bytes that a terminal reports as characters below 256: the mouse. */
  typeBinary(text: string): void {
    this.send(Uint8Array.from(text, (it) => it.charCodeAt(0) & 255));
  }

  /** Tells the terminal its size. */
  resize(rows: number, cols: number): void {
    this.size = { rows, cols };
    if (this.socket?.readyState === 1) this.tell(this.size);
  }

  /** Leaves: the console is kept for a while. */
  leave(): void {
    this.over = true;
    clearTimeout(this.timer);
    this.socket?.close(1000);
    this.socket = undefined;
  }

  private tell(size: { rows: number; cols: number }): void {
    this.socket?.send(JSON.stringify({ resize: size }));
  }

  private send(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.socket?.readyState !== 1) return;
    this.active = Date.now();
    for (let at = 0; at < bytes.length; at += PART) this.socket.send(bytes.slice(at, at + PART));
  }

  private said(text: string): void {
    let said: ConsoleSaid;
    try {
      said = JSON.parse(text) as ConsoleSaid;
    } catch {
      return;
    }
    if ("at" in said) {
      if (said.at !== this.received || said.at === 0) this.sink.reset();
      this.received = said.at;
    } else if ("ended" in said) {
      this.end(said.ended.why);
    }
  }

  private end(why: string): void {
    this.over = true;
    this.sink.state({ is: "ended", why });
    this.socket?.close(1000);
    this.socket = undefined;
  }

  private broken(): void {
    const now = Date.now();
    this.brokenSince ??= now;
    const until = this.brokenSince + this.keptMs;
    if (!this.opened && this.attempts >= 2) {
      this.end("The daemon does not have this console any more: it was ended, or the daemon was started again.");
      return;
    }
    if (now >= until) {
      this.end("The connection was lost for longer than the daemon keeps a console.");
      return;
    }
    this.sink.state({ is: "broken", until });
    const wait = AGAIN[Math.min(this.attempts, AGAIN.length - 1)] ?? 4_000;
    this.attempts += 1;
    this.timer = setTimeout(() => this.connect(), wait);
  }
}

function websocket(path: string): Socket {
  const url = new URL(path, location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return new WebSocket(url);
}
