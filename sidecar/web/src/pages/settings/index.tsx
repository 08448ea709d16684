// How an app is configured, and the one thing of it that is switched here: auto-deploy.
// The map: `index` is the page and what the file says, `words` its sentences, `auto-deploy` the switch, `webhook` its secret.

import type { ComponentChildren } from "preact";
import { get } from "../../api/client";
import type { AppStatus, Settings } from "../../api/types";
import { AppFrame } from "../../layout/app-frame";
import { Page } from "../../layout/page";
import type { PageProps } from "../../router";
import { SlotTag } from "../../ui/badge";
import { CopyButton } from "../../ui/button";
import { count, duration } from "../../ui/format";
import { LoadedView, useLoad } from "../../ui/load";
import { AutoDeploySection } from "./auto-deploy";
import { WebhookSection } from "./webhook";
import { standbyInWords, startInWords } from "./words";
import "./settings.css";

export default function SettingsPage({ params }: PageProps) {
  const app = params["app"] ?? "";
  return <AppFrame app={app}>{(status) => <View app={app} status={status} />}</AppFrame>;
}

function View({ app, status }: { app: string; status: AppStatus }) {
  const loaded = useLoad<Settings>((signal) => get("/v1/apps/{app}/settings", { path: { app }, signal }), [app]);
  return (
    <Page title="Settings" of={app} heading="Settings">
      <AutoDeploySection app={app} auto={status.auto_deploy} />
      <LoadedView loaded={loaded} rows={6}>
        {(settings) => (
          <>
            {settings.source && <WebhookSection app={app} hook={settings.source.hook} />}
            <FileSection settings={settings} />
          </>
        )}
      </LoadedView>
    </Page>
  );
}

function FileSection({ settings }: { settings: Settings }) {
  const { source } = settings;
  return (
    <section class="section" aria-labelledby="file-title">
      <div class="section-head">
        <h2 id="file-title">What the app’s file says</h2>
        <p class="muted">
          It is changed on the host, in the file, and read again by <code>vial reload</code>. What is wrong in it is said,
          and the app goes on as it was.
        </p>
      </div>
      <div class="command">
        <code>{settings.file}</code>
        <CopyButton text={settings.file} label="Copy path" />
      </div>
      <div class="settings-groups">
        <Group title="Where it runs">
          <Fact name="Hosts">{settings.hosts.length > 0 ? <List items={settings.hosts} /> : "None: it is a worker, without a route."}</Fact>
          {settings.ports.length > 0 && (
            <Fact name="Ports">
              <span class="settings-ports">
                {settings.ports.map((it) => (
                  <span key={it.slot}><SlotTag slot={it.slot} /> {it.port}</span>
                ))}
              </span>
            </Fact>
          )}
          <Fact name="User">{settings.user ? <code>{settings.user}</code> : "The daemon’s own, as it is not root."}</Fact>
          <Fact name="Releases kept">{count(settings.keep_releases, "release")}</Fact>
        </Group>
        <Group title="How a release comes in">
          <Fact name="Health check">{settings.health}</Fact>
          <Fact name="Must answer too">{settings.verify.length > 0 ? <List items={settings.verify} code /> : "Nothing else."}</Fact>
          <Fact name="Bake">{settings.bake_ms > 0 ? `${duration(settings.bake_ms)}: a crash or failing health within it takes the deploy back.` : "None."}</Fact>
        </Group>
        <Group title="How it goes out">
          <Fact name="Drain">{`Requests have ${duration(settings.drain_ms)} to end.`}</Fact>
          <Fact name="Stop">{`SIGTERM, and SIGKILL after ${duration(settings.stop_ms)}.`}</Fact>
          <Fact name="Standby">{standbyInWords(settings)}</Fact>
          <Fact name="Started by">{startInWords(settings)}</Fact>
        </Group>
        <Group title="Database">
          <Fact name="Migrates by">{settings.migrate ? <code>{settings.migrate}</code> : "Nothing: deploys leave the database alone."}</Fact>
          <Fact name="Repositories">{settings.repos.length > 0 ? <List items={settings.repos} code /> : "None."}</Fact>
        </Group>
        {source && (
          <Group title="Source">
            <Fact name="Repository"><span class="breaks">{source.git}</span></Fact>
            <Fact name="Branch"><code>{source.branch}</code></Fact>
            <Fact name="Built by">
              <ol class="settings-build">
                {source.build.map((it, index) => <li key={index}><code>{it}</code></li>)}
              </ol>
            </Fact>
          </Group>
        )}
      </div>
    </section>
  );
}

function Group({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <div class="card card-pad settings-group">
      <h3>{title}</h3>
      <dl class="settings-facts">{children}</dl>
    </div>
  );
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function List({ items, code }: { items: readonly string[]; code?: boolean }) {
  return (
    <ul>
      {items.map((it) => <li key={it} class="breaks">{code ? <code>{it}</code> : it}</li>)}
    </ul>
  );
}
