// Users: who they are, what they may do, when they were here.

import { useState } from "preact/hooks";
import { get, patch, post, remove } from "../../api/client";
import type { ChangeUser, NewUser, Role, User } from "../../api/types";
import { whoami } from "../../session";
import { Button, CopyButton } from "../../ui/button";
import { TextField } from "../../ui/field";
import { count } from "../../ui/format";
import { LoadedView, useLoad } from "../../ui/load";
import { Menu } from "../../ui/menu";
import { Empty, Notice } from "../../ui/state";
import { Ago } from "../../ui/time";
import { toast } from "../../ui/toast";
import { FormDialog } from "./form";
import { RoleBadge, RoleChoice } from "./roles";

type Open = { kind: "add" } | { kind: "role" | "password" | "remove"; user: User };
const REASON = "Changing who gets in needs your password.";
/** As the daemon has it. */
const LEAST = 12;

export function Users() {
  const loaded = useLoad<User[]>((signal) => get("/v1/users", { signal }), []);
  const [open, setOpen] = useState<Open>();
  const close = () => setOpen(undefined);
  const changed = async (said: string) => {
    toast(said);
    await loaded.reload();
  };
  return (
    <section class="section" aria-labelledby="users-title">
      <div class="section-head">
        <h2 id="users-title">Users</h2>
        <Button kind="primary" icon="plus" onClick={() => setOpen({ kind: "add" })}>Add a user</Button>
      </div>
      <LoadedView loaded={loaded} rows={3}>
        {(users) =>
          users.length === 0 ? (
            <Empty title="There is no user">
              <p>On the host, <code>vial user add NAME --role admin</code> makes one.</p>
            </Empty>
          ) : (
            <div class="card">
              <table class="table stacks">
                <caption class="sr-only">Users</caption>
                <thead>
                  <tr>
                    <th scope="col">Name</th>
                    <th scope="col">Role</th>
                    <th scope="col">Logged in last</th>
                    <th scope="col">Sessions</th>
                    <th scope="col">Made</th>
                    <th scope="col"><span class="sr-only">Actions</span></th>
                  </tr>
                </thead>
                <tbody>
                  {users.map((it) => (
                    <tr key={it.name}>
                      <th scope="row" class="access-name">
                        {it.name}
                        {it.name === whoami.value?.name && <span class="muted"> (you)</span>}
                      </th>
                      <td data-label="Role"><RoleBadge role={it.role} /></td>
                      <td data-label="Last login">{it.seen_at ? <Ago at={it.seen_at} /> : <span class="muted">never</span>}</td>
                      <td data-label="Sessions">{it.sessions}</td>
                      <td data-label="Made" class="breaks"><Ago at={it.made_at} /> by {it.made_by}</td>
                      <td class="cell-actions">
                        <Menu
                          label={`Actions for ${it.name}`}
                          class="menu-end"
                          items={[
                            { label: "Another role…", onSelect: () => setOpen({ kind: "role", user: it }) },
                            { label: "Another password…", onSelect: () => setOpen({ kind: "password", user: it }) },
                            { label: "Remove…", onSelect: () => setOpen({ kind: "remove", user: it }) },
                          ]}
                        >
                          <span aria-hidden="true" class="dots">⋯</span>
                        </Menu>
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )
        }
      </LoadedView>
      {open?.kind === "add" && <AddDialog onDone={changed} onClose={close} />}
      {open?.kind === "role" && <RoleDialog user={open.user} onDone={changed} onClose={close} />}
      {open?.kind === "password" && <PasswordDialog user={open.user} onDone={changed} onClose={close} />}
      {open?.kind === "remove" && <RemoveDialog user={open.user} onDone={changed} onClose={close} />}
    </section>
  );
}

type Asked = { user: User; onDone: (said: string) => Promise<void>; onClose: () => void };
const at = (user: User) => ({ path: { name: user.name } });

function AddDialog({ onDone, onClose }: Omit<Asked, "user">) {
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("deployer");
  const [password, setPassword] = useState("");
  const wrong = name !== "" && !/^[A-Za-z0-9._@-]{1,64}$/.test(name);
  return (
    <FormDialog
      title="Add a user"
      action="Add"
      reason={REASON}
      ready={name !== "" && !wrong && password.length >= LEAST}
      onClose={onClose}
      send={async () => {
        const body: NewUser = { name, role, password };
        await post("/v1/users", { body });
        await onDone(`${name} may log in as ${role}.`);
      }}
    >
      <TextField
        label="Name"
        value={name}
        onValue={(it) => setName(it.trim())}
        autofocus
        maxLength={64}
        error={wrong ? "A name has letters, digits and . _ - @, 64 at most." : undefined}
      />
      <RoleChoice value={role} onValue={setRole} />
      <NewPassword value={password} onValue={setPassword} />
    </FormDialog>
  );
}

function RoleDialog({ user, onDone, onClose }: Asked) {
  const [role, setRole] = useState(user.role);
  return (
    <FormDialog
      title={`Another role for ${user.name}`}
      action="Change"
      reason={REASON}
      ready={role !== user.role}
      onClose={onClose}
      send={async () => {
        const body: ChangeUser = { role };
        await patch("/v1/users/{name}", { ...at(user), body });
        await onDone(`${user.name} is ${role} now.`);
      }}
    >
      <RoleChoice value={role} onValue={setRole} />
      <Ends user={user} />
    </FormDialog>
  );
}

function PasswordDialog({ user, onDone, onClose }: Asked) {
  const [password, setPassword] = useState("");
  return (
    <FormDialog
      title={`Another password for ${user.name}`}
      action="Change"
      reason={REASON}
      ready={password.length >= LEAST}
      onClose={onClose}
      send={async () => {
        const body: ChangeUser = { password };
        await patch("/v1/users/{name}", { ...at(user), body });
        await onDone(`${user.name} has another password.`);
      }}
    >
      <NewPassword value={password} onValue={setPassword} />
      <Ends user={user} />
    </FormDialog>
  );
}

function RemoveDialog({ user, onDone, onClose }: Asked) {
  return (
    <FormDialog
      title={`Remove ${user.name}`}
      action="Remove"
      kind="danger"
      reason={REASON}
      onClose={onClose}
      send={async () => {
        await remove("/v1/users/{name}", at(user));
        await onDone(`${user.name} was removed.`);
      }}
    >
      <p>{user.name} cannot log in any more. What they did stays in the history and the activity.</p>
      <Ends user={user} />
    </FormDialog>
  );
}

/** What becomes of sessions. */
function Ends({ user }: { user: User }) {
  const own = user.name === whoami.value?.name;
  if (user.sessions === 0 && !own) return null;
  return (
    <Notice kind="warn">
      <p>
        {own
          ? "This is you: your sessions end, this one too, and you log in again."
          : `${count(user.sessions, "session")} of theirs end${user.sessions === 1 ? "s" : ""} at once, with ${user.sessions === 1 ? "its" : "their"} consoles.`}
      </p>
    </Notice>
  );
}

/** A password that is typed, or made. */
function NewPassword({ value, onValue }: { value: string; onValue: (password: string) => void }) {
  const [made, setMade] = useState(false);
  return (
    <div class="access-password">
      <TextField
        label="Password"
        type={made ? "text" : "password"}
        autocomplete="new-password"
        mono={made}
        value={value}
        maxLength={1024}
        onValue={(it) => {
          setMade(false);
          onValue(it);
        }}
        hint={`At least ${LEAST} characters. They can change it on their account’s page.`}
        error={value !== "" && value.length < LEAST ? `${LEAST - value.length} more characters.` : undefined}
      />
      <div class="row-actions">
        <Button
          small
          onClick={() => {
            setMade(true);
            onValue(generate());
          }}
        >
          Make one
        </Button>
        {made && <CopyButton text={value} />}
      </div>
    </div>
  );
}

/** Letters and digits that are not mistaken for each other; a power of two of them, so all are as likely. */
const SIGNS = "abcdefghijkmnpqrstuvwxyz23456789";

/** 100 bits, in groups that can be read out. */
function generate(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(20));
  const text = Array.from(bytes, (it) => SIGNS[it % SIGNS.length]).join("");
  return text.match(/.{5}/g)?.join("-") ?? text;
}
