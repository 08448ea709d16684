// The history: one row for each deployment, newest first. Rows come in groups which the browser lays
// out only where they are seen, and a group is drawn anew only where one of its rows has changed.

import { useEffect, useMemo, useRef } from "preact/hooks";
import type { AppStatus, Deployment } from "../../api/types";
import type { History } from "../../deployment/history";
import { Empty, Loading, ProblemNotice } from "../../ui/state";
import { Button } from "../../ui/button";
import { Row, type RowActions } from "./row";

const GROUP = 25;

type Props = RowActions & { status: AppStatus; history: History };

/** Groups by number, so that a new row does not move all that follow from one group to another. */
function grouped(rows: readonly Deployment[]): Deployment[][] {
  const groups: Deployment[][] = [];
  let at: number | undefined;
  for (const row of rows) {
    const group = Math.floor(row.number / GROUP);
    if (group !== at) groups.push([]);
    at = group;
    groups.at(-1)?.push(row);
  }
  return groups;
}

export function HistoryTable({ status, history, onRedeploy, onRollBackTo }: Props) {
  const rows = history.rows.value;
  const groups = useMemo(() => grouped(rows), [rows]);
  const latest = useRef({ onRedeploy, onRollBackTo });
  latest.current = { onRedeploy, onRollBackTo };
  const actions = useMemo<RowActions>(
    () => ({
      onRedeploy: (it) => latest.current.onRedeploy(it),
      onRollBackTo: (it) => latest.current.onRollBackTo(it),
    }),
    [],
  );
  const problem = history.problem.value;
  return (
    <section aria-labelledby="history-title" class="history">
      <h2 id="history-title">History</h2>
      {problem && <ProblemNotice problem={problem} retry={() => void history.refresh()} />}
      {!history.loaded.value && !problem && <Loading rows={6} label="Loading the history" />}
      {history.loaded.value && rows.length === 0 && <Nothing status={status} />}
      {rows.length > 0 && (
        <div class="card history-table" role="table" aria-labelledby="history-title">
          <div role="rowgroup" class="history-heads">
            <div role="row" class="history-row">
              <span role="columnheader">Release</span>
              <span role="columnheader">Outcome</span>
              <span role="columnheader">Asked for by</span>
              <span role="columnheader" class="history-took">Took</span>
              <span role="columnheader"><span class="sr-only">What can be done</span></span>
            </div>
          </div>
          {groups.map((group) => (
            <Group
              key={Math.floor((group[0]?.number ?? 0) / GROUP)}
              rows={group}
              app={status.name}
              serving={status.serving?.number}
              builds={!!status.auto_deploy}
              subjects={history.subjects}
              actions={actions}
            />
          ))}
        </div>
      )}
      {history.more.value && <More history={history} />}
    </section>
  );
}

type GroupProps = { rows: Deployment[]; app: string; serving: number | undefined; builds: boolean; subjects: ReadonlyMap<string, string>; actions: RowActions };

function Group({ rows, app, serving, builds, subjects, actions }: GroupProps) {
  // The same element again is not looked into again.
  return useMemo(
    () => (
      <div role="rowgroup" class="history-group">
        {rows.map((it) => (
          <Row key={it.number} it={it} app={app} serving={serving} builds={builds} subjects={subjects} {...actions} />
        ))}
      </div>
    ),
    [app, serving, builds, subjects, actions, ...rows],
  );
}

/** Loads on when it comes into view; a button for those who do not scroll. */
function More({ history }: { history: History }) {
  const ref = useRef<HTMLDivElement>(null);
  const count = history.rows.value.length;
  useEffect(() => {
    const observer = new IntersectionObserver(
      (entries) => entries.some((it) => it.isIntersecting) && void history.older(),
      { rootMargin: "400px" },
    );
    if (ref.current) observer.observe(ref.current);
    return () => observer.disconnect();
  }, [history, count]);
  return (
    <div ref={ref} class="history-more">
      <Button kind="quiet" busy={history.loading.value} onClick={() => void history.older()}>
        Show older deployments
      </Button>
    </div>
  );
}

function Nothing({ status }: { status: AppStatus }) {
  return (
    <Empty title="Nothing was deployed yet">
      {status.auto_deploy ? (
        <p>Press Deploy to build <code>{status.auto_deploy.branch}</code>, or push to it.</p>
      ) : (
        <p>On the host: <code>vial deploy {status.name} PATH</code> with a release folder or its archive.</p>
      )}
    </Empty>
  );
}
