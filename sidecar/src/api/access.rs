//! Who may do what: the one table of every operation.
//!
//! Nothing is answered that does not stand here, and whoever does not fit its row is refused before
//! the handler hears of it ([`super::door`]). The handlers' own checks come after that.

use vial_protocol::access::Role;

use self::Socket::{Anyone, Operator, Owner};
use self::Tcp::{Fresh, Needs, Public};
use Role::{Admin, Deployer, Viewer};

/// Who may by the dashboard's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tcp {
    /// Everybody: it is how somebody becomes known.
    Public,
    /// Whoever has at least this role.
    Needs(Role),
    /// Who has logged in, and no API token.
    Session,
    /// The same with at least this role, and the password given again a short while ago.
    Fresh(Role),
    /// Nobody.
    Nobody,
}

/// Who may by the Unix socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Socket {
    /// Everybody; each sees what is theirs.
    Anyone,
    /// The app's own user, and operators.
    Owner,
    /// Root, the daemon's user, and members of the operators' group.
    Operator,
    /// Nobody.
    Nobody,
}

/// One operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// `GET`, `POST`, …
    pub method: &'static str,
    /// The path, with its parameters in braces.
    pub path: &'static str,
    /// The operation's name in the OpenAPI document and in the audit log.
    pub id: &'static str,
    /// Who may by the dashboard's address.
    pub tcp: Tcp,
    /// Who may by the socket.
    pub socket: Socket,
    /// Whether it changes something or shows what is secret: then the audit log has a row of it.
    pub audited: bool,
}

/// What looks.
const fn look(path: &'static str, id: &'static str, tcp: Tcp, socket: Socket) -> Rule {
    Rule { method: "GET", path, id, tcp, socket, audited: false }
}

/// What changes something or shows what is secret.
const fn change(
    method: &'static str,
    path: &'static str,
    id: &'static str,
    tcp: Tcp,
    socket: Socket,
) -> Rule {
    Rule { method, path, id, tcp, socket, audited: true }
}

/// Every operation.
pub const TABLE: &[Rule] = &[
    look("/openapi.json", "openapi", Needs(Viewer), Anyone),
    look("/v1/status", "status", Needs(Viewer), Anyone),
    look("/v1/events", "events", Needs(Viewer), Anyone),
    // Apps: what looks.
    look("/v1/apps/{app}", "app", Needs(Viewer), Owner),
    look("/v1/apps/{app}/deployments", "deployments", Needs(Viewer), Owner),
    look("/v1/apps/{app}/deployments/{number}", "deployment", Needs(Viewer), Owner),
    look("/v1/apps/{app}/deployments/{number}/log", "build_log", Needs(Viewer), Owner),
    look("/v1/apps/{app}/rollback", "plan", Needs(Viewer), Owner),
    look("/v1/apps/{app}/logs", "logs", Needs(Viewer), Owner),
    look("/v1/apps/{app}/logs/search", "search_logs", Needs(Viewer), Owner),
    look("/v1/apps/{app}/logs/text", "log_text", Needs(Viewer), Owner),
    look("/v1/apps/{app}/migrations", "migrations", Needs(Viewer), Owner),
    look("/v1/apps/{app}/env", "environment", Needs(Viewer), Owner),
    look("/v1/apps/{app}/caddy", "snippet", Needs(Viewer), Owner),
    look("/v1/apps/{app}/metrics", "metrics", Needs(Viewer), Owner),
    look("/v1/apps/{app}/settings", "settings", Needs(Viewer), Owner),
    // Apps: what changes.
    change("POST", "/v1/apps/{app}/deployments", "deploy", Needs(Deployer), Owner),
    change("POST", "/v1/apps/{app}/builds", "build", Needs(Deployer), Owner),
    change("POST", "/v1/apps/{app}/rollback", "rollback", Needs(Deployer), Owner),
    change("POST", "/v1/apps/{app}/restart", "restart", Needs(Deployer), Owner),
    change("POST", "/v1/apps/{app}/cancel", "cancel", Needs(Deployer), Owner),
    change("POST", "/v1/apps/{app}/stop", "stop", Needs(Deployer), Owner),
    change("POST", "/v1/apps/{app}/start", "start", Needs(Deployer), Owner),
    change("POST", "/v1/apps/{app}/standby", "standby", Needs(Deployer), Owner),
    change("POST", "/v1/apps/{app}/auto-deploy", "auto_deploy", Needs(Deployer), Owner),
    change("PUT", "/v1/apps/{app}/env", "set_environment", Needs(Deployer), Owner),
    change("DELETE", "/v1/apps/{app}/env", "unset_environment", Needs(Deployer), Owner),
    change("GET", "/v1/apps/{app}/env/values", "reveal", Fresh(Admin), Operator),
    change("POST", "/v1/apps/{app}/auto-deploy/secret", "hook_secret", Fresh(Admin), Operator),
    change("POST", "/v1/apps/{app}/repository", "repository", Needs(Admin), Operator),
    change("POST", "/v1/apps/{app}/migrations", "migrate", Needs(Admin), Owner),
    change("POST", "/v1/apps/{app}/rpc", "rpc", Fresh(Admin), Owner),
    change("POST", "/v1/apps/{app}/eval", "eval", Fresh(Admin), Owner),
    change("GET", "/v1/apps/{app}/console", "console", Fresh(Admin), Owner),
    Rule {
        method: "POST",
        path: "/v1/apps/{app}/slots/{slot}/rest",
        id: "rest",
        tcp: Tcp::Nobody,
        socket: Owner,
        audited: false,
    },
    // Consoles of the dashboard.
    change("POST", "/v1/apps/{app}/consoles", "open_console", Fresh(Admin), Socket::Nobody),
    look("/v1/consoles", "consoles", Needs(Admin), Socket::Nobody),
    look("/v1/consoles/{id}", "attach_console", Needs(Admin), Socket::Nobody),
    change("DELETE", "/v1/consoles/{id}", "end_console", Needs(Admin), Socket::Nobody),
    // The host.
    change("POST", "/v1/reload", "reload", Needs(Admin), Operator),
    change("POST", "/v1/down", "down", Needs(Admin), Operator),
    change("POST", "/v1/up", "up", Needs(Admin), Operator),
    look("/v1/stream", "stream", Needs(Viewer), Anyone),
    Rule {
        method: "PUT",
        path: "/v1/streams/{id}",
        id: "topics",
        tcp: Needs(Viewer),
        socket: Anyone,
        audited: false,
    },
    // Who gets in.
    change("POST", "/v1/session", "login", Public, Socket::Nobody),
    look("/v1/session", "whoami", Needs(Viewer), Anyone),
    change("DELETE", "/v1/session", "logout", Tcp::Session, Socket::Nobody),
    change("POST", "/v1/session/password", "confirm", Tcp::Session, Socket::Nobody),
    change("POST", "/v1/session/link", "first_login", Public, Socket::Nobody),
    change("POST", "/v1/password", "change_password", Fresh(Viewer), Socket::Nobody),
    look("/v1/sessions", "sessions", Needs(Viewer), Operator),
    change("DELETE", "/v1/sessions/{id}", "end_session", Needs(Viewer), Operator),
    look("/v1/users", "users", Needs(Admin), Operator),
    change("POST", "/v1/users", "add_user", Fresh(Admin), Operator),
    change("PATCH", "/v1/users/{name}", "change_user", Fresh(Admin), Operator),
    change("DELETE", "/v1/users/{name}", "remove_user", Fresh(Admin), Operator),
    look("/v1/tokens", "tokens", Needs(Admin), Operator),
    change("POST", "/v1/tokens", "add_token", Fresh(Admin), Operator),
    change("DELETE", "/v1/tokens/{id}", "remove_token", Needs(Admin), Operator),
    change("POST", "/v1/links", "add_link", Tcp::Nobody, Operator),
    look("/v1/audit", "audit", Needs(Admin), Operator),
];

/// The row of a request. Whoever asks for the head of an answer asks for the answer.
pub(super) fn rule(method: &str, path: &str) -> Option<&'static Rule> {
    let method = if method == "HEAD" { "GET" } else { method };
    TABLE.iter().find(|it| it.method == method && it.path == path)
}

/// Whether a path has a row at all.
pub(super) fn is_path(path: &str) -> bool {
    TABLE.iter().any(|it| it.path == path)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_operation_has_one_row_and_one_name() {
        let places: BTreeSet<_> = TABLE.iter().map(|it| (it.method, it.path)).collect();
        let names: BTreeSet<_> = TABLE.iter().map(|it| it.id).collect();
        assert_eq!((places.len(), names.len()), (TABLE.len(), TABLE.len()));
    }

    #[test]
    fn whatever_is_not_a_question_is_audited_but_for_what_a_stream_brings_and_what_a_release_says()
    {
        for rule in TABLE.iter().filter(|it| it.method != "GET" && !it.audited) {
            assert!(["topics", "rest"].contains(&rule.id), "{}", rule.id);
        }
    }

    #[test]
    fn viewers_change_nothing_but_what_is_their_own() {
        let may = |it: &&Rule| matches!(it.tcp, Needs(Viewer) | Fresh(Viewer) | Tcp::Session);
        let own = ["topics", "logout", "confirm", "change_password", "end_session"];
        for rule in TABLE.iter().filter(|it| it.method != "GET").filter(may) {
            assert!(own.contains(&rule.id), "{}", rule.id);
        }
    }
}
