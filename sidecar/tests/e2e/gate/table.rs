//! Everybody asks for everything: allowed or refused, as the one table says.

use std::collections::BTreeMap;

use hyper::Method;
use vial::api::access::{Rule, Socket, TABLE, Tcp};
use vial_protocol::access::Role;

use super::{Browser, Stage};
use crate::support::{is_root, setup, web};

/// What is said of a path that has no handler.
const NOTHING: &str = "There is nothing at";

/// Somebody by the dashboard's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Who {
    Nobody,
    User { role: Role, fresh: bool },
    Token(Role),
}

impl Who {
    fn all() -> Vec<Who> {
        let mut all = vec![Who::Nobody];
        for role in Role::ALL {
            all.push(Who::User { role, fresh: false });
            all.push(Who::User { role, fresh: true });
            all.push(Who::Token(role));
        }
        all
    }

    /// What the table says of an operation: the refusal's status and code, or none.
    fn refusal(self, rule: &Rule) -> Option<(u16, &'static str)> {
        let forbidden = Some((403, "forbidden"));
        let (role, fresh, token) = match self {
            _ if rule.tcp == Tcp::Public => return None,
            Who::Nobody => return Some((401, "login_needed")),
            Who::User { role, fresh } => (role, fresh, false),
            Who::Token(role) => (role, false, true),
        };
        match rule.tcp {
            Tcp::Public => None,
            Tcp::Nobody => forbidden,
            Tcp::Needs(least) => {
                if role >= least {
                    None
                } else {
                    forbidden
                }
            }
            Tcp::Session => {
                if token {
                    forbidden
                } else {
                    None
                }
            }
            Tcp::Fresh(least) if role < least => forbidden,
            Tcp::Fresh(_) => {
                if fresh {
                    None
                } else {
                    Some((403, "password_needed"))
                }
            }
        }
    }
}

/// A request for an operation that does no harm: it is about what is not there.
fn path(rule: &Rule) -> String {
    rule.path
        .replace("{app}", "nothing")
        .replace("{number}", "1")
        .replace("{id}", "nothing")
        .replace("{name}", "nobody-of-that-name")
}

impl Stage {
    /// Who asks; new for each request, since some log themselves out or use up their freshness.
    async fn guest(&self, who: Who) -> Browser {
        match who {
            Who::Nobody => self.browser(),
            Who::Token(role) => self.program(role).await,
            Who::User { role, .. } => self.logged_in(role).await,
        }
    }

    /// Lets every session count as fresh, or none.
    fn freshen(&self, fresh: bool) {
        let until = if fresh { "made_at + 600000" } else { "null" };
        self.sql(&format!("update sessions set fresh_until = {until}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_by_the_dashboards_address_may_what_the_table_says_and_nothing_else() {
    let stage = Stage::new().await;
    let mut guests: BTreeMap<Who, Browser> = BTreeMap::new();
    let mut asked = 0;
    for fresh in [false, true] {
        // Whoever has no session is asked once.
        let with = |who: &Who| matches!(who, Who::User { fresh: true, .. }) == fresh;
        for who in Who::all().into_iter().filter(with) {
            let browser = stage.guest(who).await.with("x-forwarded-for", "192.0.2.1");
            guests.insert(who, browser);
        }
        stage.freshen(fresh);
        for rule in TABLE {
            for who in guests.keys().copied().collect::<Vec<_>>() {
                let open = guests[&who].open(rule.method, &path(rule), "").await;
                asked += 1;
                let status = open.response.status().as_u16();
                let (code, message) = problem(open).await;
                assert!(!message.starts_with(NOTHING), "{rule:?} has no handler");
                match who.refusal(rule) {
                    Some((expected, word)) => assert_eq!(
                        (status, code.as_deref()),
                        (expected, Some(word)),
                        "{who:?}: {rule:?}"
                    ),
                    // Public ones may refuse the empty login itself.
                    None => assert!(
                        !matches!(status, 401 | 403 | 421),
                        "{who:?}: {rule:?}: {status} {code:?}"
                    ),
                }
                if rule.id == "logout" && who.refusal(rule).is_none() {
                    let browser = stage.guest(who).await.with("x-forwarded-for", "192.0.2.1");
                    guests.insert(who, browser);
                    stage.freshen(fresh);
                }
            }
        }
        guests.clear();
    }
    println!(
        "FIGURE {asked} requests of {} operations by {} kinds of peer",
        TABLE.len(),
        Who::all().len()
    );
    assert_eq!(asked, TABLE.len() * Who::all().len());
}

/// The problem of an answer, where it is one. What streams is not waited for.
async fn problem(open: super::browser::Open) -> (Option<String>, String) {
    use http_body_util::BodyExt;
    if open.response.status().is_success() || open.response.status().as_u16() == 101 {
        return (None, String::new());
    }
    let bytes = open.response.into_body().collect().await.unwrap().to_bytes();
    let problem: serde_json::Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let text = |key: &str| problem[key].as_str().map(str::to_owned);
    (text("code"), text("message").unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_on_the_socket_may_what_the_table_says_and_nothing_else() {
    let stage = Stage::new().await;
    let socket = stage.host.socket();
    let ask = |rule: &Rule, app: &str| {
        let path = path(rule).replace("/nothing", &format!("/{app}"));
        format!(
            "{} {path} HTTP/1.1\r\nhost: vial\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
            rule.method
        )
    };
    // What streams to its end or changes the whole host is asked for elsewhere.
    let quiet = |rule: &&Rule| !["events", "stream", "reload", "down", "up"].contains(&rule.id);
    for rule in TABLE.iter().filter(quiet) {
        let (status, body) = web::unix(&socket, &ask(rule, "nothing")).await;
        assert!(!body.contains(NOTHING), "{rule:?} has no handler");
        let refused = status == 403;
        assert_eq!(refused, rule.socket == Socket::Nobody, "{rule:?}: {status} {body}");
    }
    if !is_root() {
        println!("SKIPPED in part: to be somebody else takes root");
        return;
    }
    let own = setup::user(0);
    for rule in TABLE.iter().filter(|it| it.socket == Socket::Operator) {
        let said = as_user(&stage, own, &ask(rule, "shop")).await;
        assert!(said.contains(" 403 "), "{own} {rule:?}: {said}");
    }
    for rule in TABLE.iter().filter(|it| it.socket == Socket::Owner && it.method == "GET") {
        let said = as_user(&stage, own, &ask(rule, "shop")).await;
        assert!(!said.contains(" 403 "), "{own} {rule:?}: {said}");
        let said = as_user(&stage, "nobody", &ask(rule, "shop")).await;
        assert!(said.contains(" 403 "), "nobody {rule:?}: {said}");
    }
    for rule in TABLE.iter().filter(|it| it.socket == Socket::Owner && it.method != "GET") {
        let said = as_user(&stage, "nobody", &ask(rule, "shop")).await;
        assert!(said.contains(" 403 "), "nobody {rule:?}: {said}");
    }
}

/// The head of what the socket answers to another user.
async fn as_user(stage: &Stage, user: &str, request: &str) -> String {
    use std::os::unix::process::CommandExt;
    let user = nix::unistd::User::from_name(user).unwrap().unwrap();
    let script = "import socket,sys\ns=socket.socket(socket.AF_UNIX)\ns.settimeout(10)\n\
                  s.connect(sys.argv[1])\ns.sendall(sys.argv[2].encode())\n\
                  while b := s.recv(9999): print(b)";
    let mut command = std::process::Command::new("python3");
    command.args(["-c", script]).arg(stage.host.socket()).arg(request).current_dir("/");
    command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
    let output = tokio::process::Command::from(command).output().await.unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn the_table_has_only_methods_that_there_are() {
    for rule in TABLE {
        let method: Method = rule.method.parse().unwrap();
        assert!(
            [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE]
                .contains(&method)
        );
    }
}
