//! The `health` table: how a slot's health is known.

use std::time::Duration;

use super::duration;
use super::entry::Entry;
use super::section::Section;
use super::text;

const KEYS: &[&str] = &["path", "status", "deadline", "successes", "interval", "command", "alive"];
const EXAMPLE: &str = "health = { path = \"/health\", status = 200 }";

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// How a slot's health is known, before it takes traffic and while it has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// What is asked.
    pub check: Check,
    /// How long a release that was started may take until it is healthy: 1 s to 1 h.
    pub deadline: Duration,
    /// So many good answers in a row make it healthy: 1 to 100.
    pub successes: u32,
    /// The time between two checks of a slot that is healthy: 100 ms to 5 min.
    pub interval: Duration,
}

/// What is asked of a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Check {
    /// A GET request to the slot's port.
    Http {
        /// The path, with its query: it begins with `/` and fits a request line as it is.
        path: String,
        /// The status of a good answer.
        status: u16,
    },
    /// A command, run from the release's folder as the app's user: status 0 is good.
    Command(Vec<String>),
    /// That the process has been running for so long: 100 ms to 1 h, and within the deadline.
    Alive(Duration),
}

impl Health {
    /// What is asked, for a person: "GET /health, 200, within 1m". Of a command only the program:
    /// its arguments may be secrets.
    #[must_use]
    pub fn words(&self) -> String {
        let asked = match &self.check {
            Check::Http { path, status } => format!("GET {path}, {status}"),
            Check::Command(command) => {
                format!("{} ends with status 0", command.first().map_or("a command", |it| it))
            }
            Check::Alive(time) => format!("the process runs for {}", duration::text(*time)),
        };
        format!("{asked}, within {}", duration::text(self.deadline))
    }
}

/// Reads the table, or gives what is usual where there is none. `routed`: the app has hosts;
/// `ports`: its slots have ports.
pub(super) fn read(root: &Section<'_, '_>, routed: bool, ports: bool) -> Health {
    let mut health = Health {
        check: if ports {
            Check::Http { path: "/health".into(), status: 200 }
        } else {
            Check::Alive(5 * SECOND)
        },
        deadline: MINUTE,
        successes: 2,
        interval: 2 * SECOND,
    };
    let Some(table) = root.table("health", KEYS, EXAMPLE) else { return health };
    if let Some(deadline) = table.get("deadline") {
        health.deadline = deadline.duration(SECOND..=HOUR).unwrap_or(health.deadline);
    }
    if let Some(successes) = table.get("successes") {
        let number = successes.number(1..=100, "a number of good answers", "2");
        health.successes = number.unwrap_or(health.successes);
    }
    if let Some(interval) = table.get("interval") {
        health.interval = interval.duration(100 * MS..=5 * MINUTE).unwrap_or(health.interval);
    }
    if let Some(check) = read_check(&table, routed, ports, health.deadline) {
        health.check = check;
    }
    health
}

fn read_check(
    table: &Section<'_, '_>,
    routed: bool,
    ports: bool,
    deadline: Duration,
) -> Option<Check> {
    let path = table.get("path");
    let status = table.get("status");
    let command = table.get("command");
    let alive = table.get("alive");
    let kinds = [path.is_some() || status.is_some(), command.is_some(), alive.is_some()];
    if kinds.into_iter().filter(|given| *given).count() > 1 {
        let last = alive.or(command)?;
        last.document().find(
            Some(last.start()),
            format!("`{}` beside another kind of check", last.path()),
            "health is known by `path` with `status`, or by `command`, or by `alive`: keep one"
                .into(),
        );
        return None;
    }
    if let Some(command) = command {
        return read_command(&command).map(Check::Command);
    }
    if let Some(alive) = alive {
        if routed {
            alive.wrong(
                "that suits a worker; an app with `hosts` must answer before it gets traffic: \
                 write `path = \"/health\"`",
            );
            return None;
        }
        let time = alive.duration(100 * MS..=HOUR)?;
        if time >= deadline {
            alive.wrong("it must be shorter than `health.deadline`");
            return None;
        }
        return Some(Check::Alive(time));
    }
    let http = path.as_ref().or(status.as_ref())?;
    if !ports {
        http.wrong(
            "without `ports` there is nothing to ask: add `ports`, or use `command` or `alive`",
        );
        return None;
    }
    let path =
        path.map_or(Some("/health".into()), |path| path.text_that(text::is_request_path, PATH));
    let status = status
        .map_or(Some(200), |status| status.number(100..=599, "the status of an answer", "200"));
    Some(Check::Http { path: path?, status: status? })
}

/// What a request's path must be.
pub(super) const PATH: &str = "it must be a path that begins with \"/\", without spaces and with \
                               other letters than English ones percent-encoded, such as \"/health\"";

fn read_command(command: &Entry<'_, '_>) -> Option<Vec<String>> {
    let expected = "it must be a list of texts, the program first, such as [\"bin/check\"]";
    let items = command.items("command = [\"bin/check\"]")?;
    if items.is_empty() {
        command.wrong(expected);
        return None;
    }
    let first = items.first()?.text_that(|program| !program.is_empty(), expected);
    let rest: Vec<_> = items.iter().skip(1).map(|item| item.text(expected)).collect();
    let mut arguments = vec![first?];
    for argument in rest {
        arguments.push(argument?.to_owned());
    }
    Some(arguments)
}
