//! `vial rollback`

use vial_protocol::request;
use vial_protocol::{Code, Plan};

use super::super::args::Rollback;
use super::super::exit::Exit;
use super::super::follow::follow;
use super::super::session::{Session, Stop};
use super::super::view_plan;
use crate::client::ClientError;

/// Shows the plan, asks where someone can answer, and rolls back by that plan and no other.
///
/// # Errors
/// See [`Stop`].
pub async fn run(session: &mut Session, args: &Rollback) -> Result<Exit, Stop> {
    let mut plan = session.client.plan(&args.app, args.to, args.cancel).await?;
    if args.plan {
        let screen = &mut session.screen;
        if screen.json {
            screen.say_json(&plan)?;
        } else {
            let shown = view_plan::render(&plan, &screen.look());
            screen.say(&shown)?;
        }
        return Ok(Exit::Done);
    }
    let asks = session.input_terminal && session.screen.terminal && !args.yes;
    let accepted = loop {
        if !agreed(session, &plan, asks)? {
            session.screen.complain("Nothing was changed.");
            return Ok(Exit::Refused);
        }
        let request = request::Rollback {
            to: args.to,
            reason: args.reason.clone(),
            cancel: args.cancel,
            digest: Some(plan.digest.clone()),
        };
        match session.client.rollback(&args.app, &request).await {
            Ok(accepted) => break accepted,
            // Someone can agree to the new plan as well.
            Err(ClientError::Refused(problem))
                if asks && problem.code == Code::StalePlan && problem.plan.is_some() =>
            {
                session.screen.complain("The plan has changed meanwhile:");
                if let Some(new) = problem.plan {
                    plan = *new;
                }
            }
            Err(error) => return Err(error.into()),
        }
    };
    match accepted.deployment {
        Some(number) if !args.detach => follow(session, &args.app, number, Some(&plan)).await,
        number => {
            session.accepted(&accepted, number.map(|number| (args.app.as_str(), number)))?;
            Ok(Exit::Done)
        }
    }
}

fn agreed(session: &mut Session, plan: &Plan, asks: bool) -> Result<bool, Stop> {
    let screen = &mut session.screen;
    if !screen.json && !screen.quiet || asks {
        let look = if screen.json { screen.err_look() } else { screen.look() };
        let shown = view_plan::render(plan, &look);
        if screen.json {
            screen.complain(&shown);
        } else {
            screen.say(&shown)?;
        }
    }
    Ok(!asks || session.ask("Roll back?")?)
}
