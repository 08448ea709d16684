// A dialog with a form that is sent, and asks for the password where the daemon wants it.

import type { ComponentChildren } from "preact";
import { useId, useState } from "preact/hooks";
import { asProblem } from "../../api/client";
import type { Problem } from "../../api/types";
import { NotGiven, withFresh } from "../../layout/fresh";
import { Button, type ButtonKind } from "../../ui/button";
import { Dialog } from "../../ui/dialog";
import { ProblemNotice } from "../../ui/state";

export function FormDialog(props: {
  title: string;
  action: string;
  kind?: ButtonKind;
  /** Why the password is asked for. */
  reason: string;
  ready?: boolean;
  send: () => Promise<unknown>;
  onClose: () => void;
  children: ComponentChildren;
}) {
  const form = useId();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const ready = props.ready ?? true;
  async function submit(event: Event) {
    event.preventDefault();
    if (busy || !ready) return;
    setBusy(true);
    setProblem(undefined);
    try {
      await withFresh(props.reason, props.send);
      props.onClose();
    } catch (error) {
      if (!(error instanceof NotGiven)) setProblem(asProblem(error));
      setBusy(false);
    }
  }
  return (
    <Dialog
      title={props.title}
      onClose={props.onClose}
      footer={
        <>
          <Button onClick={props.onClose}>Not now</Button>
          <Button kind={props.kind ?? "primary"} type="submit" form={form} busy={busy} disabled={!ready}>
            {props.action}
          </Button>
        </>
      }
    >
      <form id={form} class="form" onSubmit={(event) => void submit(event)}>
        {props.children}
        {problem && <ProblemNotice problem={problem} />}
      </form>
    </Dialog>
  );
}
