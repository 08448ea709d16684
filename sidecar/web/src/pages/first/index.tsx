// The first login, by a link that serves once: a password is chosen here. The link's token stands
// behind the `#`, which browsers send to nobody, and is taken out of the address at once.

import { useEffect, useState } from "preact/hooks";
import { asProblem, post } from "../../api/client";
import type { Problem, Whoami } from "../../api/types";
import { Mark } from "../../layout/shell";
import { restartLive } from "../../live/live";
import { navigate, place, type PageProps } from "../../router";
import { whoami } from "../../session";
import { Button } from "../../ui/button";
import { ProblemNotice, Sentence } from "../../ui/state";
import { NewPassword, fits } from "../account/new-password";
import "../login/style.css";

export default function First(_: PageProps) {
  const [token] = useState(() => place.peek().hash.slice(1));
  const [password, setPassword] = useState("");
  const [again, setAgain] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();

  useEffect(() => {
    document.title = "First login · Vial";
    if (place.peek().hash) navigate("/first", { replace: true });
  }, []);

  async function submit(event: Event) {
    event.preventDefault();
    if (busy || !fits(password, again)) return;
    setBusy(true);
    setProblem(undefined);
    try {
      whoami.value = await post<Whoami>("/v1/session/link", { body: { token, password } });
      restartLive();
      navigate("/", { replace: true });
    } catch (error) {
      setProblem(asProblem(error));
      setBusy(false);
    }
  }

  return (
    <main class="entry">
      <div class="entry-card">
        <p class="entry-brand"><Mark /> Vial</p>
        <h1>Choose your password</h1>
        {token === "" ? (
          <ProblemNotice
            kind="warn"
            problem={{
              code: "bad_request",
              message: "This address is not a whole login link: what stands behind its # is missing.",
              next: "open the link anew as it was printed, or print another with `vial login-link NAME` on the host",
            }}
          />
        ) : (
          <form class="form" onSubmit={submit}>
            <p class="muted"><Sentence text="This link logs you in once. After that you come in with your name and this password." /></p>
            <NewPassword password={password} again={again} onPassword={setPassword} onAgain={setAgain} />
            {problem && <ProblemNotice problem={problem} />}
            <Button kind="primary" type="submit" busy={busy} disabled={!fits(password, again)}>
              Set it and log in
            </Button>
          </form>
        )}
      </div>
    </main>
  );
}
