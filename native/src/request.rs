//! What Elixir asks for, packed on the scheduler and read on the background thread.

use std::path::PathBuf;
use std::time::Duration;

use hyper::body::Bytes;
use hyper::{Method, header};
use rustler::env::SavedTerm;
use rustler::{Binary, OwnedEnv, Term};
use tokio::time::Instant;

use crate::failure::Failure;
use crate::json;
use crate::wire::{Ask, Payload};

/// The longest time that a call may take, where one was given: a year.
const LONGEST: u64 = 365 * 24 * 3_600_000;

/// A request as it came. Packing it copies a term, and long binaries not even that.
pub(crate) struct Packed {
    env: OwnedEnv,
    term: SavedTerm,
}

/// Which answer is expected.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Expect {
    Daemon,
    Status,
    Deployments,
    Deployment,
    Plan,
    Accepted,
    Log,
    Evaluated,
    Migrations,
    Migrated,
    Rested,
}

/// `{method, socket, target, headers, body, timeout, expect}`, see `Vial.Client`.
type Fields<'a> = (
    &'a str,
    Binary<'a>,
    &'a str,
    Vec<(&'a str, &'a str)>,
    (Term<'a>, Term<'a>),
    Option<u64>,
    &'a str,
);

impl Packed {
    pub(crate) fn new(request: Term) -> Self {
        let env = OwnedEnv::new();
        let term = env.save(request);
        Packed { env, term }
    }

    /// Reads it.
    pub(crate) fn open(self) -> Result<(Ask, Expect), Failure> {
        self.env.run(|env| {
            let fields: Fields = self
                .term
                .load(env)
                .decode()
                .map_err(|_| Failure::BadRequest("it is not what the NIF expects".into()))?;
            let (method, socket, target, headers, (kind, body), timeout, expect) = fields;
            let method = if method == "post" { Method::POST } else { Method::GET };
            let mut ask = Ask {
                method,
                socket: path(&socket),
                target: target.into(),
                headers: headers.iter().map(|(name, value)| owned(name, value)).collect(),
                payload: Payload::None,
                patience: timeout.map(|millis| Duration::from_millis(millis.min(LONGEST))),
                deadline: None,
            };
            ask.deadline = ask.patience.map(|patience| Instant::now() + patience);
            match kind.atom_to_string().as_deref() {
                Ok("json") => {
                    let bytes = json::write(body).map_err(Failure::BadRequest)?;
                    ask.payload = Payload::Bytes(Bytes::from(bytes));
                    ask.headers.push(owned(header::CONTENT_TYPE.as_str(), "application/json"));
                }
                Ok("file") => {
                    let file: Binary = body
                        .decode()
                        .map_err(|_| Failure::BadRequest("its file has no path".into()))?;
                    ask.payload = Payload::File(path(&file));
                }
                _ => {}
            }
            Ok((ask, expected(expect)?))
        })
    }
}

fn owned(name: &str, value: &str) -> (String, String) {
    (name.into(), value.into())
}

fn path(bytes: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    std::ffi::OsStr::from_bytes(bytes).into()
}

fn expected(word: &str) -> Result<Expect, Failure> {
    Ok(match word {
        "daemon" => Expect::Daemon,
        "status" => Expect::Status,
        "deployments" => Expect::Deployments,
        "deployment" => Expect::Deployment,
        "plan" => Expect::Plan,
        "accepted" => Expect::Accepted,
        "log" => Expect::Log,
        "evaluated" => Expect::Evaluated,
        "migrations" => Expect::Migrations,
        "migrated" => Expect::Migrated,
        "rested" => Expect::Rested,
        other => return Err(Failure::BadRequest(format!("nothing is known as {other}"))),
    })
}
