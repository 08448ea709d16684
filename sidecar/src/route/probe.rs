//! Asks, through Caddy, which slot it sends traffic to.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::HOST;
use hyper::{Method, Request};
use tokio::time::sleep;
use vial_protocol::Slot;

use super::address::Address;
use super::admin::Admin;
use super::config::{self, Found, Wanted};
use super::http::{self, HttpError};
use super::problem::RouteProblem;
use super::settings::{FILE, Settings};
use super::snippet::{HIDDEN, MARK, PROBE, Words};
use super::visible::Obstacle;
use crate::patience::{attended, within};

/// One question; Caddy answers in a millisecond, under load in tens of them.
const PATIENCE: Duration = Duration::from_secs(1);
/// The wait between questions grows from the first of these to the second.
const PAUSE: (Duration, Duration) = (Duration::from_millis(2), Duration::from_millis(100));

/// What Caddy said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// It sends traffic to this slot.
    Slot(Slot),
    /// It cannot see the route folder, and sends traffic to blue therefore.
    Hidden,
}

impl Seen {
    pub(super) fn slot(self) -> Slot {
        match self {
            Seen::Slot(slot) => slot,
            Seen::Hidden => Slot::Blue,
        }
    }
}

/// Where to ask and under which name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Where Caddy listens.
    pub address: Address,
    /// Whether it speaks TLS there.
    pub tls: bool,
    /// The site's host name.
    pub host: String,
    /// The path that leads to the app.
    pub path: String,
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let scheme = if self.tls { "https" } else { "http" };
        write!(f, "{scheme}://{}{} ({})", self.host, self.path, self.address)
    }
}

/// Asks, and remembers where the answer came from.
pub(super) struct Prober {
    settings: Settings,
    words: Words,
    admin: Option<Admin>,
    known: Mutex<Option<Target>>,
}

/// Why one question at one place had no answer.
enum Miss {
    Refused(String),
    Other(String),
}

impl Prober {
    pub(super) fn new(settings: &Settings) -> Self {
        Prober {
            settings: settings.clone(),
            words: Words::of(settings),
            admin: settings.admin.clone().map(Admin::new),
            known: Mutex::new(None),
        }
    }

    /// Reads Caddy's configuration.
    pub(super) fn find(&self, config: &serde_json::Value) -> Found {
        let folder = self.settings.folder.to_string_lossy();
        let ports = self.settings.ports;
        config::find(config, &Wanted { ask: &self.words.ask, folder: &folder, ports })
    }

    /// Asks once, wherever Caddy answers.
    pub(super) async fn ask(&self) -> Result<(Seen, Target), RouteProblem> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut missed = None;
        for target in known.map_or_else(|| self.given(), |known| vec![known]) {
            match self.ask_at(&target).await {
                Ok(seen) => return Ok((seen, self.remember(target))),
                Err(miss) => missed = missed.or(Some((target, miss))),
            }
        }
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = None;
        let targets = match (self.discover().await, &missed) {
            (Ok(targets), _) => targets,
            // What was seen at the given address tells more than that there is no admin endpoint.
            (Err(RouteProblem::NowhereToAsk | RouteProblem::NoCaddy { .. }), Some(_)) => Vec::new(),
            (Err(problem), _) => return Err(problem),
        };
        let elsewhere = !targets.is_empty();
        for target in targets {
            match self.ask_at(&target).await {
                Ok(seen) => return Ok((seen, self.remember(target))),
                // The first guess is the likeliest, so its failure tells the most.
                Err(miss) => missed = missed.or(Some((target, miss))),
            }
        }
        Err(match missed {
            Some((target, Miss::Refused(detail))) if !elsewhere => {
                RouteProblem::NoCaddy { at: target.to_string(), detail }
            }
            Some((target, Miss::Refused(detail) | Miss::Other(detail))) => {
                RouteProblem::NoAnswer { at: target.to_string(), detail }
            }
            None => RouteProblem::NoAnswer {
                at: "the site that imports Vial's snippet".into(),
                detail: "no address that can be connected to".into(),
            },
        })
    }

    /// Asks until some answer comes, so that a switch begins only where its outcome can be seen.
    pub(super) async fn ready(&self, limit: Duration) -> Result<Seen, RouteProblem> {
        self.poll(limit, |_| true).await.map(|(seen, _)| seen)
    }

    /// Asks until `slot` answers.
    pub(super) async fn confirm(
        &self,
        slot: Slot,
        limit: Duration,
    ) -> Result<(Seen, Target), RouteProblem> {
        self.poll(limit, |seen| seen.slot() == slot || seen == Seen::Hidden).await.and_then(
            |(seen, target)| {
                if seen.slot() == slot { Ok((seen, target)) } else { Err(self.hidden()) }
            },
        )
    }

    async fn poll(
        &self,
        limit: Duration,
        enough: impl Fn(Seen) -> bool,
    ) -> Result<(Seen, Target), RouteProblem> {
        let mut last = None;
        let polled = async {
            let mut pause = PAUSE.0;
            loop {
                last = match self.ask().await {
                    Ok((seen, target)) if enough(seen) => return Ok((seen, target)),
                    Ok((seen, _)) => Some(self.wrong(seen.slot())?),
                    Err(problem) if problem.is_final() => return Err(problem),
                    Err(problem) => Some(problem),
                };
                sleep(pause).await;
                pause = (pause * 2).min(PAUSE.1);
            }
        };
        tokio::select! {
            biased;
            ended = polled => ended,
            () = attended(limit) => Err(last.unwrap_or_else(too_late)),
        }
    }

    /// The problem that this slot answers instead of the other.
    pub(super) fn wrong(&self, answered: Slot) -> Result<RouteProblem, RouteProblem> {
        let flagged = super::flag::Flag::new(&self.settings.folder).read()?;
        Ok(RouteProblem::WrongSlot { expected: answered.other(), answered, flagged })
    }

    /// The problem that Caddy cannot see the route folder.
    pub(super) fn hidden(&self) -> RouteProblem {
        let folder = self.settings.folder.clone();
        RouteProblem::FolderHidden { obstacle: Obstacle::before(&folder), folder }
    }

    fn remember(&self, target: Target) -> Target {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(target.clone());
        target
    }

    /// The address that a person gave, who need not have said whether it speaks TLS.
    fn given(&self) -> Vec<Target> {
        let Some(probe) = self.settings.probe.clone() else { return Vec::new() };
        let host = self.settings.hosts.first().map_or("localhost", |host| host);
        let (address, tls, path) = (probe.address, probe.tls, probe.path);
        let target = Target { address, tls, host: concrete(host), path };
        vec![target.clone(), Target { tls: !tls, ..target }]
    }

    /// Where Caddy's configuration says that the snippet is served, likeliest first.
    async fn discover(&self) -> Result<Vec<Target>, RouteProblem> {
        let Some(admin) = &self.admin else { return Err(RouteProblem::NowhereToAsk) };
        let (config, _) = admin.config().await.map_err(|error| admin.problem(error))?;
        let found = self.find(&config);
        if found.sites.is_empty() {
            return Err(self.missing(found.stale));
        }
        let wanted = &self.settings.hosts;
        let mut targets = Vec::new();
        let mut unlikely = Vec::new();
        for site in found.sites {
            // A name of the app's own before one made up for a wildcard, for which Caddy might
            // set out to obtain a certificate.
            let covers = |host: &&String| site.hosts.iter().any(|pattern| covers(pattern, host));
            let own = wanted.iter().find(covers);
            let host = own.or(site.hosts.first()).or(wanted.first());
            let host = concrete(host.map_or("localhost", |host| host));
            for (address, tls) in site.listen {
                let path = site.path.clone();
                let target = Target { address, tls, host: host.clone(), path };
                unlikely.push(Target { tls: !tls, ..target.clone() });
                targets.push(target);
            }
        }
        targets.append(&mut unlikely);
        Ok(targets)
    }

    /// The problem that the running configuration has no snippet, or an older one.
    pub(super) fn missing(&self, stale: bool) -> RouteProblem {
        let Settings { app, hosts, folder, .. } = &self.settings;
        let (app, hosts) = (app.clone(), hosts.clone());
        if stale {
            return RouteProblem::Stale { app, file: folder.join(FILE) };
        }
        RouteProblem::NotImported { app, hosts, line: self.settings.import_line() }
    }

    async fn ask_at(&self, target: &Target) -> Result<Seen, Miss> {
        let request = Request::builder()
            .method(Method::HEAD)
            .uri(&target.path)
            .header(HOST, &target.host)
            .header(PROBE, &self.words.ask)
            .header("user-agent", concat!("vial/", env!("CARGO_PKG_VERSION")))
            .body(Full::new(Bytes::new()))
            .map_err(|error| Miss::Other(format!("the request is wrong: {error}")))?;
        let tls = target.tls.then_some(target.host.as_str());
        let answer =
            match within(PATIENCE, http::ask(&target.address, tls, request, 64 << 10)).await {
                Some(Ok(answer)) => answer,
                Some(Err(HttpError::Connect(error))) => {
                    return Err(Miss::Refused(HttpError::Connect(error).to_string()));
                }
                Some(Err(error)) => return Err(Miss::Other(error.to_string())),
                None => return Err(Miss::Other(format!("no answer within {PATIENCE:?}"))),
            };
        // The last one is Caddy's own, where the app sent one too.
        let mark = answer.headers.get_all(MARK).iter().next_back();
        mark.and_then(|mark| self.read(mark.to_str().ok()?)).ok_or_else(|| {
            let status = answer.status.as_u16();
            Miss::Other(format!("{status} came without the mark of Vial's snippet"))
        })
    }

    /// `green <answer>`, or in admin mode `4001 <answer>`.
    fn read(&self, mark: &str) -> Option<Seen> {
        let (state, answer) = mark.split_once(' ')?;
        if answer != self.words.answer {
            return None;
        }
        match state {
            HIDDEN => Some(Seen::Hidden),
            word => match word.parse() {
                Ok(port) => self.settings.ports.slot(port),
                Err(_) => word.parse().ok(),
            }
            .map(Seen::Slot),
        }
    }
}

/// Whether a host matcher of Caddy's, `shop.example` or `*.shop.example`, takes a name.
fn covers(pattern: &str, host: &str) -> bool {
    let label = |name: &str| name.split_once('.').map(|(_, rest)| rest.to_lowercase());
    pattern.eq_ignore_ascii_case(host)
        || pattern.starts_with("*.") && label(pattern).is_some_and(|rest| label(host) == Some(rest))
}

/// A name that a wildcard stands for.
fn concrete(host: &str) -> String {
    host.replace('*', "vial-probe")
}

pub(super) fn too_late() -> RouteProblem {
    let at = "the site that imports Vial's snippet".into();
    RouteProblem::NoAnswer { at, detail: "no answer in time".into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_takes_one_label() {
        for (pattern, host, takes) in [
            ("shop.example", "SHOP.example", true),
            ("*.shop.example", "a.shop.example", true),
            ("*.shop.example", "a.b.shop.example", false),
            ("*.shop.example", "shop.example", false),
            ("*", "localhost", false),
        ] {
            assert_eq!(covers(pattern, host), takes, "{pattern} {host}");
        }
        assert_eq!(concrete("*.shop.example"), "vial-probe.shop.example");
    }
}
