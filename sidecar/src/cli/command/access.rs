//! `vial user`, `token`, `session`, `login-link` and `audit`

use std::io::{self, BufRead, Read};

use serde::Serialize;
use vial_protocol::access::{AskLink, AskToken, ChangeUser, NewUser};

use super::super::args::{Audit, LoginLink, SessionWhat, TokenWhat, UserWhat};
use super::super::exit::Exit;
use super::super::hidden::{self, Hidden};
use super::super::look::Look;
use super::super::session::{Session, Stop};
use super::super::{text, view_access};

/// What a password that is made has: no two of them are mistaken for one another.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// So many groups of five: 125 bits.
const GROUPS: usize = 5;
/// More than any password.
const LARGEST: u64 = 8 << 10;

/// Users of the dashboard.
///
/// # Errors
/// See [`Stop`].
pub async fn user(session: &mut Session, what: &UserWhat) -> Result<Exit, Stop> {
    match what {
        UserWhat::Add { name, role, generate } => {
            let Some(password) = password(session, name, *generate)? else {
                return Ok(left(session));
            };
            let user = NewUser { name: name.clone(), role: *role, password: password.clone() };
            session.client.add_user(&user).await?;
            let said = format!("{} may log in, as {role}.", text::word(name));
            done(session, &said, generate.then_some(password))
        }
        UserWhat::List => {
            let users = session.client.users().await?;
            list(session, &users, view_access::users)
        }
        UserWhat::Role { name, role } => {
            let change = ChangeUser { role: Some(*role), password: None };
            session.client.change_user(name, &change).await?;
            let said = format!("{} is {role} from now on. Their sessions ended.", text::word(name));
            done(session, &said, None)
        }
        UserWhat::Password { name, generate } => {
            let Some(password) = password(session, name, *generate)? else {
                return Ok(left(session));
            };
            let change = ChangeUser { role: None, password: Some(password.clone()) };
            session.client.change_user(name, &change).await?;
            let said = format!("{} has another password. Their sessions ended.", text::word(name));
            done(session, &said, generate.then_some(password))
        }
        UserWhat::Remove { name } => {
            session.client.remove_user(name).await?;
            let said = format!("{} is removed. Their sessions ended.", text::word(name));
            done(session, &said, None)
        }
    }
}

/// API tokens.
///
/// # Errors
/// See [`Stop`].
pub async fn token(session: &mut Session, what: &TokenWhat) -> Result<Exit, Stop> {
    match what {
        TokenWhat::Add { name, role, days } => {
            let asked = AskToken { name: name.clone(), role: *role, days: *days };
            let made = session.client.add_token(&asked).await?;
            let screen = &mut session.screen;
            if screen.json {
                screen.say_json(&made)?;
                return Ok(Exit::Done);
            }
            // On standard error: standard output is the token alone, for whoever pipes it.
            if !screen.quiet {
                let ends = screen.look().clock(made.token.expires_at);
                screen.complain(&format!(
                    "This is the token, shown this once. It is {role} until {ends}, sent as \
                     `Authorization: Bearer …`."
                ));
            }
            screen.say(&made.secret)?;
            Ok(Exit::Done)
        }
        TokenWhat::List => {
            let tokens = session.client.tokens().await?;
            list(session, &tokens, view_access::tokens)
        }
        TokenWhat::Remove { id } => {
            session.client.remove_token(id).await?;
            done(session, "The token is removed.", None)
        }
    }
}

/// Sessions of the dashboard's users.
///
/// # Errors
/// See [`Stop`].
pub async fn session(session: &mut Session, what: &SessionWhat) -> Result<Exit, Stop> {
    match what {
        SessionWhat::List => {
            let sessions = session.client.sessions().await?;
            list(session, &sessions, view_access::sessions)
        }
        SessionWhat::End { id } => {
            session.client.end_session(id).await?;
            done(session, "The session has ended, with what it had opened.", None)
        }
    }
}

/// A link by which somebody comes in first.
///
/// # Errors
/// See [`Stop`].
pub async fn login_link(session: &mut Session, args: &LoginLink) -> Result<Exit, Stop> {
    let asked = AskLink { name: args.name.clone(), role: args.role };
    let made = session.client.add_link(&asked).await?;
    let screen = &mut session.screen;
    if screen.json {
        screen.say_json(&made)?;
        return Ok(Exit::Done);
    }
    screen.say(&text::word(&made.url))?;
    if !screen.quiet {
        let until = screen.look().clock(made.expires_at);
        screen.complain(&format!(
            "Whoever opens it sets the password of {} and is logged in. It serves once, until {until}.",
            text::word(&args.name)
        ));
    }
    Ok(Exit::Done)
}

/// Who did what.
///
/// # Errors
/// See [`Stop`].
pub async fn audit(session: &mut Session, args: &Audit) -> Result<Exit, Stop> {
    let rows = session.client.audit(args.app.as_deref(), args.before, Some(args.limit)).await?;
    list(session, &rows, view_access::audit)
}

fn list<T: Serialize>(
    session: &mut Session,
    all: &[T],
    shown: fn(&[T], &Look) -> String,
) -> Result<Exit, Stop> {
    let screen = &mut session.screen;
    if screen.json {
        screen.say_json(&all)?;
    } else {
        let shown = shown(all, &screen.look());
        screen.say(&shown)?;
    }
    Ok(Exit::Done)
}

/// What was done, with the password that was made for it.
fn done(session: &mut Session, said: &str, made: Option<String>) -> Result<Exit, Stop> {
    let screen = &mut session.screen;
    if screen.json {
        screen.say_json(&serde_json::json!({ "message": said, "password": made }))?;
        return Ok(Exit::Done);
    }
    match made {
        // On standard error: standard output is the password alone, for whoever pipes it.
        Some(password) => {
            screen.complain(&format!("{said} Their password, shown this once:"));
            screen.say(&password)?;
        }
        None => screen.say(said)?,
    }
    Ok(Exit::Done)
}

fn left(session: &mut Session) -> Exit {
    session.screen.complain("Nothing was changed.");
    Exit::Refused
}

/// A password: made, asked for twice, or the first line of standard input. Absent where the person
/// left instead.
fn password(session: &mut Session, name: &str, generate: bool) -> Result<Option<String>, Stop> {
    if generate {
        return Ok(Some(made()?));
    }
    let Some(mut input) = session.input.take() else { return Ok(None) };
    if !session.input_terminal {
        let mut line = String::new();
        io::BufReader::new(input.take(LARGEST)).read_line(&mut line)?;
        let password = line.strip_suffix('\n').unwrap_or(&line);
        return Ok(Some(password.strip_suffix('\r').unwrap_or(password).to_owned()));
    }
    let hidden = Hidden::on_input()?;
    let name = text::word(name);
    session.screen.complain(&format!("The password of {name} (it is not shown):"));
    let Some(first) = hidden::line(&mut input)? else { return Ok(None) };
    session.screen.complain("The same once more:");
    let Some(second) = hidden::line(&mut input)? else { return Ok(None) };
    drop(hidden);
    if first == second {
        return Ok(Some(first));
    }
    Err(Stop::Usage("Nothing was changed: the two passwords are not the same.".into()))
}

fn made() -> io::Result<String> {
    let mut bytes = [0_u8; GROUPS * 5];
    getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()))?;
    let letter = |byte: &u8| char::from(LETTERS[usize::from(byte % 32)]);
    let groups: Vec<String> =
        bytes.chunks(5).map(|group| group.iter().map(letter).collect()).collect();
    Ok(groups.join("-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_that_are_made_are_long_and_differ() {
        let (one, other) = (made().unwrap(), made().unwrap());
        assert_eq!(one.len(), GROUPS * 6 - 1);
        assert!(one != other && one.bytes().all(|it| it == b'-' || LETTERS.contains(&it)), "{one}");
    }
}
