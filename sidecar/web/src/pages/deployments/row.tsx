// One row of the history.

import type { Deployment } from "../../api/types";
import { canRedeploy, canReturnTo } from "../../deployment/can";
import { appAddress } from "../../layout/app-frame";
import { isDeployer } from "../../session";
import { Badge, KindBadges, StatusBadge } from "../../ui/badge";
import { commitOf, inProgress, label, short } from "../../ui/format";
import { Icon } from "../../ui/icon";
import { Menu, type MenuItem } from "../../ui/menu";
import { Ago, Span } from "../../ui/time";
import { navigate } from "../../router";

export type RowActions = {
  onRedeploy: (it: Deployment) => void;
  onRollBackTo: (it: Deployment) => void;
};

type Props = RowActions & { it: Deployment; app: string; serving: number | undefined; builds: boolean; subjects: ReadonlyMap<string, string> };

export function Row({ it, app, serving, builds, subjects, onRedeploy, onRollBackTo }: Props) {
  const address = appAddress(app, `/deployments/${it.number}`);
  const commit = commitOf(it);
  const subject = commit && (commit.subject ?? subjects.get(commit.sha));
  const serves = it.release?.number === serving && !!it.live_at && (it.status === "succeeded" || inProgress(it.status));
  const items: MenuItem[] = [
    { label: "Open", icon: "right", hint: "Steps, build log, log of that time", onSelect: () => navigate(address) },
  ];
  if (isDeployer.value && canReturnTo(it, serving)) {
    items.push({ label: "Roll back to this", icon: "back", hint: "No build; shows the plan first", onSelect: () => onRollBackTo(it) });
  }
  if (isDeployer.value && canRedeploy(it, builds)) {
    items.push({ label: "Redeploy", icon: "redo", hint: "Builds the same commit afresh", onSelect: () => onRedeploy(it) });
  }
  return (
    <div role="row" class={serves ? "history-row history-serves" : "history-row"}>
      <div role="cell" class="history-release">
        <p class="history-version">
          <a href={address} class="truncate" title={it.release ? label(it.release) : undefined}>
            {it.release ? label(it.release) : it.build ? it.build.ref : "No release"}
          </a>
          <span class="faint num">#{it.number}</span>
        </p>
        {commit && (
          <p class="history-commit">
            <span class="mono" title={commit.sha}>{short(commit.sha)}</span>
            <span class="truncate" title={subject}>{subject}</span>
          </p>
        )}
      </div>
      <div role="cell" class="history-outcome">
        <p class="history-badges">
          <StatusBadge status={it.status} />
          {serves && <Badge tone="accent">Serving</Badge>}
          <KindBadges it={it} />
          {it.rolled_back_by && (
            <a class="history-by" href={appAddress(app, `/deployments/${it.rolled_back_by}`)}>
              <Icon name="back" />by #{it.rolled_back_by}
            </a>
          )}
        </p>
        {it.error && <p class="history-error" title={it.error.message}>{it.error.message}</p>}
        {it.reason && <p class="history-reason" title={it.reason}>{it.reason}</p>}
      </div>
      <div role="cell" class="history-who">
        <span class="truncate" title={it.actor}>{it.actor}</span>
        <span class="muted"><Ago at={it.queued_at} /></span>
      </div>
      <div role="cell" class="history-took">
        <Span from={it.queued_at} to={it.live_at ?? it.ended_at} />
      </div>
      <div role="cell" class="history-menu">
        <Menu label={`What can be done with #${it.number}`} items={items} class="menu-end"><Icon name="dots" /></Menu>
      </div>
    </div>
  );
}
