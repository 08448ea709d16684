// The API's types by hand, until `npm run types` has made them of the OpenAPI document.

export type Slot = "blue" | "green";
export type Kind = "deploy" | "rollback" | "redeploy" | "restart";
export type Status =
  | "queued" | "building" | "unpacking" | "migrating" | "starting" | "reverting" | "verifying"
  | "restoring" | "switching" | "draining" | "baking"
  | "succeeded" | "failed" | "cancelled" | "rolled_back" | "superseded";
export type Desired = "running" | "stopped";
export type Role = "viewer" | "deployer" | "admin";
export type Known = "session" | "token" | "socket";
export type Trigger = "by_hand" | "push" | "webhook" | "poll";
export type SlotState = "stopped" | "starting" | "running" | "stopping" | "backoff";
export type Effect = "additive" | "destructive" | "unknown";
export type Reversal = "reversible" | "irreversible" | "unknown";
export type MigrationChoice = "keep" | "revert";
export type EnvironmentChoice = "own" | "current";
export type Code = string;

export type Problem = { code: Code; message: string; next?: string | null; log?: string[]; plan?: Plan | null };

export type Migration = {
  version: number; name: string; app: string; folder: string; effect: Effect; reversal: Reversal;
  does?: string[]; loses?: string[];
};
export type Standing = Migration & { brought_by: number };
export type Moved = { repo: string; version: number };
export type Release = {
  number: number; name: string; version: string; sha256: string; size: number;
  erts?: string | null; elixir?: string | null; migrations: Migration[]; unpacked_at: string; commit?: string | null;
};
export type Build = { ref: string; sha?: string | null; of?: number | null; trigger: Trigger; allow_destructive?: boolean };
export type Commit = { sha: string; ref: string; subject: string };
export type Step = { status: Status; started_at: string; ended_at?: string | null; outcome?: string | null };
export type Deployment = {
  number: number; kind: Kind; status: Status; release?: Release | null; slot?: Slot | null;
  replaces?: number | null; rolled_back_by?: number | null; actor: string; reason?: string | null;
  error?: Problem | null; queued_at: string; live_at?: string | null; ended_at?: string | null;
  applied?: Moved[]; reverts?: number[]; reverted?: Moved[]; environment?: number;
  build?: Build | null; commit?: Commit | null; steps?: Step[];
};
export type Health = { healthy: boolean; detail: string; since: string };
export type SlotStatus = {
  slot: Slot; state: SlotState; release?: Release | null; port?: number | null; node: string;
  pid?: number | null; since?: string | null; restarts: number; health?: Health | null; last_exit?: string | null;
};
export type Failing = { since: string; attempts: number; error: string; next_at: string };
export type AutoDeploy = {
  on: boolean; branch: string; set_by?: string | null; poll_ms?: number | null; tip?: string | null;
  looked_at?: string | null; note?: string | null; failing?: Failing | null;
};
export type RollbackOffer = { target?: Release | null; refusal?: Problem | null };
export type RouteStatus = { mode: string; hosts: string[]; problem?: Problem | null };
export type AppStatus = {
  name: string; revision: number; desired: Desired; active?: Slot | null; serving?: Release | null;
  serving_since?: string | null; slots: SlotStatus[]; deployment?: Deployment | null; queued?: Deployment | null;
  last?: Deployment | null; rollback: RollbackOffer; route?: RouteStatus | null; auto_deploy?: AutoDeploy | null;
  warnings: Problem[];
};
export type DaemonStatus = { version: string; pid: number; started_at: string; apps: AppStatus[]; problems: Problem[] };

export type DatabasePlan =
  | { action: "unchanged" } | { action: "keep" } | { action: "revert"; versions: number[] }
  | { action: "choose"; choices: MigrationChoice[] };
export type EnvironmentPlan = { version: number; today: number; differs?: string[]; renewed?: string[] };
export type Plan = {
  app: string; from: Release; from_deployment: number; to: Release; to_deployment: number;
  to_last_live_at?: string | null; slot: Slot; hot: boolean; to_served_ms?: number | null;
  to_health?: string | null; expected_ms?: number | null; cancels?: number | null; migrations: Standing[];
  applies?: Standing[]; database: DatabasePlan; environment?: EnvironmentPlan; warnings?: string[]; digest: string;
};
export type Rollback = {
  to?: number; reason?: string; cancel?: boolean; digest?: string; migrations?: MigrationChoice;
  env?: EnvironmentChoice; force?: boolean;
};
export type AskBuild = { ref?: string; deployment?: number; allow_destructive?: boolean; reason?: string };
export type Restart = { in_place?: boolean; reason?: string };
export type Accepted = { deployment?: number | null; message: string };

export type Variable = { name: string; secret: boolean; version: number; set_at: string; set_by: string; value?: string | null };
export type Environment = { version: number; serving?: number | null; pending: string[]; variables: Variable[] };
export type SetVariables = { variables?: { name: string; value: string }[]; text?: string; secret?: boolean };
export type UnsetVariables = { names: string[] };

export type LogLine = { at: number; text: string };
export type LogChunk = { slot: Slot; lines: LogLine[]; cursor: number; gap?: number };
export type BuildChunk = { number: number; lines: LogLine[]; cursor: number; ended: boolean };

export type SlotSample = { slot: Slot; memory: number; cpu: number; in_flight?: number | null };
export type Sample = { at: string; in_flight?: number | null; slots: SlotSample[] };
export type HealthChange = { slot: Slot; at: string; healthy: boolean; detail: string };
export type Metrics = { app: string; every_ms: number; samples: Sample[]; health: HealthChange[] };
export type Hello = { stream: string; version: string; started_at: string; now: string };
export type LogTopic = { app: string; slot: Slot; cursor: number };
export type BuildTopic = { app: string; number: number; cursor: number };
export type Topics = { logs?: LogTopic[]; builds?: BuildTopic[]; metrics?: string[]; audit?: boolean };
export type Live =
  | ({ type: "hello" } & Hello) | ({ type: "app" } & AppStatus) | { type: "app_removed"; name: string }
  | { type: "complete" } | { type: "problems"; problems: Problem[] } | ({ type: "metrics" } & Metrics)
  | { type: "log"; app: string; chunk: LogChunk } | { type: "build_log"; app: string; chunk: BuildChunk }
  | ({ type: "audit" } & Audit) | { type: "lost"; app: string; problem: Problem };

export type Audit = {
  number: number; at: string; actor: string; by?: Known | null; from?: string | null; action: string;
  app?: string | null; detail?: string | null; outcome: string;
};

export type Whoami = {
  name: string; role: Role; by: Known; session?: string | null; expires_at?: string | null; fresh_until?: string | null;
};
export type User = { name: string; role: Role; made_at: string; made_by: string; seen_at?: string | null; sessions: number };
export type NewUser = { name: string; role: Role; password: string };
export type ChangeUser = { role?: Role; password?: string };
export type Session = {
  id: string; user: string; made_at: string; seen_at: string; expires_at: string; address: string; agent: string; current: boolean;
};
export type Token = {
  id: string; name: string; role: Role; made_at: string; made_by: string; used_at?: string | null; expires_at: string;
};
export type AskToken = { name: string; role: Role; days: number };
export type NewToken = { secret: string; token: Token };

export type OpenConsole = { slot?: Slot; release?: number; rows?: number; cols?: number };
export type Console = {
  id: string; app: string; slot?: Slot | null; release: number; label: string; node?: string | null; user: string;
  opened_at: string; kept_ms: number; idle_ms: number;
};
export type ConsoleSaid = { at: number } | { ended: { why: string } };

export type Port = { slot: Slot; port: number };
export type SourceSettings = { git: string; branch: string; build: string[]; hook?: string | null };
export type Settings = {
  file: string; user?: string | null; hosts: string[]; ports: Port[]; health: string; verify: string[];
  drain_ms: number; stop_ms: number; bake_ms: number; standby: string; keep_releases: number;
  migrate?: string | null; repos: string[]; source?: SourceSettings | null;
};
export type HookSecret = { secret: string; path: string; listen?: string | null };
