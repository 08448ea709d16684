//! What a webhook is answered, and that nothing starts which should not.

use super::samples::{self, AFTER, NOTHING, SECRET, Sample};
use super::{Stage, raw};

type Make = fn(&str, &str) -> Sample;

#[tokio::test(flavor = "multi_thread")]
async fn each_webhook_is_answered_rightly_and_only_a_new_tip_starts_anything() {
    let stage = Stage::new("auto_deploy = true").await;
    // It was on from the start, so what was there is deployed.
    stage.host.until_ended(1).await;
    let file = stage.host.state.join("apps/shop/hook-secret");
    stage.secret().await;
    // The samples are signed by a secret of their own.
    std::fs::write(&file, SECRET).unwrap();

    let push: Make = samples::github;
    let main = "refs/heads/main";
    let other_secret = super::signed(push(main, AFTER), "another");
    let mut unsigned = push(main, AFTER);
    unsigned.headers.remove("x-hub-signature-256");
    let mut plain = push(main, AFTER);
    plain.headers.remove("x-github-event");
    for (what, sample, status, said) in [
        ("another secret", other_secret, 401, "signature of the GitHub webhook is wrong"),
        ("no signature", unsigned, 401, "bears no signature"),
        ("no forge", plain, 400, "no webhook of GitHub, GitLab, Gitea or Forgejo"),
        ("a ping", samples::github_ping(), 200, "this was a ping"),
        ("another branch", push("refs/heads/$(touch x)", AFTER), 200, "$(touch x) was pushed"),
        ("a tag", push("refs/tags/main", AFTER), 200, "main is a tag"),
        ("a deletion", push(main, NOTHING), 200, "the branch main is gone"),
        ("Gitea's tag", samples::gitea("refs/tags/v1", AFTER), 200, "v1 is a tag"),
        ("GitLab's deletion", samples::gitlab(main, NOTHING), 200, "is gone"),
    ] {
        let (got, answer) = stage.send("shop", &sample).await;
        assert_eq!(got, status, "{what}: {answer}");
        assert!(answer.contains(said), "{what}: {answer}");
    }
    let (status, answer) = stage.send("nobody", &push(main, AFTER)).await;
    assert_eq!(status, 401, "an app that is not there is not told from a wrong secret: {answer}");
    let (status, _) = raw(stage.hooks, b"GET /hooks/shop HTTP/1.1\r\nhost: x\r\n\r\n", b"").await;
    assert_eq!(status, 405);
    let (status, _) = raw(stage.hooks, b"GET /v1/status HTTP/1.1\r\nhost: x\r\n\r\n", b"").await;
    assert_eq!(status, 404, "the API is elsewhere");
    too_large(&stage).await;

    let auto = stage.host.status("shop").await.auto_deploy.unwrap();
    let looked = auto.looked_at.unwrap();
    // The payload names a commit that nobody has: it is the tip that counts, and that is live.
    let forges: [(&str, Make); 6] = [
        ("GitHub", samples::github),
        ("GitHub's form", samples::github_form),
        ("GitLab", samples::gitlab),
        ("Gitea", samples::gitea),
        ("Gitea's form", samples::gitea_form),
        ("Forgejo", samples::forgejo),
    ];
    for (index, (forge, make)) in forges.into_iter().enumerate() {
        let mut sample = make(main, AFTER);
        // Samples share their ids, and Gitea's signature does not change with the form.
        for name in ["x-github-delivery", "x-gitea-delivery", "x-forgejo-delivery"] {
            if sample.headers.contains_key(name) {
                sample.set(name, &format!("delivery-{index}"));
            }
        }
        let (status, answer) = stage.send("shop", &sample).await;
        let before = matches!(forge, "Gitea's form" | "Forgejo");
        assert_eq!(status, if before { 200 } else { 202 }, "{forge}: {answer}");
        let (status, answer) = stage.send("shop", &sample).await;
        assert_eq!(status, 200, "{forge}, again: {answer}");
        assert!(answer.contains("came before"), "{forge}, again: {answer}");
    }
    stage
        .host
        .until("shop", |it| it.auto_deploy.as_ref().is_some_and(|it| it.looked_at > Some(looked)))
        .await;

    stage.host.vial(&["auto-deploy", "shop", "off"]).await.ends(0).says(&["Auto-deploy is off"]);
    let mut off = push(main, AFTER);
    off.body.push('\n');
    let (status, answer) = stage.send("shop", &super::signed(off, SECRET)).await;
    assert_eq!(status, 200, "{answer}");
    assert!(answer.contains("auto-deploy of shop is off"), "{answer}");
    assert_eq!(stage.commits().await.len(), 1, "{:?}", stage.commits().await);

    let old = stage.secret().await;
    let said = stage.host.vial(&["auto-deploy", "shop", "secret", "--rotate"]).await.ends(0);
    assert_ne!(said.out.trim(), old);
    assert_eq!(stage.send("shop", &push(main, AFTER)).await.0, 401, "the old one is refused");
    let log = stage.host.daemon_log();
    assert!(!log.contains(SECRET) && !log.contains(said.out.trim()), "{log}");
}

/// Refused before it is there: by what its head says, or where it goes on too long.
async fn too_large(stage: &Stage) {
    let head = "POST /hooks/shop HTTP/1.1\r\nhost: x\r\nx-github-event: push\r\n";
    let said = format!("{head}content-length: 10000000\r\n\r\n");
    let (status, answer) = raw(stage.hooks, said.as_bytes(), b"").await;
    assert_eq!(status, 413, "{answer}");
    let chunk = format!("{:x}\r\n{}\r\n", 1 << 20, "x".repeat(1 << 20));
    let said = format!("{head}transfer-encoding: chunked\r\n\r\n");
    let (status, answer) = raw(stage.hooks, said.as_bytes(), chunk.repeat(10).as_bytes()).await;
    // The answer may be lost where the connection ends under what is still written.
    assert!(status == 413 || answer.is_empty(), "{status} {answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_knocks_too_often_is_asked_to_wait() {
    let stage = Stage::new("").await;
    let mut sample = samples::github("refs/heads/main", AFTER);
    sample.set("x-forwarded-for", "192.0.2.1");
    let began = std::time::Instant::now();
    let mut knocks = 0;
    let last = loop {
        let answer = stage.send("shop", &sample).await;
        if answer.0 == 429 {
            break answer;
        }
        knocks += 1;
        // One more is let in for each second.
        assert!(knocks <= 60 + began.elapsed().as_secs(), "{knocks} were let in");
    };
    assert!(knocks >= 60, "only {knocks} were let in");
    assert!(last.1.to_lowercase().contains("retry-after: "), "{}", last.1);
    sample.set("x-forwarded-for", "192.0.2.2");
    assert_eq!(stage.send("shop", &sample).await.0, 401, "another is not kept out");
}
