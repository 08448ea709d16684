// The operations that the pages of deployments ask for, by their names in the OpenAPI document.

import { get, post } from "./client";
import type { Accepted, AskBuild, Deployment, MigrationChoice, EnvironmentChoice, KeepStandby, Plan, Rollback } from "./types";

export type PlanAsk = {
  to?: number;
  cancel?: boolean;
  migrations?: MigrationChoice;
  env?: EnvironmentChoice;
};

export const fetchPlan = (app: string, query: PlanAsk, signal?: AbortSignal) =>
  get<Plan>("/v1/apps/{app}/rollback", { path: { app }, query, ...(signal && { signal }) });

export const rollBack = (app: string, body: Rollback, key: string) =>
  post<Accepted>("/v1/apps/{app}/rollback", { path: { app }, body, key });

export const keepStandby = (app: string, body: KeepStandby, key: string) =>
  post<Accepted>("/v1/apps/{app}/standby", { path: { app }, body, key });

export const build = (app: string, body: AskBuild, key: string) =>
  post<Accepted>("/v1/apps/{app}/builds", { path: { app }, body, key });

export const cancel = (app: string, key: string) =>
  post<Accepted>("/v1/apps/{app}/cancel", { path: { app }, key });

export const fetchDeployments = (app: string, query: { before?: number; limit?: number }) =>
  get<Deployment[]>("/v1/apps/{app}/deployments", { path: { app }, query });

export const fetchDeployment = (app: string, number: number | string) =>
  get<Deployment>("/v1/apps/{app}/deployments/{number}", { path: { app, number } });
