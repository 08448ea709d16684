// The webhook: its address, and the secret that a forge signs with.

import { useState } from "preact/hooks";
import { asProblem, post } from "../../api/client";
import type { HookSecret } from "../../api/types";
import { NotGiven, withFresh } from "../../layout/fresh";
import { isAdmin } from "../../session";
import { Button, CopyButton } from "../../ui/button";
import { Confirm } from "../../ui/dialog";
import { Notice } from "../../ui/state";
import { toast } from "../../ui/toast";

export function WebhookSection({ app, hook }: { app: string; hook: string | null | undefined }) {
  const [shown, setShown] = useState<HookSecret>();
  const [busy, setBusy] = useState(false);
  const [rotating, setRotating] = useState(false);
  const secret = (rotate: boolean) =>
    withFresh("The webhook’s secret lets its holder start a deploy, so it needs your password.", () =>
      post<HookSecret>("/v1/apps/{app}/auto-deploy/secret", { path: { app }, body: { rotate } }),
    );
  async function show() {
    setBusy(true);
    try {
      setShown(await secret(false));
    } catch (error) {
      if (!(error instanceof NotGiven)) toast(asProblem(error).message, "error");
    } finally {
      setBusy(false);
    }
  }
  return (
    <section class="section" aria-labelledby="hook-title">
      <div class="section-head">
        <h2 id="hook-title">Webhook</h2>
        <p class="muted">Your forge tells Vial of a push, so that a new commit is deployed at once and not at the next look.</p>
      </div>
      {!hook ? (
        <Notice>
          <p>
            Webhooks are not taken on this host. <code>[hooks] listen</code> in <code>vial.toml</code> turns them on.
          </p>
        </Notice>
      ) : (
        <div class="card card-pad webhook">
          <dl class="settings-facts">
            <div>
              <dt>Path</dt>
              <dd><code>{hook}</code> on the host name that Caddy sends to the webhooks’ address.</dd>
            </div>
            {shown?.listen && (
              <div>
                <dt>Address</dt>
                <dd><code>{shown.listen}</code></dd>
              </div>
            )}
            <div>
              <dt>Secret</dt>
              <dd>
                {shown ? (
                  <span class="command">
                    <code>{shown.secret}</code>
                    <CopyButton text={shown.secret} />
                  </span>
                ) : isAdmin.value ? (
                  "Hidden."
                ) : (
                  "Only admins see it."
                )}
              </dd>
            </div>
          </dl>
          {isAdmin.value && (
            <div class="row-actions">
              {shown ? (
                <Button icon="lock" onClick={() => setShown(undefined)}>Hide secret</Button>
              ) : (
                <Button icon="lock" busy={busy} onClick={() => void show()}>Show secret</Button>
              )}
              <Button icon="redo" onClick={() => setRotating(true)}>Make a new one…</Button>
            </div>
          )}
        </div>
      )}
      {rotating && (
        <Confirm
          title="Make a new secret"
          action="Make a new one"
          kind="danger"
          onClose={() => setRotating(false)}
          onConfirm={async () => {
            try {
              setShown(await secret(true));
              toast("The webhooks have another secret.");
            } catch (error) {
              if (!(error instanceof NotGiven)) throw error;
            }
          }}
        >
          <p>
            The secret that there is is refused from then on: your forge’s pushes start no deploy until its settings have
            the new one.
          </p>
        </Confirm>
      )}
    </section>
  );
}
