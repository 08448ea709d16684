//! `vial auto-deploy`, `git-init` and `post-receive`

use std::io::Read;

use vial_protocol::request;
use vial_protocol::source::{AskSecret, HookSecret, Repository, Switch};

use super::super::args::{self, AutoDeployWhat};
use super::super::exit::Exit;
use super::super::follow::follow;
use super::super::session::{Session, Stop};
use super::super::view_source::words;
use super::super::{problem, text};
use crate::client::ClientError;

/// What Git may say of one push at most.
const LARGEST: u64 = 1 << 20;

/// Shows whether new commits are deployed by themselves, or changes that.
///
/// # Errors
/// See [`Stop`].
pub async fn auto_deploy(session: &mut Session, args: &args::AutoDeploy) -> Result<Exit, Stop> {
    let app = &args.app;
    let on = match args.what {
        Some(AutoDeployWhat::On) => true,
        Some(AutoDeployWhat::Off) => false,
        Some(AutoDeployWhat::Secret) => {
            let asked = AskSecret { rotate: args.rotate };
            let told = session.client.hook_secret(app, &asked).await?;
            return secret(session, &told);
        }
        None => return show(session, app).await,
    };
    let accepted = session.client.auto_deploy(app, &Switch { on }).await?;
    session.accepted(&accepted, None)?;
    Ok(Exit::Done)
}

async fn show(session: &mut Session, app: &str) -> Result<Exit, Stop> {
    let status = session.client.app(app).await?;
    if session.screen.json {
        session.screen.say_json(&status.auto_deploy)?;
        return Ok(Exit::Done);
    }
    let said = match &status.auto_deploy {
        Some(auto) => format!("auto-deploy: {}", words(auto, &session.screen.look())),
        None => format!(
            "{} has no `[source]` in its file: there is nothing to deploy by itself.",
            text::word(app)
        ),
    };
    session.screen.say(&said)?;
    Ok(Exit::Done)
}

fn secret(session: &mut Session, told: &HookSecret) -> Result<Exit, Stop> {
    let screen = &mut session.screen;
    if screen.json {
        screen.say_json(told)?;
        return Ok(Exit::Done);
    }
    screen.say(&told.secret)?;
    if screen.quiet {
        return Ok(Exit::Done);
    }
    // On standard error: standard output is the secret alone, for whoever pipes it.
    match &told.listen {
        Some(listen) => screen.complain(&format!(
            "The webhook's address is https://HOST{0}, where Caddy passes {0} on to {listen}.",
            told.path
        )),
        None => screen.complain(
            "The daemon takes no webhooks yet.\nNext: `[hooks] listen = \"127.0.0.1:4180\"` in its \
             configuration, then `systemctl restart vial`.",
        ),
    }
    Ok(Exit::Done)
}

/// Makes the repository that is pushed to on this host.
///
/// # Errors
/// See [`Stop`].
pub async fn git_init(session: &mut Session, args: &args::App) -> Result<Exit, Stop> {
    let made = session.client.git_init(&args.app).await?;
    let screen = &mut session.screen;
    if screen.json {
        screen.say_json(&made)?;
        return Ok(Exit::Done);
    }
    let Repository { path, existed, branch, group, is_source } = &made;
    let (path, branch) = (text::word(path), text::word(branch));
    let there = if *existed { "is there already; its hook was written anew" } else { "is ready" };
    match group {
        Some(group) => screen.say(&format!(
            "{path} {there}. Members of the group {} may push to it:",
            text::word(group)
        ))?,
        None => screen.say(&format!("{path} {there}. The daemon's own user may push to it:"))?,
    }
    screen.say(&format!("  git remote add vial ssh://HOST{path}"))?;
    screen.say(&format!("  git push vial {branch}"))?;
    if group.is_some() {
        screen
            .say("Git wants to be told once, by root, that others' repositories are meant here:")?;
        screen.say(&format!("  git config --system --add safe.directory {path}"))?;
    }
    if !is_source {
        let app = text::word(&args.app);
        screen.say(&format!(
            "Next: {app} is not built from it yet. Put `git = \"{path}\"` under `[source]` in its \
             file, then `vial reload`."
        ))?;
    }
    Ok(Exit::Done)
}

/// What Git runs after a push: deploys the branch where it is the app's, and shows how that goes.
///
/// # Errors
/// See [`Stop`].
pub async fn post_receive(session: &mut Session, args: &args::App) -> Result<Exit, Stop> {
    let app = &args.app;
    let mut told = Vec::new();
    if let Some(input) = session.input.take() {
        input.take(LARGEST).read_to_end(&mut told)?;
    }
    let status = session.client.app(app).await?;
    let Some(branch) = status.auto_deploy.map(|it| it.branch) else {
        session.screen.complain("Nothing was deployed: the app has no `[source]` in its file.");
        return Ok(Exit::Refused);
    };
    let mut pushed = false;
    for line in String::from_utf8_lossy(&told).lines() {
        let mut words = line.splitn(3, ' ');
        let (Some(_), Some(new), Some(reference)) = (words.next(), words.next(), words.next())
        else {
            continue;
        };
        let gone = new.bytes().all(|it| it == b'0');
        if reference.strip_prefix("refs/heads/") == Some(branch.as_str()) && !gone {
            pushed = true;
            continue;
        }
        let why = if gone { "is gone" } else { "is not deployed" };
        let (reference, app) = (text::word(reference), text::word(app));
        session.screen.complain(&format!("{reference} {why}: {app} is built from {branch}."));
    }
    if !pushed {
        return Ok(Exit::Done);
    }
    let ask = request::Build { push: true, ..request::Build::default() };
    let accepted = match session.client.build(app, &ask).await {
        Ok(accepted) => accepted,
        Err(ClientError::Refused(refusal)) => {
            let shown = problem::render(&refusal, "", &session.screen.err_look());
            session.screen.complain(&format!(
                "{shown}\nThe push itself was taken: `vial deploy {} --ref {branch}` deploys it \
                 later.",
                text::word(app)
            ));
            return Ok(Exit::Refused);
        }
        Err(error) => return Err(error.into()),
    };
    match accepted.deployment {
        Some(number) => follow(session, app, number, None).await,
        None => Ok(Exit::Done),
    }
}
