// Restarting, stopping and starting an app, each asked once more.

import { useState } from "preact/hooks";
import { newKey, post } from "../../api/client";
import type { Accepted, AppStatus, Restart } from "../../api/types";
import { appAddress } from "../../layout/app-frame";
import { navigate } from "../../router";
import { Confirm } from "../../ui/dialog";
import { Choice, TextField } from "../../ui/field";
import { Notice } from "../../ui/state";
import { toast } from "../../ui/toast";

type Asked = { app: string; onClose: () => void };
type How = "deployment" | "in-place";

export function RestartDialog({ app, onClose }: Asked) {
  const [key] = useState(newKey);
  const [how, setHow] = useState<How>("deployment");
  const [reason, setReason] = useState("");
  return (
    <Confirm
      title={`Restart ${app}`}
      action="Restart"
      kind={how === "in-place" ? "danger" : "primary"}
      onClose={onClose}
      onConfirm={async () => {
        const body: Restart = { in_place: how === "in-place" };
        if (reason.trim() !== "") body.reason = reason.trim();
        // The two ways are two requests.
        const accepted = await post<Accepted>("/v1/apps/{app}/restart", { path: { app }, body, key: `${key}-${how}` });
        toast(accepted.message);
        if (accepted.deployment) navigate(appAddress(app));
      }}
    >
      <Choice<How>
        legend="How"
        value={how}
        onValue={setHow}
        options={[
          {
            value: "deployment",
            label: "In the idle slot, without an interruption",
            hint: "The release that serves is started there with today’s environment, checked, and takes the traffic. It is a row of the history.",
          },
          {
            value: "in-place",
            label: "In place, with an interruption",
            hint: "The active slot is stopped and started again. Requests fail meanwhile.",
          },
        ]}
      />
      <TextField label="Reason (optional)" value={reason} onValue={setReason} maxLength={1000} />
    </Confirm>
  );
}

export function StopDialog({ app, status, onClose }: Asked & { status: AppStatus }) {
  const [key] = useState(newKey);
  const hosts = status.route?.hosts ?? [];
  return (
    <Confirm
      title={`Stop ${app}`}
      action="Stop"
      kind="danger"
      onClose={onClose}
      onConfirm={async () => {
        const accepted = await post<Accepted>("/v1/apps/{app}/stop", { path: { app }, key });
        toast(accepted.message);
      }}
    >
      <Notice kind="warn">
        <p>
          {hosts.length > 0 ? `${hosts.join(", ")} will not be answered` : `${app} will do no work`} until it is started
          again.
        </p>
      </Notice>
      <p>Both slots are stopped in order, by SIGTERM. It stays so when the daemon or the host is started again.</p>
    </Confirm>
  );
}

export function StartDialog({ app, onClose }: Asked) {
  const [key] = useState(newKey);
  return (
    <Confirm
      title={`Start ${app}`}
      action="Start"
      onClose={onClose}
      onConfirm={async () => {
        const accepted = await post<Accepted>("/v1/apps/{app}/start", { path: { app }, key });
        toast(accepted.message);
      }}
    >
      <p>The release in the active slot is started again, with today’s environment.</p>
    </Confirm>
  );
}
