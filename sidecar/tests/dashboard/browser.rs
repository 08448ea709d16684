//! Running a script with a browser, and answering what it asks for.
//!
//! A script is a program of Node. A line `@ {"id":…,"ask":…,"args":[…]}` on its standard output is
//! answered by `{"id":…,"ok":…}` or `{"id":…,"error":…}` on its standard input; every other line is
//! what it has to say, and shown. Its status says whether all went well.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

use super::stage::Stage;

/// How long a script may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(600);

#[derive(Deserialize)]
struct Ask {
    id: u64,
    ask: String,
    #[serde(default)]
    args: Vec<String>,
}

fn sidecar(below: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(below)
}

/// The scripts as Node runs them, compiled once.
fn scripts() -> &'static Path {
    static COMPILED: OnceLock<PathBuf> = OnceLock::new();
    COMPILED.get_or_init(|| {
        let compiled = std::process::Command::new("npm")
            .args(["run", "--silent", "e2e"])
            .current_dir(sidecar("web"))
            .stdin(Stdio::null())
            .output()
            .unwrap_or_else(|error| panic!("npm does not run ({error}): bin/lib/pages.sh --tools"));
        assert!(
            compiled.status.success(),
            "the scripts of web/e2e were not compiled; bin/lib/pages.sh --tools brings what that \
             takes.\n{}{}",
            String::from_utf8_lossy(&compiled.stdout),
            String::from_utf8_lossy(&compiled.stderr)
        );
        sidecar("web/node_modules/.e2e")
    })
}

/// Where the pictures go: they are looked at after the tests.
fn pictures() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    target.unwrap_or_else(|| sidecar("../target")).join("screenshots")
}

/// Runs a script to its end.
pub async fn play(name: &str, stage: &mut Stage) {
    let script = scripts().join(format!("{name}.js"));
    let began = Instant::now();
    let mut command = tokio::process::Command::new("node");
    command.arg(script).current_dir(sidecar("web"));
    command.env("VIAL_E2E_URL", stage.url());
    command.env("VIAL_E2E_SOCKET", stage.host.socket());
    command.env("VIAL_E2E_PICTURES", pictures());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let played = tokio::time::timeout(PATIENCE, async {
        while let Some(line) = lines.next_line().await.unwrap() {
            let Some(ask) = line.strip_prefix("@ ") else {
                println!("{line}");
                continue;
            };
            let ask: Ask = serde_json::from_str(ask).unwrap();
            let answer = answer(stage, &ask).await;
            // A script that has failed meanwhile reads no more.
            let _ = input.write_all(format!("{answer}\n").as_bytes()).await;
        }
        child.wait().await.unwrap()
    });
    let ended = played.await.unwrap_or_else(|_| panic!("the script {name} does not end"));
    println!("FIGURE {name} took {:.1} s", began.elapsed().as_secs_f64());
    assert!(ended.success(), "the script {name} failed; what it said is above");
}

async fn answer(stage: &mut Stage, ask: &Ask) -> Value {
    match stage.obey(&ask.ask, &ask.args).await {
        Ok(ok) => json!({ "id": ask.id, "ok": ok }),
        Err(error) => json!({ "id": ask.id, "error": error }),
    }
}
