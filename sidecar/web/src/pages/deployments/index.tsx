// Deployments of one app: what serves, Deploy and Rollback side by side, what is in progress, history.

import { useEffect, useMemo, useState } from "preact/hooks";
import type { AppStatus, Deployment } from "../../api/types";
import { BuildDialog } from "../../deployment/build";
import { History } from "../../deployment/history";
import { Ended, Progress } from "../../deployment/progress";
import { RollbackDialog } from "../../deployment/rollback";
import { AppFrame, appAddress } from "../../layout/app-frame";
import { Page } from "../../layout/page";
import { navigate, pathname, query, type PageProps } from "../../router";
import { isDeployer } from "../../session";
import { Notice, ProblemNotice } from "../../ui/state";
import { HistoryTable } from "./history";
import { Serving } from "./serving";
import "../../deployment/style.css";
import "./style.css";

export default function Deployments({ params }: PageProps) {
  const app = params["app"] ?? "";
  return <AppFrame app={app}>{(status) => <Body status={status} />}</AppFrame>;
}

/** A number in a query, if it is one. */
function numberOf(text: string | null): number | undefined {
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

function Body({ status }: { status: AppStatus }) {
  const app = status.name;
  const history = useMemo(() => new History(app), [app]);
  const [building, setBuilding] = useState<{ again?: Deployment } | undefined>();
  useEffect(() => history.follow(status), [history, status]);

  // What was watched is shown to its end, and what came of it.
  const [watched, setWatched] = useState<number>();
  const current = status.deployment?.number;
  useEffect(() => {
    if (current !== undefined) setWatched(current);
  }, [current]);
  const ended = status.last?.number === watched ? status.last : undefined;

  const base = appAddress(app);
  const asked = pathname.value === `${base}/rollback`;
  const to = numberOf(query.value.get("to"));
  const close = () => navigate(base, { replace: true });
  return (
    <Page title="Deployments" of={app} quiet>
      {status.warnings.map((it) => <ProblemNotice key={it.code + it.message} problem={it} kind="warn" />)}
      <Serving
        status={status}
        by={history.rows.value.find((it) => it.release?.number === status.serving?.number && !!it.live_at)}
        subjects={history.subjects}
        onDeploy={() => setBuilding({})}
        onRollback={() => navigate(`${base}/rollback`)}
      />
      {status.deployment && <Progress status={status} of={status.deployment} history={history} />}
      {!status.deployment && ended && (
        <Ended status={status} of={ended} history={history} onClose={() => setWatched(undefined)} />
      )}
      {!status.deployment && status.queued && (
        <Notice><p>#{status.queued.number} waits for its turn.</p></Notice>
      )}
      <HistoryTable
        status={status}
        history={history}
        onRedeploy={(again) => setBuilding({ again })}
        onRollBackTo={(it) => navigate(`${base}/rollback?to=${it.number}`)}
      />
      {asked && isDeployer.value && (
        <RollbackDialog
          key={query.value.toString()}
          status={status}
          subjects={history.subjects}
          to={to}
          cancel={query.value.get("cancel") === "true"}
          onClose={close}
          onDone={() => {
            close();
            // Rollback cannot be pressed for a while: what serves is what is looked at from here on.
            requestAnimationFrame(() => document.getElementById("serving-title")?.focus({ preventScroll: true }));
          }}
        />
      )}
      {building && <BuildDialog status={status} again={building.again} onClose={() => setBuilding(undefined)} />}
    </Page>
  );
}
