//! Who is behind a connection, and what they may do.

use std::fs;
use std::io;

use nix::unistd::{Group, Uid, User};
use tokio::net::UnixStream;
use tokio_util::sync::CancellationToken;
use vial_protocol::{Code, Problem};

use crate::app::handle::App;
use crate::app::request::Actor;

/// The peer of a connection, as the kernel names it.
#[derive(Debug, Clone)]
pub(super) struct Peer {
    uid: u32,
    actor: Actor,
}

impl Peer {
    /// Asks the kernel, and the host's user database.
    pub(super) fn of(stream: &UnixStream, operators: &str) -> io::Result<Peer> {
        let credentials = stream.peer_cred()?;
        let uid = credentials.uid();
        let own = nix::unistd::geteuid().as_raw();
        let operator = uid == 0 || uid == own || belongs(uid, credentials.gid(), operators);
        let name = credentials
            .pid()
            .and_then(login)
            // Who logged in counts only for those who could become anybody anyway.
            .filter(|_| operator)
            .and_then(name)
            .or_else(|| name(uid))
            .unwrap_or_else(|| format!("uid {uid}"));
        Ok(Peer { uid, actor: Actor { name, operator, origin: None } })
    }

    /// Who acts on an app, if they may.
    pub(super) fn acts_on(&self, app: &App) -> Result<Actor, Problem> {
        if self.sees(app) {
            return Ok(self.actor.clone());
        }
        Err(Problem::new(
            Code::Forbidden,
            format!("{} may not do this: {} is another user's app.", self.actor.name, app.name()),
        )
        .next("ask an operator to add you to the operators' group, or use sudo"))
    }

    /// Whether an app is any of their business.
    pub(super) fn sees(&self, app: &App) -> bool {
        let own = app.context().config.user.as_ref().is_some_and(|user| user.uid == self.uid);
        self.actor.operator || own
    }

    /// What tells users apart whose things are their own: no two have the same.
    pub(super) fn identity(&self) -> String {
        format!("uid {}", self.uid)
    }

    /// Says when what they opened has to be closed, because their session has ended.
    pub(super) fn ended(&self) -> CancellationToken {
        // The socket knows no sessions.
        CancellationToken::new()
    }

    /// Who acts on everything, if they may.
    pub(super) fn operates(&self) -> Result<Actor, Problem> {
        if self.actor.operator {
            return Ok(self.actor.clone());
        }
        Err(Problem::new(Code::Forbidden, format!("{} may not do this.", self.actor.name))
            .next("ask an operator: root, or a member of the operators' group"))
    }
}

/// The user who logged in, also behind sudo.
fn login(pid: i32) -> Option<u32> {
    let text = fs::read_to_string(format!("/proc/{pid}/loginuid")).ok()?;
    text.trim().parse().ok().filter(|uid| *uid != u32::MAX)
}

fn name(uid: u32) -> Option<String> {
    User::from_uid(Uid::from_raw(uid)).ok().flatten().map(|user| user.name)
}

fn belongs(uid: u32, gid: u32, group: &str) -> bool {
    let Ok(Some(group)) = Group::from_name(group) else { return false };
    group.gid.as_raw() == gid || name(uid).is_some_and(|name| group.mem.contains(&name))
}
