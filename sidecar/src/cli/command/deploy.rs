//! `vial deploy`

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;

use vial_protocol::request::Accepted;
use vial_protocol::{Code, request};

use super::super::args::Deploy;
use super::super::exit::Exit;
use super::super::follow::follow;
use super::super::progress::Progress;
use super::super::session::{Session, Stop};
use super::super::text;
use crate::client::{ClientError, Upload};

/// Sends the release, and follows the deployment.
///
/// # Errors
/// See [`Stop`].
pub async fn run(session: &mut Session, args: &Deploy) -> Result<Exit, Stop> {
    let path = args.path.as_deref().unwrap_or(Path::new("-"));
    let mut asked =
        request::Deploy { reason: args.reason.clone(), allow_destructive: args.allow_destructive };
    let accepted = match send(session, args, &asked).await {
        // It is refused before it touches anything, and someone is here who can allow it.
        Err(Stop::Client(ClientError::Refused(problem)))
            if problem.code == Code::Destructive
                && session.input_terminal
                && session.screen.terminal
                && path != Path::new("-") =>
        {
            let shown = text::block(&problem.message, session.screen.colour);
            session.screen.say(&shown)?;
            if !session.ask("Deploy it all the same?")? {
                session.screen.complain("Nothing was changed.");
                return Ok(Exit::Refused);
            }
            asked.allow_destructive = true;
            send(session, args, &asked).await?
        }
        sent => sent?,
    };
    match accepted.deployment {
        Some(number) if !args.detach => follow(session, &args.app, number, None).await,
        number => {
            session.accepted(&accepted, number.map(|number| (args.app.as_str(), number)))?;
            Ok(Exit::Done)
        }
    }
}

/// Sends the release once.
async fn send(
    session: &mut Session,
    args: &Deploy,
    asked: &request::Deploy,
) -> Result<Accepted, Stop> {
    let path = args.path.as_deref().unwrap_or(Path::new("-"));
    let upload = upload(session, path)?;
    let sent = upload.sent();
    let mut progress = Progress::on(&session.screen);
    let began = (session.screen.clock)();
    let client = session.client.clone();
    let accepted = {
        let deploying = client.deploy(&args.app, asked, upload);
        tokio::pin!(deploying);
        let mut tick = tokio::time::interval(Duration::from_millis(100));
        loop {
            tokio::select! {
                accepted = &mut deploying => break accepted?,
                _ = tick.tick(), if progress.is_drawn() => {
                    let size = size(sent.load(Ordering::Relaxed));
                    let text = format!("{:<9}  {size:<9}", "Sending");
                    progress.running(text, began, (session.screen.clock)());
                }
            }
        }
    };
    progress.clear();
    Ok(accepted)
}

/// Where the bytes come from. What is wrong on this side is told before anything is sent.
fn upload(session: &mut Session, path: &Path) -> Result<Upload, Stop> {
    let shown = text::word(&path.display().to_string());
    if path == Path::new("-") {
        if session.input_terminal {
            return Err(Stop::Usage(
                "`vial deploy APP -` reads a release from standard input, which is a terminal \
                 here.\nNext: name a folder or a .tar.gz, or pipe one in."
                    .into(),
            ));
        }
        let input = session.input.take().unwrap_or_else(|| Box::new(io::empty()));
        return Ok(Upload::new(move |writer| copy(input, writer)));
    }
    let kind = fs::metadata(path)
        .map_err(|error| Stop::Usage(format!("{shown} cannot be read: {error}.")))?;
    if kind.is_dir() {
        if !path.join("releases").is_dir() {
            return Err(Stop::Usage(format!(
                "{shown} is not a release: it has no `releases` folder.\nNext: `MIX_ENV=prod mix \
                 release` makes one in _build/prod/rel/NAME."
            )));
        }
        let (pack, folder) = (session.pack, path.to_owned());
        return Ok(Upload::new(move |writer| pack(&folder, writer)));
    }
    let file = File::open(path)
        .map_err(|error| Stop::Usage(format!("{shown} cannot be read: {error}.")))?;
    Ok(Upload::new(move |writer| copy(file, writer)))
}

fn copy(mut from: impl Read, to: &mut dyn Write) -> io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => to.write_all(&buffer[..count])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn size(bytes: u64) -> String {
    let tenths = bytes / 104_858;
    format!("{}.{} MiB", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_in_mebibytes() {
        assert_eq!(size(0), "0.0 MiB");
        assert_eq!(size(12_897_485), "12.2 MiB");
    }
}
