// The three roles, as they are chosen and shown.

import type { Role } from "../../api/types";
import { Badge } from "../../ui/badge";
import { Choice } from "../../ui/field";

const ROLES: readonly { value: Role; label: string; hint: string }[] = [
  { value: "viewer", label: "Viewer", hint: "Looks: status, history, plans, logs, names of variables." },
  { value: "deployer", label: "Deployer", hint: "Also deploys, rolls back, restarts, switches auto-deploy, sets variables." },
  { value: "admin", label: "Admin", hint: "Everything: consoles, values of variables, users, tokens, the activity." },
];

export function RoleChoice({ value, onValue }: { value: Role; onValue: (role: Role) => void }) {
  return <Choice<Role> legend="Role" value={value} options={ROLES} onValue={onValue} />;
}

export function RoleBadge({ role }: { role: Role }) {
  return <Badge tone={role === "admin" ? "accent" : "neutral"}>{role}</Badge>;
}
