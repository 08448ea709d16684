//! The command says what was lost to a person, to a file, and by its exit status.

use std::process::{Output, Stdio};

use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command};
use vial_load::Report;

use crate::server::{Server, read_request, response, serve_well};

fn command(server: &Server, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vial-load"));
    command.arg("--address").arg(server.address.to_string()).args(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

async fn end(child: Child) -> (Output, String) {
    let output = child.wait_with_output().await.unwrap();
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    (output, text)
}

#[tokio::test]
async fn a_run_without_a_loss_exits_with_0_and_writes_its_report() {
    let server = Server::start(|stream, _| serve_well(stream, "1.0.0")).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.json");
    let file = path.to_str().unwrap();
    let arguments = ["--rate", "100", "--duration", "500ms", "--slow-ms", "5", "--json", file];
    let (output, text) = end(command(&server, &arguments).spawn().unwrap()).await;

    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("0 failed") && text.contains("version 1.0.0"), "{text}");
    let report: Report = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert!(report.sent() >= 40 && report.is_clean());
    assert_eq!(report.classes.len(), 4);
    assert!(report.sending_ms >= 500 && report.sending_ms <= report.elapsed_ms);
}

#[tokio::test]
async fn a_loss_exits_with_1_and_is_named() {
    let server = Server::start(|mut stream, _| async move {
        while read_request(&mut stream).await.is_some() {
            stream.write_all(&response(503, "4.0.0", b"")).await.unwrap();
        }
    })
    .await;
    let arguments = ["--rate", "0", "--keep-alive", "50", "--duration", "200ms"];
    let (output, text) = end(command(&server, &arguments).spawn().unwrap()).await;
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("keep-alive  status 503 (answered by 4.0.0)"), "{text}");
}

#[tokio::test]
async fn a_run_until_standard_input_closes_ends_when_it_does() {
    let server = Server::start(|stream, _| serve_well(stream, "1.0.0")).await;
    let arguments = ["--rate", "100", "--slow", "0", "--until-stdin-closes"];
    let mut child = command(&server, &arguments).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"what is written is no end\n").await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert!(child.try_wait().unwrap().is_none());
    drop(stdin);
    let (output, text) = end(child).await;
    assert_eq!(output.status.code(), Some(0), "{text}");
}

#[tokio::test]
async fn what_cannot_be_understood_or_written_exits_with_2() {
    let server = Server::start(|stream, _| serve_well(stream, "1.0.0")).await;
    for arguments in [
        &["--duration", "soon"][..],
        &["--duration", "0s"],
        &["--duration", "50ms", "--rate", "20", "--json", "/nowhere/report.json"],
    ] {
        let (output, _) = end(command(&server, arguments).spawn().unwrap()).await;
        assert_eq!(output.status.code(), Some(2));
        assert!(!output.stderr.is_empty());
    }
}
