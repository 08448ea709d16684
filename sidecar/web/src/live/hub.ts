// The stream and the pages that share it: in a SharedWorker one hub serves all tabs of a browser, and
// where there is none each page has its own.

import type { AppStatus, Hello, Live, Problem } from "../api/types";
import { Connection } from "./connection";
import { Followers } from "./followers";
import type { Heard, Topic } from "./topics";

/** What a page says. */
export type FromPage =
  | { say: "join" }
  /** The page holds this lock for as long as it lives. */
  | { say: "lock"; name: string }
  | { say: "follow"; id: number; topic: Topic }
  | { say: "unfollow"; id: number }
  | { say: "poke" }
  | { say: "restart" }
  | { say: "bye" };

/** What a page is told. */
export type ToPage =
  | { tell: "event"; event: Live }
  | { tell: "heard"; id: number; heard: Heard }
  | { tell: "lost" }
  | { tell: "refused" }
  /** Somebody logged in or out in one of the tabs. */
  | { tell: "restarted" };

export type Member = { post: (message: ToPage) => void };

export class Hub {
  private readonly members = new Map<Member, Set<number>>();
  private readonly names = new Map<Member, number>();
  private readonly followers = new Followers();
  private readonly apps = new Map<string, AppStatus>();
  private hello: { event: Hello; at: number } | undefined;
  private problems: Problem[] = [];
  private seen = new Set<string>();
  private complete = false;
  private isLost = false;
  private isRefused = false;
  private last = 0;
  private readonly connection = new Connection({
    event: (event) => this.event(event),
    lost: () => {
      this.isLost = true;
      this.all({ tell: "lost" });
    },
    refused: () => {
      this.isRefused = true;
      this.all({ tell: "refused" });
    },
    wanted: () => this.followers.wanted(),
    reopened: () => this.followers.reopened(),
  });

  hear(member: Member, message: FromPage): void {
    switch (message.say) {
      case "join":
        this.join(member);
        break;
      case "follow":
        this.members.get(member)?.add(message.id);
        this.followers.add(this.name(member, message.id), message.topic, (heard) =>
          member.post({ tell: "heard", id: message.id, heard }),
        );
        this.connection.changed();
        break;
      case "unfollow":
        this.members.get(member)?.delete(message.id);
        this.followers.remove(this.name(member, message.id));
        this.connection.changed();
        break;
      case "poke":
        this.connection.poke();
        break;
      case "restart":
        this.forget();
        for (const it of this.members.keys()) if (it !== member) it.post({ tell: "restarted" });
        this.connection.restart();
        break;
      case "lock":
        // The worker's matter: a hub in the page goes with it.
        break;
      case "bye":
        this.leave(member);
        break;
    }
  }

  leave(member: Member): void {
    for (const id of this.members.get(member) ?? []) this.followers.remove(this.name(member, id));
    this.members.delete(member);
    this.names.delete(member);
    if (this.members.size === 0) {
      this.connection.stop();
      this.forget();
    } else this.connection.changed();
  }

  private join(member: Member): void {
    if (!this.members.has(member)) {
      this.last += 1;
      this.names.set(member, this.last);
      this.members.set(member, new Set());
    }
    const post = (event: Live) => member.post({ tell: "event", event });
    if (this.hello) {
      const { event, at } = this.hello;
      // As if it were said now: the page reckons times against it.
      const now = new Date(Date.parse(event.now) + Date.now() - at).toISOString();
      post({ type: "hello", ...event, now });
      for (const app of this.apps.values()) post({ type: "app", ...app });
      post({ type: "problems", problems: this.problems });
      if (this.complete) post({ type: "complete" });
    }
    if (this.isLost) member.post({ tell: "lost" });
    if (this.isRefused) this.forget();
    this.connection.start();
  }

  private event(event: Live): void {
    switch (event.type) {
      case "hello": {
        const { type: _, ...hello } = event;
        this.hello = { event: hello, at: Date.now() };
        this.seen = new Set();
        break;
      }
      case "app": {
        const { type: _, ...app } = event;
        this.seen.add(app.name);
        this.apps.set(app.name, app);
        break;
      }
      case "app_removed":
        this.apps.delete(event.name);
        break;
      case "complete":
        for (const name of [...this.apps.keys()]) if (!this.seen.has(name)) this.apps.delete(name);
        this.complete = true;
        this.isLost = false;
        break;
      case "problems":
        this.problems = event.problems;
        break;
      default:
        this.followers.hear(event);
        return;
    }
    this.all({ tell: "event", event });
  }

  private forget(): void {
    this.apps.clear();
    this.hello = undefined;
    this.problems = [];
    this.complete = this.isLost = this.isRefused = false;
  }

  private all(message: ToPage): void {
    for (const member of this.members.keys()) member.post(message);
  }

  private name(member: Member, id: number): string {
    return `${this.names.get(member) ?? 0}/${id}`;
  }
}
