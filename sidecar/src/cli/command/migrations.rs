//! `vial migrations`

use vial_protocol::request::Migrate;

use super::super::args::Migrations;
use super::super::exit::Exit;
use super::super::session::{Session, Stop};
use super::super::view_migrations;

/// Shows what is applied, or moves it, by the files of one release.
///
/// # Errors
/// See [`Stop`].
pub async fn run(session: &mut Session, args: &Migrations) -> Result<Exit, Stop> {
    let request = Migrate { release: args.release, down_to: args.down_to, up: args.up };
    if args.down_to.is_none() && !args.up {
        let report = session.client.migrations(&args.app, args.release).await?;
        if session.screen.json {
            session.screen.say_json(&report)?;
        } else {
            let shown = view_migrations::render(&report, &session.screen.look());
            session.screen.say(&shown)?;
        }
        return Ok(Exit::Done);
    }
    let asks = session.input_terminal && session.screen.terminal && !args.yes;
    if let (Some(version), true) = (args.down_to, asks) {
        let report = session.client.migrations(&args.app, args.release).await?;
        let shown = view_migrations::down(&report, version, &session.screen.look());
        session.screen.say(&shown)?;
        if !session.ask("Revert them?")? {
            session.screen.complain("Nothing was changed.");
            return Ok(Exit::Refused);
        }
    }
    let migrated = session.client.migrate(&args.app, &request).await?;
    if session.screen.json {
        session.screen.say_json(&migrated)?;
    } else {
        let shown = view_migrations::moved(&migrated);
        session.screen.say(&shown)?;
    }
    Ok(Exit::Done)
}
