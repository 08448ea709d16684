//! `vial deploy --ref` and `vial redeploy`

use vial_protocol::request::Build;
use vial_protocol::{AppStatus, Deployment};

use super::super::args::{Deploy, Redeploy};
use super::super::exit::Exit;
use super::super::follow::follow;
use super::super::session::{Session, Stop};
use super::super::text;
use super::super::view_history;

/// Builds what a reference stands for, and follows the deployment.
///
/// # Errors
/// See [`Stop`].
pub async fn deploy(session: &mut Session, args: &Deploy, reference: &str) -> Result<Exit, Stop> {
    let request = Build {
        reference: Some(reference.to_owned()),
        deployment: None,
        allow_destructive: args.allow_destructive,
        reason: args.reason.clone(),
        push: false,
    };
    go(session, &args.app, &request, args.detach).await
}

/// Builds the commit of a deployment again, asks where someone can answer, and follows it.
///
/// # Errors
/// See [`Stop`].
pub async fn redeploy(session: &mut Session, args: &Redeploy) -> Result<Exit, Stop> {
    let status = session.client.app(&args.app).await?;
    let serving = status.serving.as_ref().map(|release| release.number);
    let Some(number) = args.number.or(serving) else {
        return Err(Stop::Usage(format!(
            "Nothing serves yet of {0}: name the deployment whose commit is built.\nNext: `vial \
             history {0}`",
            text::word(&args.app)
        )));
    };
    let deployment = session.client.deployment(&args.app, number).await?;
    if let Some(warning) = stays(&deployment, &status) {
        session.screen.complain(&warning);
    }
    let someone = session.input_terminal && session.screen.terminal;
    if someone && !args.yes {
        let commit = deployment.commit.as_ref().map(|it| format!(", {}", view_history::commit(it)));
        let question = format!("Build and deploy #{number} again{}?", commit.unwrap_or_default());
        if !session.ask(&question)? {
            session.screen.complain("Nothing was changed.");
            return Ok(Exit::Refused);
        }
    }
    let request = Build {
        reference: None,
        deployment: Some(number),
        allow_destructive: args.allow_destructive,
        reason: args.reason.clone(),
        push: false,
    };
    go(session, &args.app, &request, args.detach).await
}

async fn go(session: &mut Session, app: &str, request: &Build, detach: bool) -> Result<Exit, Stop> {
    let accepted = session.client.build(app, request).await?;
    match accepted.deployment {
        Some(number) if !detach => follow(session, app, number, None).await,
        number => {
            session.accepted(&accepted, number.map(|number| (app, number)))?;
            Ok(Exit::Done)
        }
    }
}

/// What to say before an older commit comes back: a redeploy reverts no migration.
fn stays(deployment: &Deployment, status: &AppStatus) -> Option<String> {
    let serving = status.serving.as_ref()?;
    let brought = deployment.release.as_ref().map_or(deployment.number, |it| it.number);
    if brought >= serving.number {
        return None;
    }
    let known = |version| {
        let release = deployment.release.as_ref();
        release.is_some_and(|it| it.migrations.iter().any(|it| it.version == version))
    };
    let later: Vec<String> = serving
        .migrations
        .iter()
        .filter(|it| deployment.release.is_some() && !known(it.version))
        .map(|it| it.version.to_string())
        .collect();
    let which = match later.as_slice() {
        [] if deployment.release.is_some() => {
            return Some(format!(
                "#{} is older than what serves ({} #{}). Both bring the same migrations.",
                deployment.number,
                text::word(&serving.label()),
                serving.number
            ));
        }
        [] => String::new(),
        some => format!(": {}", some.join(", ")),
    };
    Some(format!(
        "#{} is older than what serves ({} #{}). A redeploy reverts no migration: those that came \
         after it stay{which}.",
        deployment.number,
        text::word(&serving.label()),
        serving.number
    ))
}
