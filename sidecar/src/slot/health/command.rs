//! Health by a command: for workers, which listen on no port.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::Answer;
use crate::slot::family::MARKER;
use crate::slot::helper::{Helper, HelperError};
use crate::slot::spawn::{Output, Spec, User};

/// A command that exits with status 0 where the release is healthy.
#[derive(Debug, Clone)]
pub struct CommandCheck {
    /// The `vial` binary.
    pub binary: PathBuf,
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// Its whole environment.
    pub env: Vec<(OsString, OsString)>,
    /// The folder that it runs in.
    pub cwd: PathBuf,
    /// Whom it runs as.
    pub user: Option<User>,
    /// Marks what it starts; one of its own, not the slot's.
    pub run_id: String,
}

impl CommandCheck {
    pub(super) async fn once(&self, timeout: Duration) -> Answer {
        let began = Instant::now();
        match self.run(timeout).await {
            Ok(None) => {
                let millis = began.elapsed().as_millis().try_into().unwrap_or(u64::MAX);
                Answer::Healthy { millis }
            }
            Ok(Some(detail)) => Answer::NotYet { detail },
            Err(error) => Answer::NotYet { detail: error.to_string() },
        }
    }

    /// Runs it; what is wrong, where something is.
    async fn run(&self, timeout: Duration) -> Result<Option<String>, HelperError> {
        let mut env = self.env.clone();
        env.retain(|(name, _)| name != MARKER);
        env.push((MARKER.into(), self.run_id.clone().into()));
        let spec = Spec {
            binary: self.binary.clone(),
            program: self.program.clone(),
            args: self.args.clone(),
            env,
            cwd: self.cwd.clone(),
            user: self.user.clone(),
            output: Output::Piped,
            restraint: None,
        };
        let finished = Helper::start(&spec, &self.run_id)?.run(timeout, |_| {}).await?;
        if finished.exit.is_success() {
            return Ok(None);
        }
        let program = self.program.display();
        Ok(Some(format!("{program} {}", finished.exit)))
    }
}
