// Asking for a build: a deploy of a branch, a tag or a commit, or a redeploy of what was built before.

import { useEffect, useRef, useState } from "preact/hooks";
import { Refused, asProblem, newKey } from "../api/client";
import { build } from "../api/operations";
import type { AppStatus, AskBuild, Deployment, Problem } from "../api/types";
import { Button } from "../ui/button";
import { Dialog } from "../ui/dialog";
import { Checkbox, TextArea, TextField } from "../ui/field";
import { commitOf, label, short } from "../ui/format";
import { Notice, ProblemNotice } from "../ui/state";
import { toast } from "../ui/toast";
import { buildCommand } from "./command";
import { SameCommand } from "./rollback";

type Props = {
  status: AppStatus;
  /** The deployment whose commit is built again; absent for a deploy. */
  again?: Deployment | undefined;
  onClose: () => void;
};

export function BuildDialog({ status, again, onClose }: Props) {
  const app = status.name;
  const branch = status.auto_deploy?.branch ?? "";
  const [reference, setReference] = useState("");
  const [allow, setAllow] = useState(again?.build?.allow_destructive ?? false);
  const [reason, setReason] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const sent = useRef<{ body: string; key: string } | undefined>(undefined);

  const ask: AskBuild = {};
  if (again) ask.deployment = again.number;
  else if (reference.trim()) ask.ref = reference.trim();
  if (allow) ask.allow_destructive = true;
  if (reason.trim()) ask.reason = reason.trim();
  const body = JSON.stringify(ask);
  useEffect(() => setProblem(undefined), [body]);

  async function submit(event: Event) {
    event.preventDefault();
    if (busy) return;
    if (sent.current?.body !== body) sent.current = { body, key: newKey() };
    setBusy(true);
    setProblem(undefined);
    try {
      const accepted = await build(app, ask, sent.current.key);
      toast(accepted.message);
      onClose();
    } catch (error) {
      setProblem(asProblem(error));
      setBusy(false);
      // What was refused may be asked for again later: that is another request.
      if (error instanceof Refused) sent.current = undefined;
    }
  }

  const going = status.deployment;
  return (
    <Dialog
      title={again ? `Redeploy #${again.number} of ${app}` : `Deploy ${app}`}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>Not now</Button>
          <Button kind="primary" icon={again ? "redo" : "up"} type="submit" form="build-form" busy={busy}>
            {again ? "Redeploy" : "Deploy"}
          </Button>
        </>
      }
    >
      <form id="build-form" class="form" onSubmit={submit}>
        {again ? <Again it={again} status={status} /> : (
          <TextField
            label="Branch, tag or commit"
            hint={`The tip of ${branch} where nothing is written. A commit is given by its whole id.`}
            placeholder={branch}
            value={reference}
            onValue={setReference}
            maxLength={255}
            mono
            autofocus
          />
        )}
        {going && (
          <Notice>
            <p>#{going.number} is in progress. This one waits until that has ended.</p>
          </Notice>
        )}
        <Checkbox
          label="Allow a destructive migration"
          hint="From its migration to its switch, the release that serves meets a schema that it does not know. Without this, such a deploy is refused before it changes anything."
          checked={allow}
          onValue={setAllow}
        />
        <TextArea label="Reason (optional)" hint="It stands in the history, for everyone who looks later." rows={2} maxLength={1000} value={reason} onValue={setReason} />
        <SameCommand command={buildCommand(app, ask, branch)} />
        {problem && <ProblemNotice problem={problem} />}
      </form>
    </Dialog>
  );
}

function Again({ it, status }: { it: Deployment; status: AppStatus }) {
  const commit = commitOf(it);
  const older = !!status.serving && !!it.release && it.release.number < status.serving.number;
  return (
    <>
      <p>
        Builds {commit ? <>commit <code>{short(commit.sha)}</code></> : "the same commit"}{commit?.subject ? ` (${commit.subject})` : ""} afresh
        and deploys it{it.release ? ` as another ${label(it.release)}` : ""}, with the environment of today. A rollback would not build anything.
      </p>
      {older && (
        <Notice kind="warn">
          <p>This commit is older than what serves. A redeploy reverts no migration that came after it: it meets the database as it is.</p>
        </Notice>
      )}
    </>
  );
}
