// Rows of the audit log: newest first, new ones as they come, older ones on demand.

import { useEffect, useState } from "preact/hooks";
import { asProblem, get } from "../../api/client";
import type { Audit, Problem } from "../../api/types";
import { appAddress } from "../../layout/app-frame";
import { follow } from "../../live/live";
import { isAdmin } from "../../session";
import { Badge } from "../../ui/badge";
import { Button } from "../../ui/button";
import { Select, TextField } from "../../ui/field";
import { Empty, Loading, Notice, ProblemNotice } from "../../ui/state";
import { Moment } from "../../ui/time";
import { inWords } from "./words";
import "./activity.css";

const PAGE = 100;
/** More rows than this are not kept of what comes: the page may be open for weeks. */
const MOST = 5_000;
type Outcome = "all" | "ok" | "refused";

export function ActivityList({ app }: { app?: string }) {
  if (!isAdmin.value) {
    return (
      <Notice>
        <p>The activity is for admins. What was deployed, by whom and why, is in each app’s history.</p>
      </Notice>
    );
  }
  return <Rows {...(app === undefined ? {} : { app })} />;
}

function Rows({ app }: { app?: string }) {
  const [rows, setRows] = useState<readonly Audit[]>();
  const [problem, setProblem] = useState<Problem>();
  const [busy, setBusy] = useState(false);
  const [over, setOver] = useState(false);
  const [text, setText] = useState("");
  const [outcome, setOutcome] = useState<Outcome>("all");

  async function load(before?: number) {
    setBusy(true);
    setProblem(undefined);
    try {
      const page = await get<Audit[]>("/v1/audit", { query: { app, before, limit: PAGE } });
      setRows((known) => together(known ?? [], page));
      setOver(page.length < PAGE);
    } catch (error) {
      setProblem(asProblem(error));
    } finally {
      setBusy(false);
    }
  }
  useEffect(() => {
    // Followed first, asked then: no row falls in between.
    const stop = follow({ kind: "audit" }, (heard) => {
      if (heard.type !== "audit") return;
      const { type: _, ...row } = heard;
      if (app === undefined || row.app === app) setRows((known) => together(known ?? [], [row]).slice(0, MOST));
    });
    void load();
    return stop;
  }, [app]);

  const shown = rows?.filter((it) => fits(it, text, outcome));
  return (
    <>
      <div class="activity-filter">
        <TextField label="Filter" type="search" value={text} onValue={setText} placeholder="Name, action, address…" />
        <Select<Outcome>
          label="Outcome"
          value={outcome}
          onValue={setOutcome}
          options={[
            { value: "all", label: "Any" },
            { value: "ok", label: "Done" },
            { value: "refused", label: "Refused or failed" },
          ]}
        />
      </div>
      {problem && <ProblemNotice problem={problem} retry={() => void load(rows?.at(-1)?.number)} />}
      {!shown ? (
        !problem && <Loading rows={6} />
      ) : shown.length === 0 ? (
        <Empty title={rows?.length === 0 ? "Nobody did anything yet" : "Nothing fits the filter"}>
          <p>
            {rows?.length === 0
              ? "Whatever changes something, or shows what is secret, is written down here: who, from where, and what came of it."
              : "What is older may: load it below, or take the filter away."}
          </p>
        </Empty>
      ) : (
        <div class="card">
          <table class="table stacks">
            <caption class="sr-only">Who did what, newest first</caption>
            <thead>
              <tr>
                <th scope="col">When</th>
                <th scope="col">Who</th>
                <th scope="col">What</th>
                <th scope="col">From</th>
                <th scope="col">Outcome</th>
              </tr>
            </thead>
            <tbody>
              {shown.map((it) => <Row key={it.number} it={it} named={app === undefined} />)}
            </tbody>
          </table>
        </div>
      )}
      {rows && rows.length > 0 && (
        <div class="activity-more">
          {over ? (
            <p class="muted">That is all that is kept.</p>
          ) : (
            <Button busy={busy} onClick={() => void load(rows.at(-1)?.number)}>Older</Button>
          )}
        </div>
      )}
    </>
  );
}

function Row({ it, named }: { it: Audit; named: boolean }) {
  return (
    <tr class="activity-row">
      <td data-label="When"><Moment at={it.at} /></td>
      <td data-label="Who" class="breaks">
        {it.actor === "" ? <span class="muted">nobody known</span> : it.actor}
        {it.by && it.by !== "session" && <span class="muted"> by {it.by === "token" ? "an API token" : "the host’s socket"}</span>}
      </td>
      <td data-label="What" class="breaks">
        <span title={it.action}>{inWords(it.action)}</span>
        {named && it.app && <> · <a class="activity-app" href={appAddress(it.app)}>{it.app}</a></>}
        {it.detail && <span class="activity-detail">{it.detail}</span>}
      </td>
      <td data-label="From" class="breaks">{it.from ?? <span class="muted">this host</span>}</td>
      <td data-label="Outcome">
        {it.outcome === "ok" ? <Badge tone="good">done</Badge> : <Badge tone="bad">{it.outcome.replaceAll("_", " ")}</Badge>}
      </td>
    </tr>
  );
}

function together(a: readonly Audit[], b: readonly Audit[]): Audit[] {
  const rows = new Map([...a, ...b].map((it) => [it.number, it]));
  return [...rows.values()].sort((x, y) => y.number - x.number);
}

function fits(it: Audit, text: string, outcome: Outcome): boolean {
  if (outcome === "ok" && it.outcome !== "ok") return false;
  if (outcome === "refused" && it.outcome === "ok") return false;
  const words = [it.actor, it.from, it.action, inWords(it.action), it.app, it.detail, it.outcome].join(" ").toLowerCase();
  return text.toLowerCase().split(/\s+/).every((word) => words.includes(word));
}
