// The confirmation of a rollback: the plan, the choices that it needs, and the one button.

import { useEffect, useId, useRef, useState } from "preact/hooks";
import { Refused, Unreachable, asProblem, newKey } from "../api/client";
import { fetchPlan, rollBack, type PlanAsk } from "../api/operations";
import type { AppStatus, Plan, Problem, Rollback } from "../api/types";
import { Button, CopyButton } from "../ui/button";
import { Dialog } from "../ui/dialog";
import { TextArea } from "../ui/field";
import { label } from "../ui/format";
import { Loading, Notice, ProblemNotice } from "../ui/state";
import { toast } from "../ui/toast";
import { rollbackCommand } from "./command";
import { PlanView, type Choices } from "./plan";
import { idleOf } from "./standby";

type Props = { status: AppStatus; subjects: ReadonlyMap<string, string>; to: number | undefined; cancel: boolean; onClose: () => void; onDone: () => void };

export function RollbackDialog({ status, subjects, to, cancel: wantsCancel, onClose, onDone }: Props) {
  const app = status.name;
  const [cancel, setCancel] = useState(wantsCancel);
  const [choices, setChoices] = useState<Choices>({ migrations: undefined, env: "own" });
  const [reason, setReason] = useState("");
  const [plan, setPlan] = useState<Plan>();
  const [differs, setDiffers] = useState<readonly string[]>([]);
  const [refusal, setRefusal] = useState<Problem>();
  const [problem, setProblem] = useState<Problem>();
  const [stale, setStale] = useState(false);
  const [busy, setBusy] = useState(false);
  const [planning, setPlanning] = useState(false);
  const [attempt, again] = useState(0);
  const sent = useRef<{ body: string; key: string } | undefined>(undefined);
  const done = useRef(false);
  const why = useId();

  const moment = momentOf(status);
  useEffect(() => {
    // What was asked for and accepted is not planned again.
    if (busy) return;
    const abort = new AbortController();
    const ask: PlanAsk = { env: choices.env };
    if (to !== undefined) ask.to = to;
    if (cancel) ask.cancel = true;
    if (choices.migrations) ask.migrations = choices.migrations;
    setPlanning(true);
    fetchPlan(app, ask, abort.signal)
      .then((fresh) => take(fresh, ask.env === "own"))
      .catch((error: unknown) => {
        if (abort.signal.aborted) return;
        setPlan(undefined);
        setRefusal(asProblem(error));
      })
      .finally(() => !abort.signal.aborted && setPlanning(false));
    return () => abort.abort();
  }, [app, to, cancel, choices.migrations, choices.env, attempt, moment]);

  function take(fresh: Plan, own: boolean) {
    // Someone who reads a plan is told when it becomes another one.
    if (plan && (fresh.from.number !== plan.from.number || fresh.to.number !== plan.to.number)) setStale(true);
    setPlan(fresh);
    setRefusal(undefined);
    if (own) setDiffers(fresh.environment?.differs ?? []);
    if (!choices.migrations && fresh.database.action === "keep") setChoices({ ...choices, migrations: "keep" });
  }

  function body(): Rollback {
    const ask: Rollback = { env: choices.env };
    if (to !== undefined) ask.to = to;
    if (cancel) ask.cancel = true;
    if (choices.migrations && plan && plan.migrations.length > 0) ask.migrations = choices.migrations;
    if (reason.trim()) ask.reason = reason.trim();
    return ask;
  }

  async function confirm() {
    if (!plan) return;
    const ask = { ...body(), digest: plan.digest };
    const text = JSON.stringify(ask);
    // The same thing asked for twice is one rollback; another one is another.
    if (sent.current?.body !== text) sent.current = { body: text, key: newKey() };
    setBusy(true);
    setProblem(undefined);
    setStale(false);
    try {
      const accepted = await rollBack(app, ask, sent.current.key);
      toast(accepted.message);
      done.current = true;
      onDone();
    } catch (error) {
      setBusy(false);
      // Only what may have been accepted is the same request when it is sent again.
      if (error instanceof Refused) sent.current = undefined;
      if (error instanceof Refused && error.problem.code === "stale_plan") {
        setStale(true);
        if (error.problem.plan) take(error.problem.plan, choices.env === "own");
        else again(attempt + 1);
      } else if (error instanceof Unreachable) {
        setProblem({
          code: "internal",
          message: "The connection was lost before the daemon answered, so it is not known whether the rollback began.",
          next: "press the button again: if it has begun, it is not done twice",
        });
      } else setProblem(asProblem(error));
    }
  }

  const needsChoice = plan && plan.migrations.length > 0 && !choices.migrations;
  const blocked = needsChoice ? "First choose what shall become of the migrations." : undefined;
  const canCancel = refusal?.code === "in_progress" && !cancel;
  return (
    <Dialog
      title={plan ? `Roll ${app} back to ${label(plan.to)}` : `Roll ${app} back`}
      wide
      onClose={onClose}
      // The button that opened it cannot be pressed while what it began is under way.
      returnTo={() => (done.current ? document.getElementById("main") : undefined)}
      footer={
        <>
          {blocked && (
            <p class="dialog-reason">
              <button type="button" id={why} class="link" onClick={toChoice}>{blocked}</button>
            </p>
          )}
          <Button onClick={onClose}>Not now</Button>
          <Button
            kind="primary"
            icon="back"
            busy={busy}
            disabled={!plan || planning || !!blocked}
            aria-describedby={blocked ? why : undefined}
            onClick={confirm}
          >
            {plan ? `Roll back to ${label(plan.to)}` : "Roll back"}
          </Button>
        </>
      }
    >
      {stale && (
        <Notice kind="warn" title="The plan has changed since you read it." live>
          <p>This is how it is now. Nothing was changed yet: read it, and confirm again.</p>
        </Notice>
      )}
      {refusal && (
        <ProblemNotice problem={refusal} kind="warn" retry={refusal.code === "internal" ? () => again(attempt + 1) : undefined}>
          {canCancel && (
            <Button small onClick={() => setCancel(true)}>Plan it with cancelling that first</Button>
          )}
        </ProblemNotice>
      )}
      {!plan && !refusal && <Loading rows={4} label="Asking for the plan" />}
      {plan && (
        <>
          <PlanView plan={plan} status={status} subjects={subjects} choices={choices} differs={differs} onChoose={setChoices} />
          <TextArea label="Reason (optional)" hint="It stands in the history, for everyone who looks later." rows={2} maxLength={1000} value={reason} onValue={setReason} />
          <SameCommand command={rollbackCommand(app, body())} />
          {problem && <ProblemNotice problem={problem} />}
        </>
      )}
    </Dialog>
  );
}

/** The same, as a command to copy. */
export function SameCommand({ command }: { command: string }) {
  return (
    <div class="same">
      <p class="hint">The same as a command</p>
      <div class="command">
        <code>{command}</code>
        <CopyButton text={command} />
      </div>
    </div>
  );
}

/** To where the choice is made. */
function toChoice(): void {
  const choice = document.querySelector<HTMLElement>("dialog[open] fieldset input:not(:disabled)");
  choice?.scrollIntoView({ block: "center" });
  choice?.focus();
}

/** Changes when the plan may have. */
function momentOf(status: AppStatus): string {
  const { deployment, last, serving } = status;
  // What is frozen or stopped meanwhile takes another time.
  const idle = idleOf(status);
  return [
    serving?.number, deployment?.number, deployment?.live_at, last?.number, last?.status,
    idle?.state, idle?.standby?.mode, idle?.standby?.ready,
  ].join();
}
