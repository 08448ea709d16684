// Which page an address is, and who may see it.

import { useEffect, useState } from "preact/hooks";
import { asProblem } from "./api/client";
import type { Problem } from "./api/types";
import { Page as Frame } from "./layout/page";
import { Shell } from "./layout/shell";
import { startLive } from "./live/live";
import Account from "./pages/account";
import Apps from "./pages/apps";
import Deployments from "./pages/deployments";
import First from "./pages/first";
import Login from "./pages/login";
import { lazy, match, navigate, pathname, type Page } from "./router";
import { loginAddress, recognize, whoami } from "./session";
import { Loading, ProblemNotice } from "./ui/state";

function Waiting() {
  return <div class="page"><Loading rows={5} /></div>;
}
const later = (load: () => Promise<{ default: Page }>) => lazy(load, Waiting);

/** Pages that nobody need be logged in for. */
const OPEN: readonly [string, Page][] = [
  ["/login", Login],
  ["/first", First],
];

const PAGES: readonly [string, Page][] = [
  ["/", Apps],
  ["/apps/:app", Deployments],
  ["/apps/:app/rollback", Deployments],
  ["/apps/:app/deployments/:number", later(() => import("./pages/deployment"))],
  ["/apps/:app/slots", later(() => import("./pages/slots"))],
  ["/apps/:app/logs", later(() => import("./pages/logs"))],
  ["/apps/:app/console", later(() => import("./pages/console"))],
  ["/apps/:app/environment", later(() => import("./pages/environment"))],
  ["/apps/:app/settings", later(() => import("./pages/settings"))],
  ["/apps/:app/activity", later(() => import("./pages/activity"))],
  ["/activity", later(() => import("./pages/activity/host"))],
  ["/access", later(() => import("./pages/access"))],
  ["/account", Account],
];

function find(pages: readonly [string, Page][], path: string) {
  for (const [pattern, Found] of pages) {
    const params = match(pattern, path);
    // A page of another app is another page: nothing of the one before it stays. The rollback's
    // address is the page of the deployments with a dialog over it, so that it does stay.
    if (params) return <Found key={`${params["app"] ?? ""} ${params["number"] ?? ""}`} params={params} />;
  }
  return undefined;
}

export function App() {
  const open = find(OPEN, pathname.value);
  return open ?? <Guarded />;
}

function Guarded() {
  const [problem, setProblem] = useState<Problem>();
  const [attempt, again] = useState(0);
  const user = whoami.value;
  useEffect(() => {
    if (whoami.peek() === undefined) {
      setProblem(undefined);
      recognize().catch((error: unknown) => setProblem(asProblem(error)));
    }
  }, [attempt]);
  useEffect(() => {
    if (user === null) navigate(loginAddress(), { replace: true });
    else if (user) startLive();
  }, [user]);
  if (problem) {
    return <main class="page"><ProblemNotice problem={problem} retry={() => again(attempt + 1)} /></main>;
  }
  if (!user) return null;
  return <Shell>{find(PAGES, pathname.value) ?? <Nowhere />}</Shell>;
}

function Nowhere() {
  return (
    <Frame title="There is no such page">
      <p><a href="/">All apps</a></p>
    </Frame>
  );
}
