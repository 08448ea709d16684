// The password once more: a console, a secret and the like need it fresh. Whoever asks for such a
// thing wraps it in `withFresh`, which asks for the password where the daemon wants it and goes on.

import { signal } from "@preact/signals";
import { useState } from "preact/hooks";
import { Refused, asProblem, post } from "../api/client";
import type { Problem } from "../api/types";
import { recognize, whoami } from "../session";
import { Button } from "../ui/button";
import { Dialog } from "../ui/dialog";
import { TextField } from "../ui/field";
import { ProblemNotice } from "../ui/state";

/** Nobody gave the password: what needed it was not done. */
export class NotGiven extends Error {
  constructor() {
    super("Nothing was done: the password was not given.");
  }
}

const asking = signal<{ why: string; done: (given: boolean) => void } | undefined>(undefined);

function ask(why: string): Promise<boolean> {
  asking.peek()?.done(false);
  return new Promise((resolve) => {
    asking.value = {
      why,
      done: (given) => {
        asking.value = undefined;
        resolve(given);
      },
    };
  });
}

/** Does it; where the daemon wants the password for it, asks for that first and does it again. */
export async function withFresh<T>(why: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Refused) || error.problem.code !== "password_needed") throw error;
  }
  if (!(await ask(why))) throw new NotGiven();
  return work();
}

/** The dialog of `withFresh`: once in the shell. */
export function FreshPassword() {
  const it = asking.value;
  return it ? <PasswordDialog key={it.why} why={it.why} done={it.done} /> : null;
}

function PasswordDialog({ why, done }: { why: string; done: (given: boolean) => void }) {
  const [password, setPassword] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  async function submit(event: Event) {
    event.preventDefault();
    // What is in the field, also where Enter came before the page took note of it.
    const given = String(new FormData(event.currentTarget as HTMLFormElement).get("password") ?? "");
    if (busy || given === "") return;
    setBusy(true);
    setProblem(undefined);
    try {
      await post("/v1/session/password", { body: { password: given } });
      await recognize().catch(() => undefined);
      done(true);
    } catch (error) {
      setProblem(asProblem(error));
      setPassword("");
      setBusy(false);
    }
  }
  return (
    <Dialog
      title="Your password once more"
      onClose={() => done(false)}
      footer={
        <>
          <Button onClick={() => done(false)}>Not now</Button>
          <Button kind="primary" type="submit" form="fresh-password" busy={busy}>
            Go on
          </Button>
        </>
      }
    >
      <form id="fresh-password" class="form" onSubmit={submit}>
        <p>{why} It then holds for 10 minutes.</p>
        <input class="sr-only" type="text" name="username" autoComplete="username" value={whoami.value?.name ?? ""} readOnly tabIndex={-1} aria-hidden="true" />
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
