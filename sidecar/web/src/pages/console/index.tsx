// IEx in the browser, on a node of the app.
// The map: `index` decides what is shown and opens consoles, `offer` is what is shown before,
// `session` a console that is open, `keys` the keys that phones lack. xterm.js is in `src/terminal`,
// loaded when there is a console.

import { useEffect, useState } from "preact/hooks";
import { asProblem, get, post } from "../../api/client";
import type { AppStatus, Console, OpenConsole, Problem } from "../../api/types";
import { AppFrame } from "../../layout/app-frame";
import { NotGiven, withFresh } from "../../layout/fresh";
import { Page } from "../../layout/page";
import { type PageProps, query } from "../../router";
import { isAdmin } from "../../session";
import { Loading, Notice, ProblemNotice } from "../../ui/state";
import { forgotten, kept, keep } from "./kept";
import { Offer } from "./offer";
import { Session } from "./session";
import { useOwnDocument } from "./own-document";
import "../../log/log.css";
import "./console.css";

export default function ConsolePage({ params }: PageProps) {
  const app = params["app"] ?? "";
  return (
    <AppFrame app={app}>
      {(status) => (
        <Page title="Console" of={app} quiet>
          {isAdmin.value ? <Consoles app={app} status={status} /> : <NotForYou />}
        </Page>
      )}
    </AppFrame>
  );
}

function NotForYou() {
  return (
    <Notice title="Consoles are for admins">
      <p>
        A console can do whatever the app can, with its data too. Ask an admin to run it for you, or to make you one on
        the page Access.
      </p>
    </Notice>
  );
}

function Consoles({ app, status }: { app: string; status: AppStatus }) {
  const ready = useOwnDocument();
  const [console, setConsole] = useState<Console>();
  const [others, setOthers] = useState<readonly Console[]>();
  const [problem, setProblem] = useState<Problem>();

  async function look() {
    try {
      const open = await get<Console[]>("/v1/consoles");
      const own = open.filter((it) => it.app === app);
      setOthers(own);
      // After a reload, this page's own console goes on by itself.
      const mine = own.find((it) => it.id === kept(app));
      if (mine) setConsole(mine);
      else forgotten(app);
    } catch (error) {
      setOthers([]);
      setProblem(asProblem(error));
    }
  }
  useEffect(() => {
    if (ready) void look();
  }, [app, ready]);

  async function start(body: OpenConsole) {
    setProblem(undefined);
    try {
      const made = await withFresh("A console can do whatever the app can, so it needs your password.", () =>
        post<Console>("/v1/apps/{app}/consoles", { path: { app }, body }),
      );
      attach(made);
    } catch (error) {
      if (!(error instanceof NotGiven)) setProblem(asProblem(error));
    }
  }
  function attach(it: Console) {
    keep(app, it.id);
    setProblem(undefined);
    setConsole(it);
  }
  function leave() {
    forgotten(app);
    setConsole(undefined);
    void look();
  }

  if (!ready || others === undefined) return <Loading rows={4} />;
  if (console) {
    return <Session key={console.id} console={console} status={status} onAgain={(it) => { leave(); void start(it); }} onLeave={leave} />;
  }
  return (
    <>
      {problem && <ProblemNotice problem={problem} retry={() => void look()} />}
      <Offer app={app} status={status} open={others} asked={query.value.get("slot")} onStart={start} onAttach={attach} />
    </>
  );
}
