// Dialogs: the browser's own <dialog>, which traps the focus, closes on Escape, and gives the focus
// back to what opened it.

import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { asProblem } from "../api/client";
import type { Problem } from "../api/types";
import { Button, type ButtonKind } from "./button";
import { ProblemNotice } from "./state";

export function Dialog(props: {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
  footer?: ComponentChildren;
  wide?: boolean;
  /** Where the focus goes when it closes, where that is not what opened it. */
  returnTo?: () => HTMLElement | null | undefined;
}) {
  const ref = useRef<HTMLDialogElement>(null);
  const { returnTo } = props;
  const back = useRef(returnTo);
  back.current = returnTo;
  const title = useId();
  useEffect(() => {
    const dialog = ref.current;
    if (!dialog) return;
    const before = document.activeElement;
    if (!dialog.open) dialog.showModal();
    // What the dialog is about comes before the button that closes it.
    (dialog.querySelector<HTMLElement>("[autofocus]") ?? dialog.querySelector("h2"))?.focus();
    return () => {
      dialog.close();
      const to = back.current?.() ?? before;
      if (to instanceof HTMLElement && to.isConnected) to.focus({ preventScroll: true });
      // What opened it may be gone, or cannot be pressed any more.
      if (document.activeElement === document.body) document.getElementById("main")?.focus({ preventScroll: true });
    };
  }, []);
  return (
    <dialog
      ref={ref}
      class={props.wide ? "dialog dialog-wide" : "dialog"}
      aria-labelledby={title}
      onCancel={(event) => {
        if (event.target !== ref.current) return;
        event.preventDefault();
        props.onClose();
      }}
    >
      <header class="dialog-head">
        <h2 id={title} tabIndex={-1}>{props.title}</h2>
        <Button kind="quiet" icon="cross" label="Close" onClick={props.onClose} />
      </header>
      <div class="dialog-body">{props.children}</div>
      {props.footer && <footer class="dialog-foot">{props.footer}</footer>}
    </dialog>
  );
}

/** Asks once more, then does it; what refuses it is shown in the dialog. */
export function Confirm(props: {
  title: string;
  children: ComponentChildren;
  action: string;
  kind?: ButtonKind;
  /** Why it cannot be done yet. */
  blocked?: string | undefined;
  onConfirm: () => Promise<unknown>;
  onClose: () => void;
}) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const reason = useId();
  const why = useRef<HTMLDivElement>(null);
  // It stands below what may be more than the screen has room for.
  useEffect(() => why.current?.scrollIntoView({ block: "nearest" }), [problem]);
  async function confirm() {
    setBusy(true);
    setProblem(undefined);
    try {
      await props.onConfirm();
      props.onClose();
    } catch (error) {
      setProblem(asProblem(error));
      setBusy(false);
    }
  }
  return (
    <Dialog
      title={props.title}
      onClose={props.onClose}
      footer={
        <>
          {props.blocked && <p id={reason} class="dialog-reason">{props.blocked}</p>}
          <Button onClick={props.onClose}>Not now</Button>
          <Button
            kind={props.kind ?? "primary"}
            busy={busy}
            disabled={!!props.blocked}
            aria-describedby={props.blocked ? reason : undefined}
            onClick={confirm}
          >
            {props.action}
          </Button>
        </>
      }
    >
      {props.children}
      {problem && <div ref={why}><ProblemNotice problem={problem} /></div>}
    </Dialog>
  );
}
