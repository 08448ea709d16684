//! A push to the host itself, which shows how its deployment goes.

use super::{Stage, git, git_output};

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
