// Logging in.

import { useEffect, useState } from "preact/hooks";
import { Refused, asProblem, post } from "../../api/client";
import type { Problem, Whoami } from "../../api/types";
import { Mark } from "../../layout/shell";
import { restartLive } from "../../live/live";
import { navigate, place, type PageProps } from "../../router";
import { afterLogin, recognize, whoami } from "../../session";
import { Button } from "../../ui/button";
import { TextField } from "../../ui/field";
import { ProblemNotice } from "../../ui/state";
import "./style.css";

export default function Login(_: PageProps) {
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const [wait, setWait] = useState(0);

  useEffect(() => {
    document.title = "Log in · Vial";
    void recognize().catch(() => undefined);
  }, []);
  // Somebody who is logged in, here or in another tab, goes on.
  const user = whoami.value;
  useEffect(() => {
    if (user) navigate(afterLogin(place.peek().search), { replace: true });
  }, [user]);
  useEffect(() => {
    if (wait <= 0) return;
    const timer = setTimeout(() => setWait(wait - 1), 1000);
    return () => clearTimeout(timer);
  }, [wait]);

  async function submit(event: Event) {
    event.preventDefault();
    if (busy || wait > 0) return;
    setBusy(true);
    setProblem(undefined);
    try {
      whoami.value = await post<Whoami>("/v1/session", { body: { name: name.trim(), password } });
      restartLive();
    } catch (error) {
      if (error instanceof Refused && error.retryAfter) setWait(Math.min(error.retryAfter, 120));
      setProblem(asProblem(error));
      setPassword("");
      setBusy(false);
    }
  }

  return (
    <main class="entry">
      <div class="entry-card">
        <p class="entry-brand"><Mark /> Vial</p>
        <h1>Log in</h1>
        <form class="form" onSubmit={submit}>
          <TextField label="Name" name="username" autocomplete="username" value={name} onValue={setName} required autofocus />
          <TextField label="Password" type="password" name="password" autocomplete="current-password" value={password} onValue={setPassword} required />
          {problem && <ProblemNotice problem={problem} />}
          <Button kind="primary" type="submit" busy={busy} disabled={wait > 0}>
            {wait > 0 ? `Again in ${wait} s` : "Log in"}
          </Button>
        </form>
        <p class="hint">
          No account, or no password any more? On the host: <code>vial login-link NAME</code> prints a link that serves once.
        </p>
      </div>
    </main>
  );
}
