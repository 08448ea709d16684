// What sets, imports and unsets variables.

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { asProblem, newKey, put, remove } from "../../api/client";
import type { Accepted, Problem, SetVariables, UnsetVariables, Variable } from "../../api/types";
import { Button } from "../../ui/button";
import { Confirm, Dialog } from "../../ui/dialog";
import { Checkbox, TextArea, TextField } from "../../ui/field";
import { ProblemNotice } from "../../ui/state";

type Done = (accepted: Accepted) => Promise<void>;
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const WHEN = "It takes effect with the next deploy, redeploy or restart.";

export function SetDialog(props: { app: string; variable?: Variable | undefined; onDone: Done; onClose: () => void }) {
  const { app, variable } = props;
  const [name, setName] = useState(variable?.name ?? "");
  const [value, setValue] = useState("");
  const [secret, setSecret] = useState(variable?.secret ?? true);
  const wrong = name !== "" && !NAME.test(name);
  return (
    <Asking
      title={variable ? `Another value for ${variable.name}` : "Set a variable"}
      action="Set"
      ready={name !== "" && !wrong}
      app={app}
      body={() => ({ variables: [{ name, value }], secret })}
      onDone={props.onDone}
      onClose={props.onClose}
    >
      {!variable && (
        <TextField
          label="Name"
          value={name}
          onValue={(it) => setName(it.trim())}
          mono
          autofocus
          maxLength={200}
          placeholder="DATABASE_URL"
          error={wrong ? "A name has letters, digits and underscores, and begins with no digit." : undefined}
        />
      )}
      <TextArea label="Value" value={value} onValue={setValue} mono rows={3} hint="As it is: no quotes needed, several lines are one value." />
      <Checkbox
        label="Secret"
        hint="Every start takes today’s value, a rollback’s too: a password that was changed stays changed."
        checked={secret}
        onValue={setSecret}
      />
      <p class="hint">{WHEN}</p>
    </Asking>
  );
}

/** The most that is read of a file. */
const MOST = 1 << 20;

export function ImportDialog(props: { app: string; onDone: Done; onClose: () => void }) {
  const [text, setText] = useState("");
  const [secret, setSecret] = useState(false);
  const [refused, setRefused] = useState<string>();
  async function take(file: File | undefined) {
    setRefused(undefined);
    if (!file) return;
    if (file.size > MOST) setRefused(`${file.name} is larger than 1 MiB: it is no file of variables.`);
    else setText(await file.text());
  }
  const names = text
    .split("\n")
    .map((it) => /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=/.exec(it)?.[1])
    .filter((it) => it !== undefined);
  return (
    <Asking
      title="Import variables"
      action={names.length > 0 ? `Set ${names.length}` : "Set"}
      ready={text.trim() !== ""}
      app={props.app}
      body={() => (secret ? { text, secret } : { text })}
      onDone={props.onDone}
      onClose={props.onClose}
      wide
    >
      <TextArea
        label="Lines of NAME=value"
        hint="As in an environment file. What is not named stays as it is."
        value={text}
        onValue={setText}
        rows={9}
        mono
      />
      <div class="field">
        <label for="import-file">Or from a file</label>
        <input id="import-file" type="file" class="input" onChange={(event) => void take(event.currentTarget.files?.[0])} />
        {refused && <p class="field-error" role="alert">{refused}</p>}
      </div>
      <Checkbox
        label="Mark all of them as secret"
        hint="Otherwise each stays as it was; new ones are not secret."
        checked={secret}
        onValue={setSecret}
      />
      <p class="hint">{WHEN}</p>
    </Asking>
  );
}

export function UnsetDialog(props: { app: string; name: string; onDone: Done; onClose: () => void }) {
  const [key] = useState(newKey);
  const { app, name } = props;
  return (
    <Confirm
      title={`Unset ${name}`}
      action="Unset"
      kind="danger"
      onClose={props.onClose}
      onConfirm={async () => {
        const body: UnsetVariables = { names: [name] };
        await props.onDone(await remove<Accepted>("/v1/apps/{app}/env", { path: { app }, body, key }));
      }}
    >
      <p>
        The next release of {app} starts without <code>{name}</code>, unless its <code>env_file</code> has it. What
        serves now keeps it until then.
      </p>
    </Confirm>
  );
}

/** A form whose answer is asked for once, also where it is sent twice. */
function Asking(props: {
  title: string;
  action: string;
  ready: boolean;
  app: string;
  body: () => SetVariables;
  wide?: boolean;
  onDone: Done;
  onClose: () => void;
  children: ComponentChildren;
}) {
  const [key, setKey] = useState(newKey);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  async function submit(event: Event) {
    event.preventDefault();
    if (busy || !props.ready) return;
    setBusy(true);
    setProblem(undefined);
    try {
      const accepted = await put<Accepted>("/v1/apps/{app}/env", { path: { app: props.app }, body: props.body(), key });
      props.onClose();
      await props.onDone(accepted);
    } catch (error) {
      setProblem(asProblem(error));
      // What is sent next may be something else, and is another request.
      setKey(newKey());
      setBusy(false);
    }
  }
  return (
    <Dialog
      title={props.title}
      wide={props.wide ?? false}
      onClose={props.onClose}
      footer={
        <>
          <Button onClick={props.onClose}>Not now</Button>
          <Button kind="primary" type="submit" form="set-variables" busy={busy} disabled={!props.ready}>
            {props.action}
          </Button>
        </>
      }
    >
      <form id="set-variables" class="form" onSubmit={(event) => void submit(event)}>
        {props.children}
        {problem && <ProblemNotice problem={problem} />}
      </form>
    </Dialog>
  );
}
