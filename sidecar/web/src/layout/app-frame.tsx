// What is around every page of one app: its name, its tabs, and whether it is there at all.

import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { AppStatus } from "../api/types";
import { appStatus, complete } from "../live/store";
import { pathname } from "../router";
import { isAdmin } from "../session";
import { Loading } from "../ui/state";
import { Page } from "./page";

const TABS = [
  ["", "Deployments"],
  ["/slots", "Slots"],
  ["/logs", "Logs"],
  ["/console", "Console"],
  ["/environment", "Environment"],
  ["/settings", "Settings"],
  ["/activity", "Activity"],
] as const;
const ADMINS: ReadonlySet<string> = new Set(["/console", "/activity"]);

/** The address of a page of an app. */
export function appAddress(app: string, page = ""): string {
  return `/apps/${encodeURIComponent(app)}${page}`;
}

/** The tabs, and below them what the function makes of the app's status. */
export function AppFrame({ app, children }: { app: string; children: (status: AppStatus) => ComponentChildren }) {
  const status = appStatus(app).value;
  const path = pathname.value;
  const base = appAddress(app);
  const tabs = useRef<HTMLElement>(null);
  useEffect(() => {
    // On a narrow screen the tabs are wider than it: the current one is brought into view.
    const strip = tabs.current;
    const shown = strip?.querySelector<HTMLElement>("[aria-current]");
    if (strip && shown) strip.scrollLeft = shown.offsetLeft - (strip.clientWidth - shown.offsetWidth) / 2;
  }, [path]);
  const current = (page: string) =>
    page === ""
      ? path === base || path.startsWith(`${base}/deployments`) || path.startsWith(`${base}/rollback`)
      : path === base + page;
  return (
    <>
      <div class="app-head">
        <div class="app-head-inner">
          <nav class="crumbs" aria-label="Where you are">
            <a href="/">Apps</a>
            <span aria-hidden="true">/</span>
            <a href={base} class="app-name">{app}</a>
          </nav>
          <nav ref={tabs} class="tabs" aria-label={`Pages of ${app}`}>
            {TABS.filter(([page]) => isAdmin.value || !ADMINS.has(page)).map(([page, name]) => (
              <a key={page} href={base + page} aria-current={current(page) ? "page" : undefined}>{name}</a>
            ))}
          </nav>
        </div>
      </div>
      {status ? children(status) : complete.value ? <Unknown app={app} /> : <div class="page"><Loading rows={5} /></div>}
    </>
  );
}

function Unknown({ app }: { app: string }) {
  return (
    <Page title={`No app is called ${app}`}>
      <p>It was never configured, was taken out, or you may not see it.</p>
      <p><a href="/">All apps</a></p>
    </Page>
  );
}
