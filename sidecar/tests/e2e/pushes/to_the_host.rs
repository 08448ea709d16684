//! A push to the host itself, which shows how its deployment goes.

use std::os::unix::process::CommandExt;
use std::path::Path;

use super::{Stage, git, git_output};
use crate::support::is_root;

#[tokio::test(flavor = "multi_thread")]
async fn a_push_to_the_host_deploys_and_the_one_who_pushed_sees_it() {
    let mut stage = Stage::new("").await;
    let repository = stage.host.state.join("git/shop.git");
    stage.host.vial(&["git-init", "shop"]).await.ends(0).says(&[
        "is ready",
        &format!("git remote add vial ssh://HOST{}", repository.display()),
        "shop is not built from it yet",
    ]);
    stage.write_app(&repository, "");
    stage.host.vial(&["reload"]).await.ends(0);
    stage
        .host
        .vial(&["git-init", "shop"])
        .await
        .ends(0)
        .says(&["is there already"])
        .never_says(&["not built from it yet"]);
    git(&stage.work(), &["remote", "add", "vial", repository.to_str().unwrap()]);
    let push = |branch: &str| {
        let to = format!("HEAD:refs/heads/{branch}");
        let output = git_output(&stage.work(), &["push", "--force", "vial", &to]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        said
    };
    // A test's own runtime must go on while Git is waited for.
    let said = tokio::task::block_in_place(|| push("main"));
    assert!(said.contains("remote: ") && said.contains("v1.0.0 serves since"), "{said}");
    assert_eq!(stage.host.serving().await, "1.0.0");
    let odd = "x$(touch${IFS}pwned);`id`";
    let said = tokio::task::block_in_place(|| push(odd));
    assert!(said.contains("is not deployed: shop is built from main"), "{said}");
    assert!(!repository.join("pwned").exists());
    stage.commit("none");
    let said = tokio::task::block_in_place(|| push("main"));
    assert!(said.contains("v1.0.0 still serves"), "{said}");
    git(&stage.work(), &["reset", "-q", "--hard", "HEAD~1"]);
    stage.commit("2");
    let said = tokio::task::block_in_place(|| push("main"));
    assert!(said.contains("v2.0.0 serves since"), "a branch that is set back too: {said}");
    assert_eq!(stage.host.serving().await, "2.0.0");
    let commits = stage.commits().await;
    let statuses: Vec<&str> = commits.iter().map(|it| it.2.as_str()).collect();
    assert_eq!(statuses, ["superseded", "failed", "succeeded"]);
}

/// Needs root: another user pushes. What Git thinks of a repository that is not its user's is part of
/// what is tried.
#[tokio::test(flavor = "multi_thread")]
async fn an_operator_may_push_and_change_nothing_that_others_run() {
    if !is_root() {
        eprintln!("skipped: only root can push as another user");
        return;
    }
    let mut stage = Stage::new("").await;
    // Where everybody can reach it: it is what the hook calls.
    let binary = stage.host.path("vial");
    std::fs::copy(&stage.host.binary, &binary).unwrap();
    stage.host.binary = binary;
    let config = std::fs::read_to_string(stage.host.config()).unwrap();
    let text = format!("operators_group = \"proxy\"\n{config}");
    std::fs::write(stage.host.config(), text).unwrap();
    let repository = stage.host.state.join("git/shop.git");
    stage.write_app(&repository, "");
    stage.host.kill_daemon();
    stage.host.start_daemon().await;
    stage.host.vial(&["git-init", "shop"]).await.ends(0).says(&[
        "Members of the group proxy may push to it",
        &format!("git config --system --add safe.directory {}", repository.display()),
    ]);
    let proxy = nix::unistd::User::from_name("proxy").unwrap().unwrap();
    let (uid, gid) = (proxy.uid.as_raw(), proxy.gid.as_raw());
    let home = stage.host.path("proxy");
    std::fs::create_dir(&home).unwrap();
    std::os::unix::fs::chown(&home, Some(uid), Some(gid)).unwrap();
    let work = home.join("work");
    let forge = stage.forge();
    let run = |folder: &Path, program: &str, args: &[&str]| {
        let mut command = std::process::Command::new(program);
        command.args(args).current_dir(folder).env("HOME", &home).env_remove("VIAL_SOCKET");
        command.uid(uid).gid(gid);
        let output = tokio::task::block_in_place(|| command.output()).unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    // As `vial git-init` says it, for the whole host.
    for safe in [&forge, &repository] {
        let args = ["config", "--global", "--add", "safe.directory", text_of(safe)];
        let (fine, said) = run(&home, "git", &args);
        assert!(fine, "{said}");
    }
    let (fine, said) = run(&home, "git", &["clone", "-q", text_of(&forge), "work"]);
    assert!(fine, "{said}");
    let push = ["push", text_of(&repository), "HEAD:main"];
    let (fine, said) = run(&work, "git", &push);
    assert!(fine && said.contains("v1.0.0 serves since"), "{said}");
    assert_eq!(stage.host.deployment(1).await.actor, "proxy");
    let hook = repository.join("hooks/post-receive");
    for (what, args) in [
        ("its hook", ["-c", &format!("echo x >>'{}'", hook.display())]),
        ("its hooks", ["-c", &format!("mv '{0}/hooks' '{0}/old'", repository.display())]),
        ("its configuration", ["-c", &format!("echo x >>'{}/config'", repository.display())]),
        ("its head", ["-c", &format!("rm -f '{}/HEAD'", repository.display())]),
    ] {
        let (done, said) = run(&home, "sh", &args);
        assert!(!done, "{what} can be changed: {said}");
    }
    // A branch can be made and removed again.
    let (fine, said) = run(&work, "git", &["push", text_of(&repository), "HEAD:other"]);
    assert!(fine, "{said}");
    let (fine, said) = run(&work, "git", &["push", text_of(&repository), ":other"]);
    assert!(fine && said.contains("refs/heads/other is gone"), "{said}");
}

fn text_of(path: &Path) -> &str {
    path.to_str().unwrap()
}
