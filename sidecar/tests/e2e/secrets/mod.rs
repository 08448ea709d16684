//! No secret stands in anything that the daemon wrote or answered.
//!
//! A story in which everything happens that could say one: the release prints its secrets at each
//! start, in three forms, so that logs and errors are full of them. What another part of Vial writes
//! or answers belongs into the story too: [`Story::hears`] takes it.

mod search;

use std::path::{Path, PathBuf};
use std::process::Command;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use vial_protocol::Status;

use self::search::{CommandLines, Search};
use super::QUICK;
use super::pushes::notifications::Ear;
use crate::support::releases::text;
use crate::support::said::Said;
use crate::support::{Host, Repository, Setup, folder, ports};

/// What is planted: marked, unmarked, of many lines. Found in nothing by chance.
const SECRETS: [(&str, &str); 4] = [
    ("DB_PASSWORD", "Zq7+vN/x2@Kw9s-first"),
    ("DB_PASSWORD today", "Zq7+vN/x2@Kw9s-today"),
    ("API_TOKEN", "tok_8fJ3nQxW5zRb7Lm"),
    ("SIGNING_KEY", "MHcCAQEEIBv8k2PqLw4n"),
];
/// Prints them when the release starts; and ends it there, where it is told to.
const LOUD: &str = r#"
if [ "$RELEASE_COMMAND" = start ]; then
  encoded=$(printf %s "$DB_PASSWORD" | sed 's|/|%2F|g; s|+|%2B|g; s|@|%40|g')
  echo "connecting to ecto://shop:$DB_PASSWORD@db/shop as $API_TOKEN"
  echo "authorization: Basic $(printf 'shop:%s' "$DB_PASSWORD" | base64 -w0)"
  echo "GET /?password=$encoded"
  echo "$SIGNING_KEY"
  [ -z "$GIVE_UP" ] || exit 3
fi
"#;
const MIGRATE: &str = r#"migrate = 'IO.puts("migrating as " <> System.get_env("DB_PASSWORD"))'"#;

/// A host on which it happens, and what was said of it.
struct Story {
    host: Host,
    search: Search,
}

impl Story {
    /// Runs a command; what it said is looked at.
    async fn vial(&mut self, args: &[&str]) -> Said {
        let said = self.host.vial(args).await;
        self.heard(said)
    }

    fn heard(&mut self, said: Said) -> Said {
        let all = format!("{}\0{}", said.out, said.err);
        self.hears(&format!("`vial {}`", said.asked), all.as_bytes());
        said
    }

    /// Looks at something that was written or answered.
    fn hears(&mut self, what: &str, bytes: &[u8]) {
        self.search.look(what, bytes);
    }

    /// Asks the API, and gives what it answers within a moment; a stream has said enough then.
    async fn asks(&mut self, method: &str, target: &str, body: &str) -> String {
        let mut stream = UnixStream::connect(self.host.socket()).await.unwrap();
        let length = body.len();
        let request = format!(
            "{method} {target} HTTP/1.1\r\nhost: vial\r\nconnection: close\r\n\
             content-length: {length}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let moment = std::time::Duration::from_millis(700);
        let _ = tokio::time::timeout(moment, stream.read_to_end(&mut answer)).await;
        self.hears(&format!("the answer to {method} {target}"), &answer);
        assert!(answer.starts_with(b"HTTP/1.1 "), "{method} {target}");
        String::from_utf8_lossy(&answer).into_owned()
    }
}

/// The shop, and it talks.
fn loud(host: &Host, version: u32) -> PathBuf {
    let to = host.path(&format!("loud-{version}"));
    let copied = Command::new("cp").arg("-a").arg(folder(version)).arg(&to).status().unwrap();
    assert!(copied.success());
    let script = to.join(format!("releases/{version}.0.0/env.sh"));
    let before = std::fs::read_to_string(&script).unwrap();
    std::fs::write(&script, before + LOUD).unwrap();
    to
}

/// What is the app's own: what its processes wrote into their logs and dumps. And what this test
/// wrote itself.
fn is_the_apps(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let in_slots = path.parent().is_some_and(|it| it.ends_with("slots"));
    let is_log = in_slots && (name.ends_with(".log") || name.ends_with(".log.d"));
    // What was checked out is what was pushed.
    let is_source = path.ends_with("apps/shop/build/src");
    is_log
        || is_source
        || name == "erl_crash.dump"
        || name == "planted.env"
        || name.starts_with("loud-")
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_in_anything_that_the_daemon_wrote_or_answered() {
    let [(_, first), (_, today), (_, token), (_, line)] = SECRETS;
    let signing = format!("-----BEGIN KEY-----\n{line}\n-----END KEY-----");
    let told = ports::free();
    let notify =
        format!("[notify.team]\nurl = \"http://127.0.0.1:{told}/told\"\nsecret_file = \"signs\"\n");
    let setup = Setup::new().app("shop", &format!("{QUICK}\n{MIGRATE}")).host(&notify);
    let mut host = setup.write();
    host.file("signs", "between us\n");
    host.start_daemon().await;
    host.start_caddy().await;
    let lines = CommandLines::watch();
    let mut story = Story { host, search: Search::new(&SECRETS) };
    let (one, two) = (loud(&story.host, 1), loud(&story.host, 2));
    let (one, two) = (text(&one), text(&two));

    // They come in, by each way; and in requests that are wrong.
    let said = story.host.set("DB_PASSWORD", first, &["--secret"]).await.ends(0);
    story.heard(said);
    let path =
        story.host.file("planted.env", &format!("API_TOKEN={token}\nSIGNING_KEY=\"{signing}\"\n"));
    story.vial(&["env", "shop", "import", &path]).await.ends(0);
    for (body, status) in [
        (format!("{{\"variables\": \"{token}\"}}"), 400),
        (format!("{{\"{token}\": 1}}"), 400),
        (format!("{{\"text\": \"A='{token}\"}}"), 400),
        (format!("{{\"text\": \"A B={token}\"}}"), 400),
        (format!("{{\"variables\": [{{\"name\": \"VIAL_X\", \"value\": \"{token}\"}}]}}"), 400),
        (format!("{{\"variables\": [{{\"name\": \"1=\", \"value\": \"{token}\"}}]}}"), 400),
        (
            format!(
                "{{\"variables\": [{{\"name\": \"ERL_FLAGS\", \"value\": \"-heart {token}\"}}]}}"
            ),
            400,
        ),
    ] {
        let answer = story.asks("PUT", "/v1/apps/shop/env", &body).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{body}: {answer}");
    }

    // A deploy, another, one that fails, a rollback, a restart; the daemon dies, and a slot does.
    story.vial(&["deploy", "shop", one]).await.ends(0);
    let said = story.host.set("DB_PASSWORD", today, &[]).await.ends(0);
    story.heard(said);
    story.vial(&["deploy", "shop", two]).await.ends(0);
    let said = story.host.set("GIVE_UP", "1", &[]).await.ends(0);
    story.heard(said);
    let failed = story.vial(&["deploy", "shop", one]).await.ends(1);
    failed.says(&["exited with status 3", "ecto://shop:•••(DB_PASSWORD)@db", "•••(API_TOKEN)"]);
    story.vial(&["env", "shop", "unset", "GIVE_UP"]).await.ends(0);
    story.vial(&["rollback", "shop", "--plan"]).await.ends(0).says(&["today's of what is secret"]);
    story.vial(&["rollback", "shop", "--yes"]).await.ends(0);
    story.vial(&["restart", "shop"]).await.ends(0);
    story.host.kill_daemon();
    story.host.start_daemon().await;
    let slot = story.host.status("shop").await.active.unwrap();
    let pid = story.host.pid("shop", slot).await;
    story
        .vial(&[
            "rpc",
            "shop",
            "spawn(fn -> :erlang.halt(to_charlist(System.get_env(\"DB_PASSWORD\"))) end)",
        ])
        .await;
    story
        .host
        .until("shop", move |status| {
            let place = status.slot(slot).unwrap();
            place.pid.is_some()
                && place.pid != pid
                && place.health.as_ref().is_some_and(|it| it.healthy)
        })
        .await;

    // Everything is asked for.
    let logs = story.vial(&["logs", "shop", "-n", "1000"]).await.ends(0);
    logs.says(&["ecto://shop:•••(DB_PASSWORD)@db/shop as •••(API_TOKEN)", "•••(SIGNING_KEY)"])
        .says(&["Basic ", "GET /?password=•••(DB_PASSWORD)"]);
    for args in [
        &["status"][..],
        &["status", "shop"],
        &["history", "shop"],
        &["show", "shop", "3"],
        &["logs", "shop", "--slot", "blue", "--since", "1h"],
        &["logs", "shop", "--slot", "green", "--since", "1h"],
        &["env", "shop", "list"],
        &["migrations", "shop"],
        &["doctor"],
        &["caddy", "snippet", "shop"],
        &["reload"],
    ] {
        story.vial(args).await;
        story.vial(&[args, &["--json"]].concat()).await;
    }
    for target in [
        "/v1/status",
        "/v1/events",
        "/v1/apps/shop",
        "/v1/apps/shop/env",
        "/v1/apps/shop/deployments",
        "/v1/apps/shop/rollback",
        "/v1/apps/shop/logs?slot=blue&lines=1000",
        "/v1/apps/shop/logs?slot=green&cursor=0&follow=true",
    ] {
        story.asks("GET", target, "").await;
    }
    for number in 1..=5 {
        story.asks("GET", &format!("/v1/apps/shop/deployments/{number}"), "").await;
    }
    let history = story.host.client.deployments("shop", None, None).await.unwrap();
    assert_eq!(history.iter().filter(|it| it.status == Status::Failed).count(), 1, "{history:#?}");

    // A build that prints them, and whoever is told that it failed.
    let elsewhere = tempfile::tempdir().unwrap();
    crate::support::setup::open(elsewhere.path());
    let repository = Repository::new(elsewhere.path());
    let notes = format!("as {token}\nwith {today}\n{line}\n");
    repository.write("notes.txt", &notes);
    repository.push("main", "Take notes");
    let ear = Ear::new(told, &[]).await;
    let lines_of_source = repository.source("build = [\"cat notes.txt\", \"exit 7\"]");
    let app = story.host.apps[0].clone();
    story.host.write_app(app, &format!("{QUICK}\n{MIGRATE}\n{lines_of_source}"));
    story.vial(&["reload"]).await.ends(0);
    let failed = story.vial(&["deploy", "shop", "--ref", "main"]).await.ends(1);
    failed.says(&["as •••(API_TOKEN)", "with •••(DB_PASSWORD)", "•••(SIGNING_KEY)"]);
    let number = story.host.status("shop").await.last.unwrap().number.to_string();
    let log = story.vial(&["logs", "shop", "--build", &number]).await.ends(0);
    log.says(&["as •••(API_TOKEN)", "exit"]);
    story.asks("GET", &format!("/v1/apps/shop/deployments/{number}/log"), "").await;
    for heard in ear.until(1).await {
        story.hears("a notification", format!("{}\n{}", heard.head, heard.body).as_bytes());
    }

    // A copy of the database, as a backup makes it.
    let backup = story.host.path("backup.db");
    let database = rusqlite::Connection::open(story.host.state.join("vial.db")).unwrap();
    database.execute("vacuum into ?1", [backup.to_str().unwrap()]).unwrap();
    drop(database);

    let Story { host, mut search } = story;
    let seen = lines.end(&mut search);
    assert!(seen > 20, "{seen} command lines were seen");
    let said = search.looked_at;
    for file in ["vial.toml", "daemon.log", "backup.db"] {
        assert!(host.path(file).exists(), "{file}");
    }
    search.look_below(host.folder.path(), &is_the_apps);
    assert!(search.looked_at - said > 100, "few files were looked at");
    assert_eq!(search.leaks(), Vec::<String>::new());

    // It would have been found: the app's own files are full of them, in each form.
    let mut own = Search::new(&SECRETS);
    own.look_below(&host.state.join("apps/shop/slots"), &|_| false);
    for form in ["plain", "base64", "percent-encoded"] {
        let found = own.leaks();
        assert!(found.iter().any(|it| it.contains(form)), "{form}: {found:#?}");
    }
    assert!(
        std::fs::read_to_string(host.path("daemon.log"))
            .unwrap()
            .contains("migrating as •••(DB_PASSWORD)")
    );
}
