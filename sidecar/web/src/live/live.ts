// The stream, as pages use it: `startLive` once somebody is logged in, `follow` for what they show.

import type { Heard, Topic } from "./topics";

/** Opens the stream, or joins the one that the browser has. */
export function startLive(): void {}

/** Opens it anew: somebody logged in or out. */
export function restartLive(): void {}

/**
 * Follows a topic until the function that is given back is called. Logs begin at the topic's cursor,
 * and go on there after the connection was lost: no line is told twice and none is left out.
 */
export function follow(_topic: Topic, _hear: (heard: Heard) => void): () => void {
  return () => {};
}
