// One's own account: where one is logged in, and the password.

import { useEffect, useState } from "preact/hooks";
import { asProblem, get, post, remove } from "../../api/client";
import type { Problem, Session } from "../../api/types";
import { NotGiven, withFresh } from "../../layout/fresh";
import { Page } from "../../layout/page";
import type { PageProps } from "../../router";
import { logOut, whoami } from "../../session";
import { Badge } from "../../ui/badge";
import { Button } from "../../ui/button";
import { Confirm } from "../../ui/dialog";
import { Empty, Loading, ProblemNotice } from "../../ui/state";
import { Ago, Moment } from "../../ui/time";
import { toast } from "../../ui/toast";
import { browserOf } from "./browser";
import { NewPassword, fits } from "./new-password";
import "./style.css";

const MAY = {
  viewer: "looks: status, history, plans, logs",
  deployer: "looks, and changes what serves",
  admin: "may do everything",
} as const;

export default function Account(_: PageProps) {
  const user = whoami.value;
  if (!user) return null;
  return (
    <Page title="Account">
      <section class="card card-pad">
        <dl class="facts">
          <dt>Name</dt>
          <dd>{user.name}</dd>
          <dt>Role</dt>
          <dd><Badge>{user.role}</Badge> <span class="muted">{MAY[user.role]}</span></dd>
          {user.expires_at && (
            <>
              <dt>This session</dt>
              <dd>ends <Moment at={user.expires_at} />, or after 12 hours without use</dd>
            </>
          )}
        </dl>
      </section>
      <Sessions />
      <ChangePassword />
    </Page>
  );
}

function Sessions() {
  const [sessions, setSessions] = useState<Session[]>();
  const [problem, setProblem] = useState<Problem>();
  const [ending, setEnding] = useState<Session>();
  const name = whoami.value?.name;
  const load = () =>
    get<Session[]>("/v1/sessions").then(
      (all) => {
        setSessions(all.filter((it) => it.user === name));
        setProblem(undefined);
      },
      (error: unknown) => setProblem(asProblem(error)),
    );
  useEffect(() => void load(), []);

  async function end(session: Session) {
    if (session.current) {
      await logOut();
      return;
    }
    await remove("/v1/sessions/{id}", { path: { id: session.id } });
    toast("The session has ended, with its pages and consoles.");
    await load();
  }

  return (
    <section aria-labelledby="sessions-title" class="account-part">
      <h2 id="sessions-title">Where you are logged in</h2>
      {problem && <ProblemNotice problem={problem} retry={() => void load()} />}
      {!sessions && !problem && <Loading rows={2} />}
      {sessions?.length === 0 && <Empty title="No session"><p>You came in by a token.</p></Empty>}
      {sessions && sessions.length > 0 && (
        <ul class="card account-sessions">
          {sessions.map((it) => (
            <li key={it.id}>
              <div>
                <p><strong title={it.agent}>{browserOf(it.agent)}</strong> {it.current && <Badge tone="accent">This browser</Badge>}</p>
                <p class="muted">
                  from <span class="mono">{it.address}</span>, since <Moment at={it.made_at} />, used <Ago at={it.seen_at} />
                </p>
              </div>
              <Button small onClick={() => setEnding(it)} label={it.current ? "Log out here" : `End the session of ${browserOf(it.agent)} from ${it.address}`}>
                {it.current ? "Log out" : "End"}
              </Button>
            </li>
          ))}
        </ul>
      )}
      {ending && (
        <Confirm
          title={ending.current ? "Log out here?" : "End this session?"}
          action={ending.current ? "Log out" : "End it"}
          kind="danger"
          onConfirm={() => end(ending)}
          onClose={() => setEnding(undefined)}
        >
          <p>
            {browserOf(ending.agent)} from <span class="mono">{ending.address}</span>: its pages and consoles close within a second.
          </p>
        </Confirm>
      )}
    </section>
  );
}

function ChangePassword() {
  const [password, setPassword] = useState("");
  const [again, setAgain] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  async function submit(event: Event) {
    event.preventDefault();
    if (busy || !fits(password, again)) return;
    setBusy(true);
    setProblem(undefined);
    try {
      await withFresh("To change your password, give the one that holds now.", () =>
        post<void>("/v1/password", { body: { password } }),
      );
      toast("Your password was changed.");
      setPassword("");
      setAgain("");
    } catch (error) {
      if (!(error instanceof NotGiven)) setProblem(asProblem(error));
    }
    setBusy(false);
  }
  return (
    <section aria-labelledby="password-title" class="account-part">
      <h2 id="password-title">Password</h2>
      <form class="card card-pad form account-form" onSubmit={submit}>
        <input class="sr-only" type="text" name="username" autoComplete="username" value={whoami.value?.name ?? ""} readOnly tabIndex={-1} aria-hidden="true" />
        <NewPassword password={password} again={again} onPassword={setPassword} onAgain={setAgain} />
        {problem && <ProblemNotice problem={problem} />}
        <div>
          <Button kind="primary" type="submit" busy={busy} disabled={!fits(password, again)}>Change password</Button>
        </div>
      </form>
    </section>
  );
}
