//! Programs that are asked something.

use std::io;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::process::Command;

/// How long one may take: to say its version costs milliseconds.
const PATIENCE: Duration = Duration::from_secs(5);

/// More than any answer that is waited for.
const LONGEST: u64 = 64 << 10;

/// Why a program did not answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unasked {
    /// There is none by that name.
    #[error("it is not installed, or not in PATH")]
    Missing,
    /// It could not be run.
    #[error("{0}")]
    Run(io::Error),
    /// It took too long.
    #[error("it did not answer within 5 s")]
    Silent,
    /// It said no.
    #[error("it ended with {0}")]
    Failed(std::process::ExitStatus),
}

/// What a program prints on standard output.
///
/// # Errors
/// Where it does not answer. It does not run any more then.
pub(super) async fn ask(program: &str, args: &[&str]) -> Result<String, Unasked> {
    let mut child = Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Unasked::Missing,
            _ => Unasked::Run(error),
        })?;
    let stdout = child.stdout.take();
    let answer = async {
        let mut said = Vec::new();
        if let Some(stdout) = stdout {
            stdout.take(LONGEST).read_to_end(&mut said).await?;
        }
        Ok((said, child.wait().await?))
    };
    match tokio::time::timeout(PATIENCE, answer).await {
        Ok(Ok((said, status))) if status.success() => {
            Ok(String::from_utf8_lossy(&said).into_owned())
        }
        Ok(Ok((_, status))) => Err(Unasked::Failed(status)),
        Ok(Err(error)) => Err(Unasked::Run(error)),
        Err(_) => Err(Unasked::Silent),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_program_answers_or_it_is_said_why_not() {
        assert_eq!(ask("echo", &["a", "b"]).await.unwrap(), "a b\n");
        assert!(matches!(ask("vial-has-no-such-program", &[]).await, Err(Unasked::Missing)));
        assert!(matches!(ask("false", &[]).await, Err(Unasked::Failed(_))));
    }
}
