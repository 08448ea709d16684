//! Who is told what happened, and that none of it is lost.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_util::task::AbortOnDropHandle;
use vial_protocol::Status;
use vial_protocol::notification::{Notification, Occasion};

use super::super::QUICK;
use super::Stage;
use crate::support::{Host, SOON, Setup, archive, ports};

/// Somebody who is told.
pub struct Ear {
    heard: Arc<Mutex<Vec<Heard>>>,
    _task: AbortOnDropHandle<()>,
}

#[derive(Debug, Clone)]
pub struct Heard {
    pub head: String,
    pub body: String,
}

impl Ear {
    /// Listens, and answers so to each request in its turn, then always 200. A status of 0 never
    /// answers.
    pub async fn new(port: u16, answers: &[u16]) -> Ear {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let heard = Arc::<Mutex<Vec<Heard>>>::default();
        let (kept, answers) = (heard.clone(), answers.to_vec());
        let task = tokio::spawn(async move {
            let mut held = Vec::new();
            for turn in 0.. {
                let (mut stream, _) = listener.accept().await.unwrap();
                let one = read(&mut stream).await;
                kept.lock().unwrap().push(one);
                match answers.get(turn).copied().unwrap_or(200) {
                    0 => held.push(stream),
                    status => {
                        let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\n\r\n");
                        let _ = stream.write_all(answer.as_bytes()).await;
                    }
                }
            }
        });
        Ear { heard, _task: AbortOnDropHandle::new(task) }
    }

    pub async fn until(&self, count: usize) -> Vec<Heard> {
        let all = async {
            loop {
                let heard = self.heard.lock().unwrap().clone();
                if heard.len() >= count {
                    return heard;
                }
                sleep(std::time::Duration::from_millis(20)).await;
            }
        };
        timeout(SOON, all).await.unwrap_or_else(|_| panic!("{:?}", self.heard))
    }
}

async fn read(stream: &mut TcpStream) -> Heard {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let count = stream.read(&mut buffer).await.unwrap_or(0);
        bytes.extend_from_slice(&buffer[..count]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|it| it.strip_prefix("content-length: "));
            if count == 0 || body.len() >= length.unwrap().parse().unwrap() {
                return Heard { head: head.to_owned(), body: body.to_owned() };
            }
        }
        assert_ne!(count, 0, "{text}");
    }
}

impl Heard {
    fn notification(&self) -> Notification {
        serde_json::from_str(&self.body).unwrap()
    }

    fn header(&self, name: &str) -> &str {
        let line = self.head.lines().find_map(|it| it.strip_prefix(&format!("{name}: ")));
        line.unwrap_or_else(|| panic!("{name} is missing: {}", self.head))
    }

    /// Asserts that it is signed as it says.
    fn is_signed_by(&self, secret: &str) {
        use base64::Engine;
        use hmac::{Hmac, KeyInit, Mac};
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        let (id, time) = (self.header("webhook-id"), self.header("webhook-timestamp"));
        mac.update(format!("{id}.{time}.{}", self.body).as_bytes());
        let coded = base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes());
        assert_eq!(self.header("webhook-signature"), format!("v1,{coded}"));
    }
}

const SECRET: &str = "between us";

/// A host that tells two: one by webhook, and one as Slack.
async fn host(webhook: u16, slack: u16) -> Host {
    let lines = format!(
        "[notify.audit]\nurl = \"http://127.0.0.1:{webhook}/told\"\nsecret_file = \"secret\"\n\
         [notify.team]\nkind = \"slack\"\nurl_file = \"slack\"\non = [\"failed\", \"rolled_back\"]\n"
    );
    let host = Setup::new().app("shop", QUICK).host(&lines);
    let mut host = host.write();
    std::fs::write(host.path("secret"), format!("{SECRET}\n")).unwrap();
    let url = format!("http://127.0.0.1:{slack}/services/T0/B0/PLANTED\n");
    std::fs::write(host.path("slack"), url).unwrap();
    host.start_daemon().await;
    host.start_caddy().await;
    host
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_is_told_to_each_who_wants_it_and_again_to_who_could_not_hear() {
    let (webhook, slack) = (ports::free(), ports::free());
    let team = Ear::new(slack, &[]).await;
    let audit = Ear::new(webhook, &[500]).await;
    let host = host(webhook, slack).await;
    host.deploy(1).await;
    let heard = audit.until(2).await;
    assert_eq!(heard[0].body, heard[1].body, "the same again, because the first was refused");
    assert_eq!(heard[0].header("webhook-id"), heard[1].header("webhook-id"));
    heard.iter().for_each(|it| it.is_signed_by(SECRET));
    let told = heard[0].notification();
    assert_eq!((told.occasion, told.app.as_str()), (Occasion::Succeeded, "shop"));
    assert_eq!((told.deployment.number, told.id.as_str()), (1, heard[0].header("webhook-id")));
    assert_eq!(told.deployment.release.unwrap().label(), "v1.0.0");

    host.deploy(2).await;
    host.vial(&["rollback", "shop", "--yes", "--reason", "<!channel> & co"]).await.ends(0);
    let heard = audit.until(4).await;
    let told: Vec<Occasion> = heard[1..].iter().map(|it| it.notification().occasion).collect();
    assert_eq!(told, [Occasion::Succeeded, Occasion::Succeeded, Occasion::RolledBack]);
    let team = team.until(1).await;
    assert_eq!(team.len(), 1, "it wants to hear of nothing else: {team:?}");
    let said: serde_json::Value = serde_json::from_str(&team[0].body).unwrap();
    let said = said["text"].as_str().unwrap();
    assert!(said.contains("rolled back to v1.0.0, which takes back #2"), "{said}");
    assert!(said.contains("&lt;!channel&gt; &amp; co"), "{said}");
    assert!(team[0].head.starts_with("POST /services/T0/B0/PLANTED HTTP/1.1"));
    // Nobody learns the address from what Vial says.
    let log = host.daemon_log();
    let status = host.vial(&["status", "shop", "--json"]).await.out;
    let doctor = host.vial(&["doctor"]).await.out;
    for said in [&log, &status, &doctor] {
        assert!(!said.contains("PLANTED") && !said.contains(SECRET), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_dies_before_it_could_tell_tells_when_it_is_back() {
    let (webhook, slack) = (ports::free(), ports::free());
    // It hears, and the daemon is dead before it has answered.
    let audit = Ear::new(webhook, &[0]).await;
    let mut host = host(webhook, slack).await;
    host.vial(&["deploy", "shop", archive(1).to_str().unwrap()]).await.ends(0);
    let first = audit.until(1).await;
    host.kill_daemon();
    host.start_daemon().await;
    let heard = audit.until(2).await;
    assert_eq!(heard[0].header("webhook-id"), heard[1].header("webhook-id"));
    assert_eq!(first[0].body, heard[1].body);
    assert_eq!(heard[1].notification().occasion, Occasion::Succeeded);
    // It is told once, now that it was taken.
    host.deploy(2).await;
    let heard = audit.until(3).await;
    assert_eq!(heard[2].notification().deployment.number, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destructive_migration_that_was_pushed_waits_for_a_person_who_is_told() {
    let port = ports::free();
    let team = Ear::new(port, &[]).await;
    let notify = format!(
        "[notify.team]\nkind = \"slack\"\nurl = \"http://127.0.0.1:{port}/PLANTED\"\non = [\"failed\"]\n"
    );
    let stage = Stage::told("auto_deploy = true", &notify).await;
    let secret = stage.secret().await;
    stage.host.until_ended(1).await;
    let pushed = stage.commit("8");
    stage.push("main");
    stage.tell(&secret).await;
    let ended = stage.host.until_ended(2).await;
    assert_eq!(ended.status, Status::Cancelled);
    assert_eq!(stage.host.serving().await, "1.0.0");
    let heard = team.until(1).await;
    let said = &heard[0].body;
    assert!(said.contains("Not deployed: v8.0.0"), "{said}");
    assert!(said.contains("vial deploy shop --ref main --allow-destructive"), "{said}");
    let why = format!("{} was cancelled (#2), so it waits for the next commit", &pushed[..10]);
    let note = why.clone();
    stage
        .host
        .until("shop", move |it| {
            it.auto_deploy.as_ref().is_some_and(|it| it.note.as_deref() == Some(&note))
        })
        .await;
    assert_eq!(stage.commits().await.len(), 2);
}
