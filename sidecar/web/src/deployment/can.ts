// What can be done with a deployment that has ended.

import type { Deployment } from "../api/types";
import { commitOf, inProgress } from "../ui/format";

/** Whether its release may still be there and is another than the one that serves. */
export function canReturnTo(it: Deployment, serving: number | undefined): boolean {
  return !!it.release && !!it.live_at && !inProgress(it.status) && serving !== undefined && it.release.number !== serving;
}

/** Whether its commit can be built again. */
export function canRedeploy(it: Deployment, builds: boolean): boolean {
  return builds && !inProgress(it.status) && !!commitOf(it);
}
