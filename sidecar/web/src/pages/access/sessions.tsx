// Sessions: who is logged in where. Ending one closes its pages' streams and consoles within a second.

import { useState } from "preact/hooks";
import { get, remove } from "../../api/client";
import type { Session } from "../../api/types";
import { Badge } from "../../ui/badge";
import { Button } from "../../ui/button";
import { Confirm } from "../../ui/dialog";
import { LoadedView, useLoad } from "../../ui/load";
import { Empty } from "../../ui/state";
import { Ago, Moment } from "../../ui/time";
import { toast } from "../../ui/toast";
import { browserOf } from "../account/browser";

export function Sessions() {
  const loaded = useLoad<Session[]>((signal) => get("/v1/sessions", { signal }), []);
  const [ending, setEnding] = useState<Session>();
  return (
    <section class="section" aria-labelledby="sessions-title">
      <div class="section-head">
        <h2 id="sessions-title">Sessions</h2>
        <Button small icon="redo" onClick={() => void loaded.reload()}>Look again</Button>
      </div>
      <LoadedView loaded={loaded} rows={2}>
        {(sessions) =>
          sessions.length === 0 ? (
            <Empty title="Nobody is logged in" />
          ) : (
            <div class="card">
              <table class="table stacks">
                <caption class="sr-only">Sessions</caption>
                <thead>
                  <tr>
                    <th scope="col">User</th>
                    <th scope="col">Browser</th>
                    <th scope="col">Address</th>
                    <th scope="col">Used last</th>
                    <th scope="col">Ends</th>
                    <th scope="col"><span class="sr-only">Actions</span></th>
                  </tr>
                </thead>
                <tbody>
                  {sessions.map((it) => (
                    <tr key={it.id}>
                      <th scope="row" class="access-name">
                        {it.user} {it.current && <Badge tone="accent">this one</Badge>}
                      </th>
                      <td data-label="Browser" class="breaks"><span title={it.agent}>{browserOf(it.agent)}</span></td>
                      <td data-label="Address" class="breaks">{it.address}</td>
                      <td data-label="Used last"><Ago at={it.seen_at} /></td>
                      <td data-label="Ends"><Moment at={it.expires_at} /></td>
                      <td class="cell-actions">
                        <Button small onClick={() => setEnding(it)} label={`End the session of ${it.user} from ${it.address}`}>
                          End…
                        </Button>
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )
        }
      </LoadedView>
      {ending && (
        <Confirm
          title="End this session"
          action="End it"
          kind="danger"
          onClose={() => setEnding(undefined)}
          onConfirm={async () => {
            await remove("/v1/sessions/{id}", { path: { id: ending.id } });
            toast(`The session of ${ending.user} has ended.`);
            await loaded.reload();
          }}
        >
          <p>
            {ending.current
              ? "It is the one that you use now: you log in again."
              : `${ending.user} is logged out in ${browserOf(ending.agent)} at ${ending.address}, and consoles that are open there end.`}
          </p>
        </Confirm>
      )}
    </section>
  );
}
