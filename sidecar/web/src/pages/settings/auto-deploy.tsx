// Auto-deploy: whether it is on, and what Vial saw of the branch last.

import { useState } from "preact/hooks";
import { asProblem, post } from "../../api/client";
import type { Accepted, AutoDeploy, Problem } from "../../api/types";
import { isDeployer } from "../../session";
import { Switch } from "../../ui/field";
import { duration, short } from "../../ui/format";
import { Notice, ProblemNotice, Sentence } from "../../ui/state";
import { Ago, Moment, Since } from "../../ui/time";
import { toast } from "../../ui/toast";

export function AutoDeploySection({ app, auto }: { app: string; auto: AutoDeploy | null | undefined }) {
  const [wanted, setWanted] = useState<boolean>();
  const [problem, setProblem] = useState<Problem>();
  async function change(on: boolean) {
    setWanted(on);
    setProblem(undefined);
    try {
      const accepted = await post<Accepted>("/v1/apps/{app}/auto-deploy", { path: { app }, body: { on } });
      toast(accepted.message);
    } catch (error) {
      setProblem(asProblem(error));
    } finally {
      setWanted(undefined);
    }
  }
  return (
    <section class="section" aria-labelledby="auto-title">
      <div class="section-head">
        <h2 id="auto-title">Auto-deploy</h2>
      </div>
      {!auto ? (
        <Notice>
          <p>
            {app} has no source, so there is nothing to deploy by itself. Add <code>[source]</code> to its file, then{" "}
            <code>vial reload</code>.
          </p>
        </Notice>
      ) : (
        <div class="card card-pad auto">
          <Switch
            label={`Deploy new commits of ${auto.branch}`}
            on={wanted ?? auto.on}
            busy={wanted !== undefined}
            disabled={!isDeployer.value}
            onValue={(on) => void change(on)}
          />
          <p class="muted">
            {auto.set_by ? `Switched by ${auto.set_by}. ` : "As the app’s file says. "}
            {auto.on
              ? "A new commit is built and deployed on top of whatever serves, also after a rollback."
              : "Commits are deployed when somebody asks for it."}
            {!isDeployer.value && " Switching it needs the role deployer."}
          </p>
          <dl class="settings-facts auto-facts">
            <div>
              <dt>Branch’s tip</dt>
              <dd>{auto.tip ? <code title={auto.tip}>{short(auto.tip)}</code> : <span class="muted">not looked at yet</span>}</dd>
            </div>
            <div>
              <dt>Looked at</dt>
              <dd>{auto.looked_at ? <Ago at={auto.looked_at} /> : <span class="muted">not yet</span>}</dd>
            </div>
            <div>
              <dt>Asks the repository</dt>
              <dd>{auto.poll_ms ? `every ${duration(auto.poll_ms)}` : "only when a webhook or a push says so"}</dd>
            </div>
          </dl>
          {auto.note && <Notice><p><Sentence text={auto.note} /></p></Notice>}
          {auto.failing && (
            <Notice kind="warn" title="The repository cannot be asked">
              <p>
                For <Since at={auto.failing.since} />, {auto.failing.attempts} times; tried again at{" "}
                <Moment at={auto.failing.next_at} />.
              </p>
              <pre class="problem-log" tabIndex={0} aria-label="What Git said">{auto.failing.error}</pre>
            </Notice>
          )}
          {problem && <ProblemNotice problem={problem} />}
        </div>
      )}
    </section>
  );
}
