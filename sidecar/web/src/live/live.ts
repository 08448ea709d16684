// The stream, as pages use it: `startLive` once somebody is logged in, `follow` for what they show.

import { whoami, recognize } from "../session";
import { Hub, type FromPage, type Member, type ToPage } from "./hub";
import { forget, lose, take } from "./store";
import type { Heard, Topic } from "./topics";

type Line = { say: (message: FromPage) => void };
let line: Line | undefined;
let last = 0;
const following = new Map<number, { topic: Topic; hear: (heard: Heard) => void }>();

/** Opens the stream, or joins the one that the browser has. */
export function startLive(): void {
  if (line) {
    line.say({ say: "poke" });
    return;
  }
  line = shared() ?? own();
  join();
  addEventListener("online", poke);
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && poke());
  addEventListener("pagehide", () => line?.say({ say: "bye" }));
  addEventListener("pageshow", (event) => event.persisted && join());
}

/** Opens it anew: somebody logged in or out. */
export function restartLive(): void {
  forget();
  startLive();
  line?.say({ say: "restart" });
}

/**
 * Follows a topic until the function that is given back is called. Logs begin at the topic's cursor,
 * and go on there after the connection was lost: no line is told twice and none is left out.
 */
export function follow(topic: Topic, hear: (heard: Heard) => void): () => void {
  last += 1;
  const id = last;
  following.set(id, { topic, hear });
  line?.say({ say: "follow", id, topic });
  return () => {
    following.delete(id);
    line?.say({ say: "unfollow", id });
  };
}

function poke(): void {
  line?.say({ say: "poke" });
}

function join(): void {
  line?.say({ say: "join" });
  for (const [id, { topic }] of following) line?.say({ say: "follow", id, topic });
}

function told(message: ToPage): void {
  switch (message.tell) {
    case "event":
      take(message.event);
      break;
    case "heard":
      heard(message.id, message.heard);
      break;
    case "lost":
      lose();
      break;
    case "refused":
      whoami.value = null;
      break;
    case "restarted":
      forget();
      void recognize().catch(() => undefined);
      break;
  }
}

function heard(id: number, it: Heard): void {
  const follower = following.get(id);
  if (!follower) return;
  // Where this page is, should it have to join anew.
  const { topic } = follower;
  if ((it.type === "log" && topic.kind === "log") || (it.type === "build_log" && topic.kind === "build")) {
    topic.topic.cursor = Math.max(topic.topic.cursor, it.chunk.cursor);
  }
  follower.hear(it);
}

function shared(): Line | undefined {
  if (typeof SharedWorker === "undefined") return undefined;
  try {
    const worker = new SharedWorker(new URL("./worker.ts", import.meta.url), {
      type: "module",
      name: "vial",
    });
    worker.port.onmessage = (event: MessageEvent<ToPage>) => told(event.data);
    worker.port.start();
    const say = (message: FromPage) => worker.port.postMessage(message);
    hold((name) => say({ say: "lock", name }));
    return { say };
  } catch {
    return undefined;
  }
}

/** Holds a lock for as long as this page lives, by which the worker knows when it is gone. */
function hold(held: (name: string) => void): void {
  if (!navigator.locks) return;
  const name = `vial-${crypto.randomUUID()}`;
  void navigator.locks.request(name, () => {
    held(name);
    return new Promise(() => undefined);
  });
}

function own(): Line {
  const hub = new Hub();
  const member: Member = { post: told };
  return { say: (message) => hub.hear(member, message) };
}
