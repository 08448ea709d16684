// API tokens: for scripts and CI, each with a role and an end. A new one is shown once.

import { useState } from "preact/hooks";
import { get, post, remove } from "../../api/client";
import type { AskToken, NewToken, Role, Token } from "../../api/types";
import { now } from "../../ui/clock";
import { Badge } from "../../ui/badge";
import { Button, CopyButton } from "../../ui/button";
import { Dialog } from "../../ui/dialog";
import { TextField } from "../../ui/field";
import { LoadedView, useLoad } from "../../ui/load";
import { Empty, Notice } from "../../ui/state";
import { Ago, Moment } from "../../ui/time";
import { toast } from "../../ui/toast";
import { FormDialog } from "./form";
import { RoleBadge, RoleChoice } from "./roles";

type Open = { kind: "add" } | { kind: "remove"; token: Token } | { kind: "made"; made: NewToken };
const SOON_MS = 7 * 86_400_000;

export function Tokens() {
  const loaded = useLoad<Token[]>((signal) => get("/v1/tokens", { signal }), []);
  const [open, setOpen] = useState<Open>();
  const close = () => setOpen(undefined);
  return (
    <section class="section" aria-labelledby="tokens-title">
      <div class="section-head">
        <h2 id="tokens-title">API tokens</h2>
        <Button icon="plus" onClick={() => setOpen({ kind: "add" })}>Make a token</Button>
        <p class="muted">
          For scripts: <code>Authorization: Bearer …</code>. A token opens no console and shows no value, whatever its role.
        </p>
      </div>
      <LoadedView loaded={loaded} rows={2}>
        {(tokens) =>
          tokens.length === 0 ? (
            <Empty title="There is no token">
              <p>A token lets a script deploy or look without anybody’s password.</p>
            </Empty>
          ) : (
            <div class="card">
              <table class="table stacks">
                <caption class="sr-only">API tokens</caption>
                <thead>
                  <tr>
                    <th scope="col">For</th>
                    <th scope="col">Role</th>
                    <th scope="col">Used last</th>
                    <th scope="col">Ends</th>
                    <th scope="col">Made</th>
                    <th scope="col"><span class="sr-only">Actions</span></th>
                  </tr>
                </thead>
                <tbody>
                  {tokens.map((it) => (
                    <tr key={it.id}>
                      <th scope="row" class="access-name">{it.name}</th>
                      <td data-label="Role"><RoleBadge role={it.role} /></td>
                      <td data-label="Used last">{it.used_at ? <Ago at={it.used_at} /> : <span class="muted">never</span>}</td>
                      <td data-label="Ends"><End at={it.expires_at} /></td>
                      <td data-label="Made" class="breaks"><Ago at={it.made_at} /> by {it.made_by}</td>
                      <td class="cell-actions">
                        <Button small onClick={() => setOpen({ kind: "remove", token: it })} label={`Remove the token ${it.name}`}>
                          Remove…
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
      {open?.kind === "add" && (
        <AddDialog
          onMade={(made) => {
            // The form's dialog closes itself first.
            setTimeout(() => setOpen({ kind: "made", made }));
            void loaded.reload();
          }}
          onClose={close}
        />
      )}
      {open?.kind === "made" && <MadeDialog made={open.made} onClose={close} />}
      {open?.kind === "remove" && (
        <FormDialog
          title={`Remove the token ${open.token.name}`}
          action="Remove"
          kind="danger"
          reason="Changing who gets in needs your password."
          onClose={close}
          send={async () => {
            await remove("/v1/tokens/{id}", { path: { id: open.token.id } });
            toast(`The token ${open.token.name} was removed.`);
            await loaded.reload();
          }}
        >
          <p>Whatever uses it is refused from now on.</p>
        </FormDialog>
      )}
    </section>
  );
}

function End({ at }: { at: string }) {
  const left = Date.parse(at) - now.value;
  return (
    <>
      <Moment at={at} /> {left <= 0 ? <Badge tone="bad">ended</Badge> : left < SOON_MS && <Badge tone="warn">soon</Badge>}
    </>
  );
}

function AddDialog({ onMade, onClose }: { onMade: (made: NewToken) => void; onClose: () => void }) {
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("deployer");
  const [days, setDays] = useState("90");
  const lasts = Number(days);
  const wrong = !Number.isInteger(lasts) || lasts < 1 || lasts > 3650;
  return (
    <FormDialog
      title="Make an API token"
      action="Make"
      reason="Making a token needs your password."
      ready={name.trim() !== "" && !wrong}
      onClose={onClose}
      send={async () => {
        const body: AskToken = { name: name.trim(), role, days: lasts };
        onMade(await post<NewToken>("/v1/tokens", { body }));
      }}
    >
      <TextField label="What it is for" value={name} onValue={setName} maxLength={64} autofocus placeholder="deploys from CI" />
      <RoleChoice value={role} onValue={setRole} />
      <TextField
        label="How many days it lasts"
        type="number"
        value={days}
        onValue={setDays}
        error={wrong ? "A whole number from 1 to 3650." : undefined}
      />
    </FormDialog>
  );
}

function MadeDialog({ made, onClose }: { made: NewToken; onClose: () => void }) {
  return (
    <Dialog
      title={`The token ${made.token.name}`}
      onClose={onClose}
      footer={<Button kind="primary" onClick={onClose}>I have copied it</Button>}
    >
      <Notice kind="warn">
        <p>It is shown this once: Vial keeps only what it needs to know it again.</p>
      </Notice>
      <div class="command">
        <code>{made.secret}</code>
        <CopyButton text={made.secret} />
      </div>
      <p class="muted">
        {made.token.role}, until <Moment at={made.token.expires_at} />.
      </p>
    </Dialog>
  );
}
