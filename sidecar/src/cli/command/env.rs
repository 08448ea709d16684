//! `vial env`

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use vial_protocol::environment::{Assigned, SetVariables, UnsetVariables};

use super::super::args::{Env, EnvAction, EnvImport, EnvMark, EnvSet};
use super::super::exit::Exit;
use super::super::hidden::{self, Hidden};
use super::super::session::{Session, Stop};
use super::super::{text, view_env};

/// More than the daemon takes.
const LARGEST: u64 = 4 << 20;

/// Shows variables, or changes them.
///
/// # Errors
/// See [`Stop`].
pub async fn run(session: &mut Session, args: &Env) -> Result<Exit, Stop> {
    let app = &args.app;
    let accepted = match &args.action {
        EnvAction::List { reveal } => {
            let shown = session.client.environment(app, *reveal).await?;
            let screen = &mut session.screen;
            match (screen.json, reveal) {
                (true, _) => screen.say_json(&shown)?,
                (_, true) if screen.terminal => {
                    let lines = text::block(&view_env::revealed(&shown), false);
                    screen.say(&lines)?;
                }
                // A program reads it: byte for byte.
                (_, true) => screen.out.write_all(view_env::revealed(&shown).as_bytes())?,
                _ => {
                    let shown = view_env::render(app, &shown, &screen.look());
                    screen.say(&shown)?;
                }
            }
            return Ok(Exit::Done);
        }
        EnvAction::Set(set) => {
            let Some(asked) = one(session, app, set)? else {
                session.screen.complain("Nothing was changed.");
                return Ok(Exit::Refused);
            };
            session.client.set_env(app, &asked).await?
        }
        EnvAction::Import(import) => {
            let asked = many(session, import)?;
            session.client.set_env(app, &asked).await?
        }
        EnvAction::Unset { names } => {
            let asked = UnsetVariables { names: names.clone() };
            session.client.unset_env(app, &asked).await?
        }
    };
    session.accepted(&accepted, None)?;
    Ok(Exit::Done)
}

/// One variable, whose value comes on standard input, from a file, or from a person.
fn one(session: &mut Session, app: &str, args: &EnvSet) -> Result<Option<SetVariables>, Stop> {
    let app = text::word(app);
    let (name, rest) = match args.names.as_slice() {
        [name] => (name.as_str(), false),
        [name, ..] => (name.as_str(), true),
        [] => ("KEY", false),
    };
    if let Some((name, _)) = name.split_once('=') {
        // What follows is not said again: it may be on a screen that others see, or in a log.
        let name = text::word(name);
        return Err(Stop::Usage(format!(
            "Not set: a value on the command line is shown to every user of this host (`ps`) and \
             kept in the shell's history. If it is a secret, take it for known: change it where it \
             comes from.\nNext: `vial env {app} set {name}` asks for it, and reads it from standard \
             input where that is no terminal; `--from FILE` reads a file."
        )));
    }
    if rest {
        return Err(Stop::Usage(format!(
            "Not set: one variable at a time. What stands behind its name may be a value, and \
             values are not taken from the command line.\nNext: `vial env {app} import FILE` sets \
             many."
        )));
    }
    let value = match &args.from {
        Some(path) => ended(read(&mut open(path)?, path)?),
        None if session.input_terminal => match asked(session, name)? {
            Some(value) => value,
            None => return Ok(None),
        },
        None => {
            let mut input = session.input.take().unwrap_or_else(|| Box::new(io::empty()));
            ended(read(&mut input, Path::new("standard input"))?)
        }
    };
    if value.is_empty() {
        return Err(Stop::Usage(format!(
            "Not set: nothing came as the value of {name}.\nNext: `vial env {app} unset {name}` \
             takes it away; `echo {name}= | vial env {app} import -` sets it to nothing.",
            name = text::word(name)
        )));
    }
    let variables = vec![Assigned { name: name.into(), value }];
    Ok(Some(SetVariables { variables, text: None, secret: mark(args.mark) }))
}

fn asked(session: &mut Session, name: &str) -> Result<Option<String>, Stop> {
    let Some(mut input) = session.input.take() else { return Ok(None) };
    let hidden = Hidden::on_input()?;
    session.screen.complain(&format!("The value of {} (it is not shown):", text::word(name)));
    let value = hidden::line(&mut input)?;
    drop(hidden);
    session.input = Some(input);
    Ok(value)
}

fn many(session: &mut Session, args: &EnvImport) -> Result<SetVariables, Stop> {
    let text = if args.path == Path::new("-") {
        if session.input_terminal {
            return Err(Stop::Usage(
                "`import -` reads lines of NAME=value from standard input, which is a terminal \
                 here.\nNext: name a file, or pipe one in."
                    .into(),
            ));
        }
        let mut input = session.input.take().unwrap_or_else(|| Box::new(io::empty()));
        read(&mut input, Path::new("standard input"))?
    } else {
        read(&mut open(&args.path)?, &args.path)?
    };
    Ok(SetVariables { variables: Vec::new(), text: Some(text), secret: mark(args.mark) })
}

fn mark(mark: EnvMark) -> Option<bool> {
    match (mark.secret, mark.not_secret) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        _ => None,
    }
}

fn open(path: &Path) -> Result<File, Stop> {
    File::open(path).map_err(|error| unreadable(path, &error.to_string()))
}

fn read(from: &mut dyn Read, path: &Path) -> Result<String, Stop> {
    let mut bytes = Vec::new();
    from.take(LARGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| unreadable(path, &error.to_string()))?;
    if bytes.len() as u64 > LARGEST {
        return Err(unreadable(path, "it is larger than 4 MiB"));
    }
    String::from_utf8(bytes).map_err(|_| unreadable(path, "it is not UTF-8 text"))
}

fn unreadable(path: &Path, why: &str) -> Stop {
    let path = text::word(&path.display().to_string());
    Stop::Usage(format!("Not set: {path} cannot be read: {why}."))
}

/// Without the end of its last line, which is `echo`'s and the editor's, not the value's.
fn ended(mut value: String) -> String {
    if value.ends_with('\n') {
        value.pop();
        if value.ends_with('\r') {
            value.pop();
        }
    }
    value
}
