//! The words of a deployment's end: what was not done, which release serves, and why.

use vial_protocol::{Code, Kind, Problem, Status};

use super::task::Task;
use crate::store::record::Record;

impl Task {
    /// Puts before a failure's cause what it means: "Not rolled back: v1.4.3 still serves. …".
    pub(super) fn explain(&self, record: &mut Record) {
        let Record::Ended { number, status: Status::Failed, error: Some(problem) } = record else {
            return;
        };
        let current = self.state.current.as_ref().filter(|it| it.number == *number);
        let Some(current) = current else { return };
        let label = current.release.map(|it| self.known().label(it)).unwrap_or_default();
        if current.status.is_live() {
            problem.message = self.live_failure(&label, problem);
            return;
        }
        let what = match current.kind {
            Kind::Rollback => "Not rolled back",
            Kind::Restart => "Not restarted",
            Kind::Deploy | Kind::Redeploy => "Not deployed",
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
        let cause = &problem.message;
        let named = match (problem.code, current.slot) {
            (Code::VerifyFailed | Code::PortTaken | Code::SwitchFailed, Some(slot)) => {
                format!("{label} in {slot}: ")
            }
            _ => String::new(),
        };
        problem.message = format!("{what}: {serving} {named}{cause}{during}");
    }

    fn live_failure(&self, label: &str, problem: &Problem) -> String {
        let cause = &problem.message;
        let back = self.state.slots.get(self.state.idle()).release;
        match (problem.code, back) {
            (Code::BakeFailed, Some(back)) if self.state.is_hot(back) => format!(
                "{label} failed after it went live and is taken back: {} serves again. {cause}",
                self.known().label(back)
            ),
            _ => format!("{label}: {cause}"),
        }
    }
}
