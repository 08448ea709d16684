// The variables that an app's releases start with: names and since when, values only on demand.
// The map: `index` is the page and its table, `dialogs` what sets, imports and unsets.

import { useEffect, useState } from "preact/hooks";
import { asProblem, get, newKey, post } from "../../api/client";
import type { Accepted, AppStatus, Environment, Variable } from "../../api/types";
import { AppFrame, appAddress } from "../../layout/app-frame";
import { NotGiven, withFresh } from "../../layout/fresh";
import { Page } from "../../layout/page";
import { type PageProps, navigate } from "../../router";
import { isAdmin, isDeployer } from "../../session";
import { Badge } from "../../ui/badge";
import { Button, CopyButton } from "../../ui/button";
import { Confirm } from "../../ui/dialog";
import { count, list } from "../../ui/format";
import { LoadedView, useLoad } from "../../ui/load";
import { Menu } from "../../ui/menu";
import { Empty, Notice } from "../../ui/state";
import { Ago } from "../../ui/time";
import { toast } from "../../ui/toast";
import { ImportDialog, SetDialog, UnsetDialog } from "./dialogs";
import "./environment.css";

/** Values are hidden again after so long: whoever looked has looked. */
const SHOWN_MS = 60_000;

export default function EnvironmentPage({ params }: PageProps) {
  const app = params["app"] ?? "";
  return <AppFrame app={app}>{(status) => <Variables app={app} status={status} />}</AppFrame>;
}

type Open =
  | { kind: "set"; variable?: Variable }
  | { kind: "import" }
  | { kind: "unset"; variable: Variable }
  | { kind: "restart" };

function Variables({ app, status }: { app: string; status: AppStatus }) {
  // What serves starts with another version after each deployment.
  const loaded = useLoad<Environment>(
    (signal) => get("/v1/apps/{app}/env", { path: { app }, signal }),
    [app, status.last?.number, status.last?.status, status.deployment?.status],
  );
  const [open, setOpen] = useState<Open>();
  const [values, setValues] = useState<ReadonlyMap<string, string | undefined>>();
  const [revealing, setRevealing] = useState(false);
  const close = () => setOpen(undefined);
  const changed = async (accepted: Accepted) => {
    toast(accepted.message);
    setValues(undefined);
    await loaded.reload();
  };
  useEffect(() => {
    if (!values) return undefined;
    const timer = setTimeout(() => setValues(undefined), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [values]);
  async function reveal() {
    setRevealing(true);
    try {
      const shown = await withFresh("Showing values needs your password, and is written to the activity.", () =>
        get<Environment>("/v1/apps/{app}/env/values", { path: { app } }),
      );
      setValues(new Map(shown.variables.map((it) => [it.name, it.value ?? undefined])));
    } catch (error) {
      if (!(error instanceof NotGiven)) toast(asProblem(error).message, "error");
    } finally {
      setRevealing(false);
    }
  }
  const some = (loaded.data?.variables.length ?? 0) > 0;
  return (
    <Page
      title="Environment"
      of={app}
      heading="Environment"
      actions={
        <>
          {isAdmin.value && some &&
            (values ? (
              <Button icon="lock" onClick={() => setValues(undefined)}>Hide values</Button>
            ) : (
              <Button icon="lock" busy={revealing} onClick={() => void reveal()}>Show values</Button>
            ))}
          {isDeployer.value && (
            <>
              <Button onClick={() => setOpen({ kind: "import" })}>Import…</Button>
              <Button kind="primary" icon="plus" onClick={() => setOpen({ kind: "set" })}>Set a variable</Button>
            </>
          )}
        </>
      }
    >
      <p class="muted env-intro">
        Vial keeps these encrypted, and every release starts with them; a rollback starts with those that its
        release ran with, but with today’s of what is secret.
        {!isDeployer.value && " You see the names; setting them needs the role deployer."}
        {isDeployer.value && !isAdmin.value && " Values are shown to admins only."}
      </p>
      <LoadedView loaded={loaded}>
        {(environment) => (
          <>
            <Pending environment={environment} onRestart={isDeployer.value ? () => setOpen({ kind: "restart" }) : undefined} />
            {environment.variables.length === 0 ? (
              <Empty title="Nothing is set">
                <p>
                  {app}’s releases start with what its <code>env_file</code> has, if it has one. What you set here comes
                  on top of it, and needs no file on the host.
                </p>
              </Empty>
            ) : (
              <Table environment={environment} values={values} onOpen={setOpen} />
            )}
          </>
        )}
      </LoadedView>
      {open?.kind === "set" && <SetDialog app={app} variable={open.variable} onDone={changed} onClose={close} />}
      {open?.kind === "import" && <ImportDialog app={app} onDone={changed} onClose={close} />}
      {open?.kind === "unset" && <UnsetDialog app={app} name={open.variable.name} onDone={changed} onClose={close} />}
      {open?.kind === "restart" && <RestartDialog app={app} onClose={close} />}
    </Page>
  );
}

/** What is set otherwise than what serves was started with. */
function Pending({ environment, onRestart }: { environment: Environment; onRestart: (() => void) | undefined }) {
  const { pending, version, serving } = environment;
  if (pending.length === 0) return null;
  const shown = pending.slice(0, 8);
  const more = pending.length - shown.length;
  return (
    <Notice kind="warn" title={`${count(pending.length, "change")} not in effect yet`}>
      <p>
        {list([...shown, ...(more > 0 ? [`${more} more`] : [])])}{" "}
        {pending.length === 1 ? "takes" : "take"} effect with the next deploy, redeploy or restart
        {serving ? `: what serves started with version ${serving}, today’s is ${version}.` : "."}
      </p>
      {onRestart && <Button small icon="redo" onClick={onRestart}>Restart with them…</Button>}
    </Notice>
  );
}

function Table(props: {
  environment: Environment;
  values: ReadonlyMap<string, string | undefined> | undefined;
  onOpen: (open: Open) => void;
}) {
  const { environment, values, onOpen } = props;
  const pending = new Set(environment.pending);
  const names = new Set(environment.variables.map((it) => it.name));
  const gone = environment.pending.filter((it) => !names.has(it));
  const acts = isDeployer.value;
  return (
    <div class="card">
      <table class="table stacks env-table">
        <caption class="sr-only">Variables, by name; version {environment.version} of the environment</caption>
        <thead>
          <tr>
            <th scope="col">Name</th>
            {values && <th scope="col">Value</th>}
            <th scope="col">Set</th>
            <th scope="col">By</th>
            <th scope="col" class="cell-num">Version</th>
            {acts && <th scope="col"><span class="sr-only">Actions</span></th>}
          </tr>
        </thead>
        <tbody>
          {environment.variables.map((it) => (
            <tr key={it.name}>
              <th scope="row" class="env-name">
                <code class="bare">{it.name}</code>
                {it.secret && <Badge title="every start takes today’s value, a rollback’s too">secret</Badge>}
                {pending.has(it.name) && <Badge tone="warn">not in effect yet</Badge>}
              </th>
              {values && (
                <td data-label="Value" class="env-value">
                  <Value value={values.get(it.name)} />
                </td>
              )}
              <td data-label="Set"><Ago at={it.set_at} /></td>
              <td data-label="By" class="breaks">{it.set_by}</td>
              <td data-label="Version" class="cell-num">{it.version}</td>
              {acts && (
                <td class="cell-actions">
                  <Menu
                    label={`Actions for ${it.name}`}
                    class="menu-end"
                    items={[
                      { label: "Set another value…", onSelect: () => onOpen({ kind: "set", variable: it }) },
                      { label: "Unset…", onSelect: () => onOpen({ kind: "unset", variable: it }) },
                    ]}
                  >
                    <Dots />
                  </Menu>
                </td>
              )}
            </tr>
          ))}
          {gone.map((name) => (
            <tr key={name} class="env-gone">
              <th scope="row" class="env-name">
                <code class="bare">{name}</code>
                <Badge tone="warn">unset; what serves still has it</Badge>
              </th>
              <td colSpan={(values ? 4 : 3) + (acts ? 1 : 0)} />
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Value({ value }: { value: string | undefined }) {
  if (value === undefined) return <span class="muted">cannot be opened with the key that the daemon has</span>;
  if (value === "") return <span class="muted">empty</span>;
  return (
    <span class="env-shown">
      <code class="bare">{value}</code>
      <CopyButton text={value} />
    </span>
  );
}

function Dots() {
  return <span aria-hidden="true" class="dots">⋯</span>;
}

function RestartDialog({ app, onClose }: { app: string; onClose: () => void }) {
  const [key] = useState(newKey);
  return (
    <Confirm
      title={`Restart ${app}`}
      action="Restart"
      onClose={onClose}
      onConfirm={async () => {
        const body = { reason: "for changed environment variables" };
        const accepted = await post<Accepted>("/v1/apps/{app}/restart", { path: { app }, body, key });
        toast(accepted.message);
        navigate(appAddress(app));
      }}
    >
      <p>
        The release that serves is started again in the idle slot with today’s variables, and takes the traffic once
        it is healthy. No request is lost. The history has it as a restart.
      </p>
    </Confirm>
  );
}
