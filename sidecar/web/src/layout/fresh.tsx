// What needs the password given again: it is asked for where the daemon says so, and then done.

import type { VNode } from "preact";
import { useRef, useState } from "preact/hooks";
import { Refused, asProblem, post } from "../api/client";
import type { Problem } from "../api/types";
import { recognize, whoami } from "../session";
import { Button } from "../ui/button";
import { Dialog } from "../ui/dialog";
import { TextField } from "../ui/field";
import { ProblemNotice } from "../ui/state";

/** Whoever was asked for the password did not give it: nothing was done, and nothing is to be said. */
export class Abandoned extends Error {}

type Waiting = { reason: string; done: () => void; abandon: () => void };

/**
 * `ask` does something, and asks for the password where that is refused for want of it; `dialog`
 * has to be drawn somewhere on the page.
 */
export function useFresh(): { ask: <T>(reason: string, what: () => Promise<T>) => Promise<T>; dialog: VNode | null } {
  const [waiting, setWaiting] = useState<Waiting>();
  const latest = useRef<Waiting | undefined>(undefined);
  async function ask<T>(reason: string, what: () => Promise<T>): Promise<T> {
    try {
      return await what();
    } catch (error) {
      if (!(error instanceof Refused) || error.problem.code !== "password_needed") throw error;
    }
    latest.current?.abandon();
    await new Promise<void>((resolve, reject) => {
      const it = {
        reason,
        done: resolve,
        abandon: () => reject(new Abandoned("The password was not given.")),
      };
      latest.current = it;
      setWaiting(it);
    });
    return what();
  }
  const close = (it: Waiting, how: "done" | "abandon") => {
    latest.current = undefined;
    setWaiting(undefined);
    it[how]();
  };
  const dialog = waiting ? (
    <PasswordDialog
      reason={waiting.reason}
      onDone={() => close(waiting, "done")}
      onClose={() => close(waiting, "abandon")}
    />
  ) : null;
  return { ask, dialog };
}

function PasswordDialog(props: { reason: string; onDone: () => void; onClose: () => void }) {
  const [password, setPassword] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  async function confirm(event: Event) {
    event.preventDefault();
    if (busy || password === "") return;
    setBusy(true);
    setProblem(undefined);
    try {
      await post("/v1/session/password", { body: { password } });
      // Until when it holds is shown elsewhere; what needs it now does not wait for that.
      void recognize().catch(() => undefined);
      props.onDone();
    } catch (error) {
      setProblem(asProblem(error));
      setPassword("");
      setBusy(false);
    }
  }
  return (
    <Dialog
      title="Your password, once more"
      onClose={props.onClose}
      footer={
        <>
          <Button onClick={props.onClose}>Not now</Button>
          <Button kind="primary" type="submit" form="fresh-password" busy={busy} disabled={password === ""}>
            Go on
          </Button>
        </>
      }
    >
      <form id="fresh-password" class="form" onSubmit={(event) => void confirm(event)}>
        <p>{props.reason} It then holds for 10 minutes.</p>
        {/* For password managers, which fill in the user's own. */}
        <input type="text" hidden readOnly autocomplete="username" value={whoami.value?.name ?? ""} />
        <TextField
          label="Password"
          type="password"
          name="password"
          autocomplete="current-password"
          value={password}
          onValue={setPassword}
          autofocus
        />
        {problem && <ProblemNotice problem={problem} />}
      </form>
    </Dialog>
  );
}
