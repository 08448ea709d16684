// Who is logged in, and what they may do.

import { computed, signal } from "@preact/signals";
import { Refused, get, onRefused, remove } from "./api/client";
import type { Role, Whoami } from "./api/types";
import { navigate, place } from "./router";

/** `undefined`: not known yet. `null`: nobody. */
export const whoami = signal<Whoami | null | undefined>(undefined);

const RANK: Record<Role, number> = { viewer: 0, deployer: 1, admin: 2 };

/** Whether the user may do what needs a role. */
export function may(role: Role): boolean {
  const user = whoami.value;
  return !!user && RANK[user.role] >= RANK[role];
}
export const isDeployer = computed(() => may("deployer"));
export const isAdmin = computed(() => may("admin"));

/** Asks the daemon who is logged in. */
export async function recognize(): Promise<void> {
  try {
    whoami.value = await get<Whoami>("/v1/session");
  } catch (error) {
    if (error instanceof Refused && error.status === 401) whoami.value = null;
    else throw error;
  }
}

export async function logOut(): Promise<void> {
  await remove<void>("/v1/session");
  whoami.value = null;
  navigate("/login");
}

/** Where a login leads: a path of these pages, never another host. */
export function afterLogin(search: string): string {
  const next = new URLSearchParams(search).get("next") ?? "/";
  if (!next.startsWith("/")) return "/";
  const url = new URL(next, location.origin);
  return url.origin === location.origin ? url.pathname + url.search + url.hash : "/";
}

/** The login page, which leads back here. */
export function loginAddress(): string {
  const { pathname, search } = place.peek();
  const from = pathname + search;
  return from === "/" ? "/login" : `/login?next=${encodeURIComponent(from)}`;
}

onRefused((refused) => {
  if (refused.problem.code === "login_needed" && whoami.peek()) whoami.value = null;
});
