//! `vial rollback`

use vial_protocol::{Code, DatabasePlan, MigrationChoice, Plan, request};

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
    let mut request = request::Rollback {
        to: args.to,
        reason: args.reason.clone(),
        cancel: args.cancel,
        digest: None,
        migrations: match (args.keep_migrations, args.revert_migrations) {
            (true, _) => Some(MigrationChoice::Keep),
            (_, true) => Some(MigrationChoice::Revert),
            _ => None,
        },
        env: args.env,
        force: args.force,
    };
    let mut plan = session.client.plan(&args.app, &request).await?;
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
    let someone = session.input_terminal && session.screen.terminal;
    let asks = someone && !args.yes && !args.force;
    let accepted = loop {
        match agreed(session, &plan, asks)? {
            Agreed::No => {
                session.screen.complain("Nothing was changed.");
                return Ok(Exit::Refused);
            }
            Agreed::Yes => {}
            Agreed::Choice(choice) => request.migrations = Some(choice),
        }
        request.digest = Some(plan.digest.clone());
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

enum Agreed {
    Yes,
    No,
    Choice(MigrationChoice),
}

fn agreed(session: &mut Session, plan: &Plan, asks: bool) -> Result<Agreed, Stop> {
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
    if !asks {
        return Ok(Agreed::Yes);
    }
    let DatabasePlan::Choose { choices } = &plan.database else {
        return Ok(if session.ask("Roll back?")? { Agreed::Yes } else { Agreed::No });
    };
    let question = if choices.contains(&MigrationChoice::Revert) {
        "Roll back and [k]eep the migrations, [r]evert them, or [C]ancel?"
    } else {
        "Roll back and [k]eep the migrations, or [C]ancel?"
    };
    Ok(match session.answer(question)?.as_str() {
        "k" | "keep" => Agreed::Choice(MigrationChoice::Keep),
        "r" | "revert" if choices.contains(&MigrationChoice::Revert) => {
            Agreed::Choice(MigrationChoice::Revert)
        }
        _ => Agreed::No,
    })
}
