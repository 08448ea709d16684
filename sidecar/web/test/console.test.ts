import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ConsoleLink, type LinkState, type Socket, TAKEN_OVER } from "../src/terminal/link";

class Fake implements Socket {
  binaryType = "";
  readyState = 0;
  onopen: ((event: Event) => void) | null = null;
  onmessage: ((event: MessageEvent) => void) | null = null;
  onclose: ((event: CloseEvent) => void) | null = null;
  readonly sent: (string | Uint8Array)[] = [];
  constructor(readonly path: string) {}
  send(data: string | Uint8Array<ArrayBuffer>) {
    this.sent.push(data);
  }
  close() {
    this.readyState = 3;
  }
  opens() {
    this.readyState = 1;
    this.onopen?.({} as Event);
  }
  says(data: unknown) {
    this.onmessage?.({ data: JSON.stringify(data) } as MessageEvent);
  }
  prints(text: string) {
    this.onmessage?.({ data: new TextEncoder().encode(text).buffer } as MessageEvent);
  }
  breaks(code = 1006) {
    this.readyState = 3;
    this.onclose?.({ code } as CloseEvent);
  }
}

function linked(kept = 60_000) {
  const sockets: Fake[] = [];
  const states: LinkState[] = [];
  const screen = { text: "" };
  const link = new ConsoleLink(
    "abc",
    kept,
    {
      write: (bytes) => (screen.text += new TextDecoder().decode(bytes)),
      reset: () => (screen.text = ""),
      state: (state) => states.push(state),
    },
    (path) => {
      const socket = new Fake(path);
      sockets.push(socket);
      return socket;
    },
  );
  link.connect();
  const last = () => {
    const socket = sockets.at(-1);
    if (socket === undefined) throw new Error("no socket was made");
    return socket;
  };
  return { link, sockets, states, screen, last };
}

describe("a console's link", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("goes on after a break with the byte that comes next", () => {
    const { states, screen, last } = linked();
    last().opens();
    last().says({ at: 0 });
    last().prints("iex(1)> ");
    last().breaks();
    expect(states.at(-1)?.is).toBe("broken");
    vi.advanceTimersByTime(200);
    expect(last().path).toBe("/v1/consoles/abc?cursor=8");
    last().opens();
    last().says({ at: 8 });
    last().prints("1 + 1");
    expect(screen.text).toBe("iex(1)> 1 + 1");
    expect(states.at(-1)?.is).toBe("open");
  });

  it("begins with an empty screen where the daemon has no longer what it asked for", () => {
    const { screen, last } = linked();
    last().opens();
    last().says({ at: 0 });
    last().prints("old");
    last().breaks();
    vi.advanceTimersByTime(200);
    last().opens();
    last().says({ at: 300_000 });
    last().prints("new");
    expect(screen.text).toBe("new");
  });

  it("tells the size again to each socket", () => {
    const { link, last } = linked();
    link.resize(40, 120);
    last().opens();
    expect(last().sent).toEqual(['{"resize":{"rows":40,"cols":120}}']);
    last().breaks();
    vi.advanceTimersByTime(200);
    last().opens();
    expect(last().sent).toHaveLength(1);
  });

  it("sends a long paste whole, in parts", () => {
    const { link, last } = linked();
    last().opens();
    link.type("ä".repeat(5_000));
    const bytes = last().sent.map((it) => (it as Uint8Array).length);
    expect(bytes).toEqual([4096, 4096, 1808]);
  });

  it("says that another page took it over, and does not take it back", () => {
    const { states, sockets, last } = linked();
    last().opens();
    last().breaks(TAKEN_OVER);
    vi.advanceTimersByTime(60_000);
    expect([states.at(-1)?.is, sockets.length]).toEqual(["taken", 1]);
  });

  it("says why it ended, and stays ended", () => {
    const { states, sockets, last } = linked();
    last().opens();
    last().says({ ended: { why: "The node went away." } });
    last().breaks(1000);
    vi.advanceTimersByTime(60_000);
    expect(states.at(-1)).toEqual({ is: "ended", why: "The node went away." });
    expect(sockets).toHaveLength(1);
  });

  it("gives up when the daemon no longer keeps it", () => {
    const { states, last } = linked(10_000);
    last().opens();
    last().breaks();
    for (let tries = 0; tries < 20 && states.at(-1)?.is !== "ended"; tries += 1) {
      vi.advanceTimersByTime(5_000);
      if (last().readyState !== 3) last().breaks();
    }
    expect(states.at(-1)?.is).toBe("ended");
  });
});
