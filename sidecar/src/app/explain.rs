//! The words of a deployment's end: what was not done, which release serves, and why.

use vial_protocol::{Build, Code, Kind, Problem, Status};

use super::task::Task;
use crate::store::record::Record;

impl Task {
    /// Puts before a failure's cause what it means: "Not rolled back: v1.4.3 still serves. …".
    pub(super) fn explain(&self, record: &mut Record) {
        let Record::Ended { number, status, error: Some(problem) } = record else { return };
        let destructive = problem.code == Code::Destructive;
        if !matches!(status, Status::Failed | Status::Cancelled) {
            return;
        }
        let current = self.state.current.as_ref().filter(|it| it.number == *number);
        let Some(current) = current else { return };
        let label = current.release.map(|it| self.known().label(it)).unwrap_or_default();
        if destructive {
            self.explain_destructive(*number, problem);
            return;
        }
        if current.status.is_live() {
            problem.message = self.live_failure(&label, problem);
            if current.risk.is_some() {
                let app = self.context.app();
                let logs = problem.next.take().map(|next| format!(", {next}")).unwrap_or_default();
                problem.next = Some(format!(
                    "`vial rollback {app} --plan` shows what taking it back means for the \
                     database{logs}"
                ));
            }
            return;
        }
        let what = match current.kind {
            Kind::Rollback => "Not rolled back",
            Kind::Restart => "Not restarted",
            Kind::Redeploy => "Not redeployed",
            Kind::Deploy => "Not deployed",
        };
        let serving = match self.state.serving_release() {
            Some(release) => format!("{} still serves.", self.known().label(release)),
            None => "No release serves yet.".into(),
        };
        let during = match (problem.code, current.status) {
            (Code::Exited, Status::Starting) => " It ended while it was starting.",
            (Code::Exited, Status::Verifying) => " It ended while it was being verified.",
            _ => "",
        };
        if let (Code::Interrupted, Some(it)) = (problem.code, &self.interrupted) {
            problem.message = format!("{} {}", problem.message, it.what);
            problem.next = Some(it.next.clone());
        }
        let cause = &problem.message;
        let named = match (problem.code, current.slot) {
            (Code::VerifyFailed | Code::PortTaken | Code::SwitchFailed, Some(slot)) => {
                format!("{label} in {slot}: ")
            }
            _ => String::new(),
        };
        problem.message = format!("{what}: {serving} {named}{cause}{during}");
        if let (Some(risk), true) = (&current.risk, current.status > Status::Unpacking) {
            self.warn_of(risk, *number, problem);
        }
    }

    /// A deploy that nobody allowed to break the release that serves. The machine knows the number
    /// of no release but by what it was told: the one that came has the deployment's.
    fn explain_destructive(&self, number: u64, problem: &mut Problem) {
        let (label, app) = (self.numbered(number), self.context.app());
        let serving = self.serving();
        let still = serving.as_deref().unwrap_or("the release that serves");
        *problem = Problem::new(
            Code::Destructive,
            format!(
                "Not deployed: {label} {}. From that migration to the switch {still} \
                 meets a schema that it does not know. Nothing has changed.",
                problem.message
            ),
        )
        .next(match self.known().history.get(number).and_then(|it| it.build.as_ref()) {
            Some(Build { of: Some(of), .. }) => {
                format!("`vial redeploy {app} {of} --allow-destructive`")
            }
            Some(build) => {
                // What somebody called a branch is not put into a command to be typed.
                let plain = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
                let name = build.reference.as_str();
                let name = if name.chars().all(plain) { name } else { "REF" };
                format!("`vial deploy {app} --ref {name} --allow-destructive`")
            }
            None => format!("`vial deploy {app} PATH --allow-destructive`"),
        });
    }

    /// The migrations of a deploy that failed stay, and the release that serves may not fit them.
    fn warn_of(&self, risk: &str, number: u64, problem: &mut Problem) {
        let Some(serving) = self.serving() else { return };
        let (label, app) = (self.numbered(number), self.context.app());
        problem.message = format!(
            "{} {serving} may be failing: {label} {risk}, and migrations stay.",
            problem.message
        );
        let first = self.known().first_new_version(number);
        let revert = first.map(|version| {
            format!("`vial migrations {app} --release {number} --down-to {version}` reverts what it applied")
        });
        problem.next = match (revert, problem.next.take()) {
            (Some(revert), Some(next)) => Some(format!("{revert}; {next}")),
            (revert, next) => revert.or(next),
        };
    }

    /// "v1.4.2 (#7)"
    fn numbered(&self, release: u64) -> String {
        match self.known().history.release(release) {
            Some(found) => format!("{} (#{release})", found.label()),
            None => format!("release #{release}"),
        }
    }

    fn serving(&self) -> Option<String> {
        self.state.serving_release().map(|it| self.known().label(it))
    }

    fn live_failure(&self, label: &str, problem: &Problem) -> String {
        let cause = &problem.message;
        let back = self.state.slots.get(self.state.idle()).release;
        let risk = self.state.current.as_ref().and_then(|it| it.risk.as_deref());
        match (problem.code, back, risk) {
            (Code::BakeFailed, Some(back), Some(risk)) if self.state.is_hot(back) => format!(
                "{label} failed after it went live and serves still: it was not taken back by \
                 itself, because it {risk}, and {} may fail on that schema. {cause}",
                self.known().label(back)
            ),
            (Code::BakeFailed, Some(back), None) if self.state.is_hot(back) => format!(
                "{label} failed after it went live and is taken back: {} serves again. {cause}",
                self.known().label(back)
            ),
            _ => format!("{label}: {cause}"),
        }
    }
}
