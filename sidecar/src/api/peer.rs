//! Who is behind a connection, and what they may do.

use std::fs;
use std::io;

use nix::unistd::{Group, Uid, User};
use tokio::net::UnixStream;
use tokio_util::sync::CancellationToken;
use vial_protocol::access::{Known, Role};
use vial_protocol::{Code, Problem};

use crate::app::handle::App;
use crate::app::request::{Actor, DASHBOARD, TOKEN};
use crate::gate::Guest;

/// Who asks: the peer of the socket, as the kernel names it, or a guest by the dashboard's address.
#[derive(Debug, Clone)]
pub(super) struct Peer {
    actor: Actor,
    who: Who,
}

#[derive(Debug, Clone)]
enum Who {
    Local { uid: u32 },
    Guest(Guest),
}

impl From<Guest> for Peer {
    fn from(guest: Guest) -> Peer {
        let origin = if guest.by == Known::Token { TOKEN } else { DASHBOARD };
        let actor = Actor {
            name: guest.name.clone(),
            // Whoever deploys may also end what others began.
            operator: guest.role >= Role::Deployer,
            origin: Some(origin.to_owned()),
        };
        Peer { actor, who: Who::Guest(guest) }
    }
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
        let actor = Actor { name, operator, origin: None };
        Ok(Peer { actor, who: Who::Local { uid } })
    }

    /// Whoever came by the dashboard's address.
    pub(super) fn guest(&self) -> Option<&Guest> {
        match &self.who {
            Who::Guest(guest) => Some(guest),
            Who::Local { .. } => None,
        }
    }

    /// How people name them.
    pub(super) fn name(&self) -> &str {
        &self.actor.name
    }

    /// How they are known.
    pub(super) fn by(&self) -> Known {
        self.guest().map_or(Known::Socket, |it| it.by)
    }

    /// What is theirs alone is theirs by this: the same for every session of a user, and for nobody
    /// else.
    pub(super) fn identity(&self) -> String {
        match &self.who {
            Who::Local { uid } => format!("uid {uid}"),
            Who::Guest(guest) if guest.by == Known::Token => format!("token {}", guest.id),
            Who::Guest(guest) => format!("user {}", guest.name),
        }
    }

    /// Ends with the session or the token of a guest; never for a peer of the socket. What outlives
    /// the answer to a request ends with it.
    pub(super) fn ended(&self) -> CancellationToken {
        self.guest().map(|it| it.ended.clone()).unwrap_or_default()
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

    /// Whether an app is any of their business: to a guest, each is.
    pub(super) fn sees(&self, app: &App) -> bool {
        match &self.who {
            Who::Guest(_) => true,
            Who::Local { uid } => {
                let user = app.context().config.user.as_ref().map(|user| user.uid);
                self.actor.operator || user == Some(*uid)
            }
        }
    }

    /// Who acts on everything, if they may: an operator of the host, or an admin.
    pub(super) fn operates(&self) -> Result<Actor, Problem> {
        let (may, next) = match &self.who {
            Who::Guest(guest) => (guest.role == Role::Admin, "ask an admin"),
            Who::Local { .. } => {
                (self.actor.operator, "ask an operator: root, or a member of the operators' group")
            }
        };
        if may {
            return Ok(self.actor.clone());
        }
        Err(Problem::new(Code::Forbidden, format!("{} may not do this.", self.actor.name))
            .next(next))
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
