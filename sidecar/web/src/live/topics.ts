// What a page follows beside the apps' status.

import type { BuildTopic, Live, LogTopic } from "../api/types";

export type Topic =
  | { kind: "log"; topic: LogTopic }
  | { kind: "build"; topic: BuildTopic }
  | { kind: "metrics"; app: string }
  | { kind: "audit" };

/** What comes of a topic: its events, and `lost` where it cannot be followed any more. */
export type Heard = Extract<Live, { type: "log" | "build_log" | "metrics" | "audit" | "lost" }>;
