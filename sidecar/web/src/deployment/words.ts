// A deployment in sentences: what it does, what a failure would mean, what came of it.

import type { Deployment } from "../api/types";
import { duration, label, short } from "../ui/format";

/** "Rolling back to v1.4.2" */
export function doing(it: Deployment): string {
  const to = it.release ? label(it.release) : it.commit ? short(it.commit.sha) : it.build?.ref;
  switch (it.kind) {
    case "rollback":
      return `Rolling back${to ? ` to ${to}` : ""}`;
    case "restart":
      return `Restarting${to ? ` ${to}` : ""}`;
    case "redeploy":
      return `Redeploying${to ? ` ${to}` : ""}`;
    case "deploy":
      return `Deploying${to ? ` ${to}` : ""}`;
  }
}

/** What a failure from here on would mean. */
export function onFailure(it: Deployment, serving: string | undefined): string {
  const name = it.release ? label(it.release) : "the new release";
  if (it.status === "baking") {
    const back = serving === name || !serving ? "the release before it" : serving;
    return `If ${name} crashes or fails its health check before the bake ends, Vial goes back to ${back} by itself, in one switch.`;
  }
  if (it.status === "draining") return `${name} has the traffic. The old slot only finishes what it has.`;
  const stays = serving ? `${serving} goes on serving` : "nothing changes: no release serves yet";
  if (it.status === "reverting" || (it.reverts?.length && !it.live_at)) {
    return `If it fails, what was reverted is migrated up again and ${stays}.`;
  }
  if (it.status === "migrating") {
    return `If it fails, ${stays}; migrations that were applied by then stay, and the history says which.`;
  }
  return `If it fails, ${stays}.`;
}

/** "Rolled back: v1.4.2 serves after 0.9 s." */
export function cameOf(it: Deployment, serving: string | undefined): string {
  const serves = serving ? `${serving} serves` : "nothing serves";
  if (it.status === "failed") return `Failed: ${serves}.`;
  if (it.status === "cancelled") return `Cancelled: ${serves}.`;
  const time = it.live_at ? ` after ${duration(Date.parse(it.live_at) - Date.parse(it.queued_at))}` : "";
  return `${it.kind === "rollback" ? "Rolled back" : "Done"}: ${serves}${time}.`;
}
