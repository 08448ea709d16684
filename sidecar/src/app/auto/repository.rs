//! The repository that is pushed to on this host.
//!
//! Members of the operators' group may push, and no more: what Git runs when they do (`hooks`) and
//! what it obeys (`config`) are the daemon's own, and in a sticky folder, so that no member can make
//! another run something. Everybody may read, because whoever builds is no operator.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{PermissionsExt, lchown};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use nix::unistd::{Group, geteuid};
use tokio::process::Command;
use vial_protocol::source::Repository;
use vial_protocol::{Code, Problem};

use crate::app::context::Context;
use crate::config::Source;

/// Makes the repository of an app, or its hook anew where it is there.
///
/// # Errors
/// What stands in the way.
pub async fn make(context: &Arc<Context>, source: &Source) -> Result<Repository, Problem> {
    let layout = crate::app::paths::Layout::new(&context.daemon.host.state_dir);
    let path = layout.repository(context.app());
    let existed = path.exists();
    let failed = |error: io::Error| {
        Problem::new(
            Code::Internal,
            format!("The repository {} could not be made: {error}.", path.display()),
        )
        .next("see whether `git` is installed and the state folder can be written; then ask again")
    };
    if !existed {
        init(&path, &source.branch).await.map_err(failed)?;
    }
    let (place, hook) = (path.clone(), hook(context));
    let group = context.daemon.host.operators_group.clone();
    let name = group.clone();
    let done = tokio::task::spawn_blocking(move || finish(&place, &hook, &group));
    let shared = done.await.map_err(io::Error::other).and_then(|it| it).map_err(failed)?;
    tracing::info!(app = context.app(), repository = %path.display(), existed, "can be pushed to");
    let plain = source.git.strip_prefix("file://").unwrap_or(&source.git);
    Ok(Repository {
        is_source: Path::new(plain) == path,
        path: path.display().to_string(),
        existed,
        branch: source.branch.clone(),
        group: shared.then_some(name),
    })
}

/// Made aside: what stands in its place is whole.
async fn init(path: &Path, branch: &str) -> io::Result<()> {
    let aside = path.with_extension("new");
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
        fs::set_permissions(parent, Permissions::from_mode(0o711))?;
    }
    if aside.exists() {
        fs::remove_dir_all(&aside)?;
    }
    let output = Command::new("git")
        .args(["init", "--quiet", "--bare", "--template=", "--shared=0664"])
        .arg(format!("--initial-branch={branch}"))
        .arg("--")
        .arg(&aside)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .stdin(Stdio::null())
        .output()
        .await?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(io::Error::other(said.trim().to_owned()));
    }
    let config = aside.join("config");
    let mut text = fs::read_to_string(&config)?;
    // A branch that is set back is deployed like any other tip. Packing would leave files in the
    // folder itself that only their owner can replace there.
    text.push_str(
        "[receive]\n\tdenyNonFastForwards = false\n\tautogc = false\n\tunpackLimit = 1\n[gc]\n\t\
         auto = 0\n",
    );
    fs::write(&config, text)?;
    fs::rename(&aside, path)
}

/// The hook, and who may do what. Whether the group may push.
fn finish(path: &Path, hook: &str, group: &str) -> io::Result<bool> {
    let hooks = path.join("hooks");
    fs::create_dir_all(&hooks)?;
    let (file, aside) = (hooks.join("post-receive"), hooks.join("post-receive.new"));
    fs::write(&aside, hook)?;
    fs::set_permissions(&aside, Permissions::from_mode(0o755))?;
    fs::rename(&aside, &file)?;
    let group = Group::from_name(group).ok().flatten().map(|group| group.gid.as_raw());
    let Some(group) = group.filter(|_| geteuid().is_root()) else { return Ok(false) };
    for below in ["objects", "refs"] {
        give(&path.join(below), group)?;
    }
    lchown(path, None, Some(group))?;
    fs::set_permissions(path, Permissions::from_mode(0o3775))?;
    for (own, mode) in [("config", 0o644), ("HEAD", 0o644), ("hooks", 0o755)] {
        let own = path.join(own);
        lchown(&own, Some(0), Some(0))?;
        fs::set_permissions(&own, Permissions::from_mode(mode))?;
    }
    Ok(true)
}

/// Gives folders to the group, and what is made in them with it.
fn give(folder: &Path, group: u32) -> io::Result<()> {
    lchown(folder, None, Some(group))?;
    fs::set_permissions(folder, Permissions::from_mode(0o2775))?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            give(&entry.path(), group)?;
        }
    }
    Ok(())
}

/// What Git runs after a push. Names of branches come by standard input, never as arguments.
fn hook(context: &Context) -> String {
    let binary = fs::read_link(&context.daemon.binary)
        .map(|path| {
            // A daemon whose binary was replaced still finds the new one by its path.
            let text = path.to_string_lossy().into_owned();
            PathBuf::from(text.strip_suffix(" (deleted)").unwrap_or(&text))
        })
        .unwrap_or_else(|_| context.daemon.binary.clone());
    format!(
        "#!/bin/sh\n# Written by Vial: it deploys what was pushed, and shows how that goes.\n\
         exec {} --socket {} post-receive {}\n",
        quoted(&binary),
        quoted(&context.daemon.host.socket()),
        context.app()
    )
}

/// A path as one word of a shell.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.to_string_lossy().replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_word_of_a_shell_whatever_is_in_it() {
        let odd = "/tmp/it's $(here) \"and\" `there`;";
        let said = std::process::Command::new("sh")
            .arg("-c")
            .arg(format!("printf %s {}", quoted(Path::new(odd))))
            .output()
            .unwrap();
        assert_eq!(String::from_utf8(said.stdout).unwrap(), odd);
    }
}
