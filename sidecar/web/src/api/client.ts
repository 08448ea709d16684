// How the pages ask the daemon: JSON over fetch, and every refusal as a `Refused` with its Problem.

import type { paths } from "./schema";
import type { Problem } from "./types";

/** What the daemon answered instead of doing it. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly problem: Problem,
    /** After how many seconds it may be tried again, where the daemon says so. */
    readonly retryAfter?: number,
  ) {
    super(problem.message);
  }
}

/** The daemon did not answer: the network, or it is not there. */
export class Unreachable extends Error {}

export type Ask = {
  /** What stands for `{app}` and the like in the path. */
  path?: Record<string, string | number>;
  query?: Record<string, string | number | boolean | null | undefined>;
  body?: unknown;
  /** Makes a request that is sent twice one request. */
  key?: string;
  signal?: AbortSignal;
};

/** A new idempotency key, for one thing that a person asks for. */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The address of an operation. */
export function address(template: string, ask: Pick<Ask, "path" | "query"> = {}): string {
  const path = template.replace(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(String(ask.path?.[name] ?? "")),
  );
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(ask.query ?? {})) {
    if (value !== undefined && value !== null && value !== "") query.set(name, String(value));
  }
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}

type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
type Good = 200 | 201 | 202;
/** What an operation of the OpenAPI document answers with. */
type Answer<O> = O extends { responses: infer R }
  ? [Good & keyof R] extends [never]
    ? void
    : R[Good & keyof R] extends { content: { "application/json": infer T } } ? T : void
  : never;
/** The paths which a method has in the OpenAPI document, and whose answer is a T. */
export type PathOf<M extends Method, T> = {
  [P in keyof paths]: Lowercase<M> extends keyof paths[P]
    ? [paths[P][Lowercase<M>]] extends [undefined]
      ? never
      : [Answer<NonNullable<paths[P][Lowercase<M>]>>] extends [T] ? P : never
    : never;
}[keyof paths];

type Listener = (refused: Refused) => void;
const listeners = new Set<Listener>();

/** Is told of every refusal: that the session has ended is one page's matter, not each one's. */
export function onRefused(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Asks, and gives the answer's JSON. Throws `Refused` or `Unreachable`. */
export async function send<T, M extends Method>(
  method: M,
  template: PathOf<M, T>,
  ask: Ask = {},
): Promise<T> {
  const headers: Record<string, string> = { accept: "application/json" };
  if (ask.body !== undefined) headers["content-type"] = "application/json";
  if (ask.key) headers["idempotency-key"] = ask.key;
  const options: RequestInit = { method, headers, credentials: "same-origin", cache: "no-store" };
  if (ask.body !== undefined) options.body = JSON.stringify(ask.body);
  if (ask.signal) options.signal = ask.signal;
  let response: Response;
  try {
    response = await fetch(address(template, ask), options);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Unreachable("The daemon cannot be reached. Check the network, then try again.");
  }
  if (response.ok) {
    if (response.status === 204) return undefined as T;
    return (await response.json()) as T;
  }
  const refused = await refusal(response);
  for (const listener of listeners) listener(refused);
  throw refused;
}

export const get = <T>(path: PathOf<"GET", T>, ask?: Ask) =>
  send<T, "GET">("GET", path, ask);
export const post = <T>(path: PathOf<"POST", T>, ask?: Ask) =>
  send<T, "POST">("POST", path, ask);
export const put = <T>(path: PathOf<"PUT", T>, ask?: Ask) =>
  send<T, "PUT">("PUT", path, ask);
export const patch = <T>(path: PathOf<"PATCH", T>, ask?: Ask) =>
  send<T, "PATCH">("PATCH", path, ask);
export const remove = <T>(path: PathOf<"DELETE", T>, ask?: Ask) =>
  send<T, "DELETE">("DELETE", path, ask);

async function refusal(response: Response): Promise<Refused> {
  const after = Number(response.headers.get("retry-after"));
  const retry = Number.isFinite(after) && after > 0 ? after : undefined;
  try {
    const problem = (await response.json()) as Problem;
    if (typeof problem?.message === "string" && typeof problem.code === "string") {
      return new Refused(response.status, problem, retry);
    }
  } catch {
    // A proxy's own page, not the daemon's answer.
  }
  const message =
    response.status === 502 || response.status === 503 || response.status === 504
      ? "Vial's daemon does not answer. The apps go on without it."
      : `The request was answered with status ${response.status}, which was not expected.`;
  const next = "try again in a moment; on the host: `vial status`";
  return new Refused(response.status, { code: "internal", message, next }, retry);
}

/** Whatever was thrown, as a Problem that a page can show. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Refused) return error.problem;
  if (error instanceof Unreachable) return { code: "internal", message: error.message };
  return { code: "internal", message: `The page failed: ${String(error)}`, next: "load the page anew" };
}
