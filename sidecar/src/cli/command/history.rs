//! `vial history` and `vial show`

use super::super::args::{History, Show};
use super::super::exit::Exit;
use super::super::session::{Session, Stop};
use super::super::view_history;

/// Lists deployments.
///
/// # Errors
/// See [`Stop`].
pub async fn history(session: &mut Session, args: &History) -> Result<Exit, Stop> {
    let rows = session.client.deployments(&args.app, args.before, Some(args.limit)).await?;
    let screen = &mut session.screen;
    if screen.json {
        screen.say_json(&rows)?;
    } else {
        let shown = view_history::table(&args.app, &rows, &screen.look());
        screen.say(&shown)?;
    }
    Ok(Exit::Done)
}

/// Shows one deployment.
///
/// # Errors
/// See [`Stop`].
pub async fn show(session: &mut Session, args: &Show) -> Result<Exit, Stop> {
    let deployment = session.client.deployment(&args.app, args.number).await?;
    let screen = &mut session.screen;
    if screen.json {
        screen.say_json(&deployment)?;
    } else {
        let shown = view_history::one(&args.app, &deployment, &screen.look());
        screen.say(&shown)?;
    }
    Ok(Exit::Done)
}
