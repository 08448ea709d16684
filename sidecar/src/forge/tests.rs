use super::samples::{self as sample, AFTER, NOTHING, SECRET, Sample};
use super::{Delivery, Event, Forge, Refusal, read};

fn heard(sample: &Sample) -> Result<Delivery, Refusal> {
    read(&sample.headers, sample.body.as_bytes(), SECRET)
}

type Make = fn(&str, &str) -> Sample;

const ALL: [(Forge, Make); 6] = [
    (Forge::GitHub, sample::github),
    (Forge::GitHub, sample::github_form),
    (Forge::GitLab, sample::gitlab),
    (Forge::Gitea, sample::gitea),
    (Forge::Gitea, sample::gitea_form),
    (Forge::Forgejo, sample::forgejo),
];

#[test]
fn a_push_of_each_forge_is_understood() {
    for (forge, make) in ALL {
        let delivery = heard(&make("refs/heads/main", AFTER)).unwrap();
        assert_eq!(delivery.forge, forge);
        let push = Event::Push { branch: "main".into(), after: AFTER.into() };
        assert_eq!(delivery.event, push, "{forge}");
    }
}

#[test]
fn a_branch_that_is_gone_is_no_push() {
    for (forge, make) in ALL {
        let delivery = heard(&make("refs/heads/old/thing", NOTHING)).unwrap();
        assert_eq!(delivery.event, Event::Deleted { branch: "old/thing".into() }, "{forge}");
    }
}

#[test]
fn a_tag_is_no_branch_whatever_its_name() {
    for (forge, make) in ALL {
        let delivery = heard(&make("refs/tags/main", AFTER)).unwrap();
        assert_eq!(delivery.event, Event::Tag { name: "main".into() }, "{forge}");
    }
}

#[test]
fn a_ping_and_other_events_are_named() {
    assert_eq!(heard(&sample::github_ping()).unwrap().event, Event::Ping);
    let mut other = sample::gitlab("refs/heads/main", AFTER);
    other.set("x-gitlab-event", "Merge Request Hook");
    assert_eq!(heard(&other).unwrap().event, Event::Other("Merge Request Hook".into()));
    let mut other = sample::forgejo("refs/heads/main", AFTER);
    other.set("x-forgejo-event", "create");
    assert_eq!(heard(&other).unwrap().event, Event::Other("create".into()));
}

#[test]
fn one_changed_byte_is_noticed() {
    for (forge, make) in ALL {
        if forge == Forge::GitLab {
            continue;
        }
        let mut changed = make("refs/heads/main", AFTER);
        changed.body = changed.body.replace("octo", "evil");
        assert_eq!(heard(&changed), Err(Refusal::Wrong(forge, "signature")));
    }
}

#[test]
fn another_secret_is_refused() {
    for (forge, make) in ALL {
        let sample = make("refs/heads/main", AFTER);
        for secret in ["", "another", &SECRET[1..]] {
            let told = read(&sample.headers, sample.body.as_bytes(), secret);
            assert!(matches!(told, Err(Refusal::Wrong(from, _)) if from == forge), "{told:?}");
        }
    }
}

#[test]
fn what_bears_no_proof_is_refused() {
    for (forge, make) in ALL {
        let mut sample = make("refs/heads/main", AFTER);
        for name in
            ["x-hub-signature-256", "x-gitea-signature", "x-forgejo-signature", "x-gitlab-token"]
        {
            sample.headers.remove(name);
        }
        let told = heard(&sample);
        assert!(matches!(told, Err(Refusal::Unproved(from, _)) if from == forge), "{told:?}");
    }
    let mut unset = sample::gitea("refs/heads/main", AFTER);
    unset.set("x-gitea-signature", "");
    assert_eq!(heard(&unset), Err(Refusal::Unproved(Forge::Gitea, "signature")));
}

#[test]
fn the_older_signature_of_github_does_not_count() {
    let mut sample = sample::github("refs/heads/main", AFTER);
    sample.headers.remove("x-hub-signature-256");
    assert_eq!(heard(&sample), Err(Refusal::Unproved(Forge::GitHub, "signature")));
}

#[test]
fn a_wrong_signature_is_not_mended_by_another_header() {
    let mut sample = sample::forgejo("refs/heads/main", AFTER);
    sample.set("x-forgejo-signature", &"0".repeat(64));
    assert_eq!(heard(&sample), Err(Refusal::Wrong(Forge::Forgejo, "signature")));
}

#[test]
fn a_signature_that_is_none_is_refused() {
    for odd in ["sha256=", "sha256=zz", "sha1=00", &format!("sha256={}", "é".repeat(32)), "="] {
        let mut sample = sample::github("refs/heads/main", AFTER);
        let value = hyper::header::HeaderValue::from_bytes(odd.as_bytes()).unwrap();
        sample.headers.insert("x-hub-signature-256", value);
        let told = heard(&sample);
        assert!(matches!(told, Err(Refusal::Wrong(..) | Refusal::Unproved(..))), "{odd}: {told:?}");
    }
}

#[test]
fn a_replay_under_another_id_is_known_by_its_signature() {
    let first = heard(&sample::github("refs/heads/main", AFTER)).unwrap();
    let mut again = sample::github("refs/heads/main", AFTER);
    again.set("x-github-delivery", "another");
    let again = heard(&again).unwrap();
    assert!(again.marks.iter().any(|mark| first.marks.contains(mark)));
    assert_ne!(first.marks, again.marks);
}

#[test]
fn the_secret_is_no_mark() {
    let delivery = heard(&sample::gitlab("refs/heads/main", AFTER)).unwrap();
    assert_eq!(delivery.marks, ["id f5e5f430-f57b-4e6e-9fac-d9128cd7232f"]);
}

#[test]
fn what_no_forge_sends_is_refused() {
    let mut sample = sample::github("refs/heads/main", AFTER);
    sample.headers.remove("x-github-event");
    assert_eq!(heard(&sample), Err(Refusal::NoForge));
}

#[test]
fn a_genuine_body_that_is_no_push_says_why_not() {
    for body in ["", "[]", "{\"ref\": 5, \"after\": null}", "payload=%7B"] {
        let mut sample = sample::github("refs/heads/main", AFTER);
        sample.body = body.into();
        sample.set("x-hub-signature-256", &format!("sha256={}", sample::sign(body)));
        let told = heard(&sample);
        assert!(matches!(told, Err(Refusal::Unreadable(Forge::GitHub, _))), "{body}: {told:?}");
    }
}
