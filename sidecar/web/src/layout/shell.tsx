// What is around every page: the bar at the top, the connection's state, the skip link.

import type { ComponentChildren } from "preact";
import { asProblem } from "../api/client";
import { apps, connection, lostAt, updatedTo } from "../live/store";
import { navigate, pathname } from "../router";
import { isAdmin, logOut, whoami } from "../session";
import { inProgress } from "../ui/format";
import { Icon } from "../ui/icon";
import { Menu } from "../ui/menu";
import { Toasts, toast } from "../ui/toast";
import { FreshPassword } from "./fresh";
import { chooseTheme, theme } from "./theme";

export function Shell({ children }: { children: ComponentChildren }) {
  return (
    <>
      <a class="skip" href="#main" onClick={toMain}>Skip to the page's content</a>
      <header class="bar">
        <div class="bar-inner">
          <a class="brand" href="/" aria-label="Vial: all apps">
            <Mark />
            <span>Vial</span>
          </a>
          <nav class="bar-nav" aria-label="Host">
            <HostLink href="/" name="Apps" />
            {isAdmin.value && <HostLink href="/activity" name="Activity" />}
            {isAdmin.value && <HostLink href="/access" name="Access" />}
          </nav>
          <div class="bar-end">
            <UserMenu />
          </div>
        </div>
      </header>
      <ConnectionState />
      <main id="main" class="main" tabIndex={-1}>{children}</main>
      <FreshPassword />
      <Toasts />
    </>
  );
}

function toMain(event: Event): void {
  event.preventDefault();
  document.getElementById("main")?.focus();
}

function HostLink({ href, name }: { href: string; name: string }) {
  const path = pathname.value;
  const current = href === "/" ? path === "/" || path.startsWith("/apps/") : path === href;
  return <a href={href} aria-current={current ? (path === href ? "page" : "true") : undefined}>{name}</a>;
}

/** Vial's mark. */
export function Mark() {
  return (
    <svg class="mark" width="22" height="22" viewBox="0 0 32 32" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="2.6" stroke-linecap="round" stroke-linejoin="round">
      <path d="M11 4h10M13 4v8.200a4 4 0 0 1-.6 2.100L7.600 22A4 4 0 0 0 11 28h10a4 4 0 0 0 3.400-6l-4.800-7.700a4 4 0 0 1-.6-2.100V4" />
      <path d="M10 20.500h12" />
    </svg>
  );
}

function UserMenu() {
  const user = whoami.value;
  if (!user) return null;
  const check = (value: typeof theme.value) => (theme.value === value ? { icon: "check" as const } : {});
  return (
    <Menu
      label={`${user.name}: account and appearance`}
      class="menu-end"
      items={[
        { label: "Account", icon: "user", hint: `${user.name}, ${user.role}`, onSelect: () => navigate("/account") },
        { label: "As the system", ...check("system"), onSelect: () => chooseTheme("system") },
        { label: "Light", ...check("light"), onSelect: () => chooseTheme("light") },
        { label: "Dark", ...check("dark"), onSelect: () => chooseTheme("dark") },
        {
          label: "Log out",
          icon: "external",
          onSelect: () => logOut().catch((error: unknown) => toast(asProblem(error).message, "error")),
        },
      ]}
    >
      <Icon name="user" />
      <span class="bar-user">{user.name}</span>
    </Menu>
  );
}

function ConnectionState() {
  const lost = connection.value === "lost" || (connection.value === "connecting" && lostAt.value !== undefined);
  const going = [...apps.value.values()]
    .map((app) => app.deployment)
    .filter((it) => it !== undefined && it !== null && inProgress(it.status));
  const goes = going.some((it) => it?.kind === "rollback")
    ? "The rollback continues on the server."
    : going.length > 0
      ? "The deployment continues on the server."
      : "What you see is how it was.";
  return (
    <div role="status" class="connection-state">
      {lost && (
        <p class="connection-lost">
          <Icon name="warn" />
          <span><strong>Connection lost.</strong> {goes} Connecting again…</span>
        </p>
      )}
      {updatedTo.value && (
        <p class="connection-lost">
          <Icon name="info" />
          <span>
            Vial was updated to {updatedTo.value}. <a href={location.href} target="_self">Load the page anew</a>
          </span>
        </p>
      )}
    </div>
  );
}
