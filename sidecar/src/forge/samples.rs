//! The four forges' deliveries in their documented shapes, as far as anything could depend on them.

use hmac::{Hmac, KeyInit, Mac};
use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue};
use sha2::Sha256;

pub(super) const SECRET: &str = "it is known to the forge and to us";
pub(super) const BEFORE: &str = "6113728f27ae82c7b1a177c8d03f9e96e0adf246";
pub(super) const AFTER: &str = "59b20b8d5c6ff8d09518454d4dd8b7b30f095ab5";
pub(super) const NOTHING: &str = "0000000000000000000000000000000000000000";

/// A request as a forge sends it.
pub(super) struct Sample {
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

impl Sample {
    pub(super) fn new(body: String, headers: &[(&'static str, String)]) -> Sample {
        let mut sample = Sample { headers: HeaderMap::new(), body };
        for (name, value) in headers {
            sample.set(name, value);
        }
        sample
    }

    pub(super) fn set(&mut self, name: &'static str, value: &str) {
        let value = HeaderValue::from_str(value).unwrap();
        self.headers.insert(HeaderName::from_static(name), value);
    }
}

pub(super) fn sign(over: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(over.as_bytes());
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn encode(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC)
        .to_string()
        .replace("%20", "+")
}

/// GitHub's `push`.
pub(super) fn github(reference: &str, after: &str) -> Sample {
    let body = serde_json::json!({
        "ref": reference,
        "before": BEFORE,
        "after": after,
        "repository": {
            "id": 186_853_002, "node_id": "MDEwOlJlcG9zaXRvcnkxODY4NTMwMDI=", "name": "shop",
            "full_name": "octo/shop", "private": true,
            "owner": {"name": "octo", "email": "octo@example.com", "login": "octo", "id": 21_031_067},
            "html_url": "https://github.com/octo/shop", "fork": false,
            "url": "https://github.com/octo/shop", "created_at": 1_557_933_565,
            "updated_at": "2019-05-15T15:20:41Z", "pushed_at": 1_557_933_657,
            "git_url": "git://github.com/octo/shop.git", "ssh_url": "git@github.com:octo/shop.git",
            "clone_url": "https://github.com/octo/shop.git", "default_branch": "main",
            "master_branch": "main"
        },
        "pusher": {"name": "octo", "email": "octo@example.com"},
        "sender": {"login": "octo", "id": 21_031_067, "type": "User", "site_admin": false},
        "created": false, "deleted": after == NOTHING, "forced": false, "base_ref": null,
        "compare": "https://github.com/octo/shop/compare/6113728f27ae...59b20b8d5c6f",
        "commits": [{
            "id": after, "tree_id": "f9d2a07e9488b91af2641b26b9407fe22a451433", "distinct": true,
            "message": "Say hello & goodbye + more", "timestamp": "2026-05-15T15:20:33Z",
            "url": format!("https://github.com/octo/shop/commit/{after}"),
            "author": {"name": "Octo Cat", "email": "octo@example.com", "username": "octo"},
            "committer": {"name": "GitHub", "email": "noreply@github.com", "username": "web-flow"},
            "added": [], "removed": [], "modified": ["README.md"]
        }],
        "head_commit": null
    })
    .to_string();
    let signature = format!("sha256={}", sign(&body));
    Sample::new(
        body,
        &[
            ("content-type", "application/json".into()),
            ("user-agent", "GitHub-Hookshot/044aadd".into()),
            ("x-github-delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958".into()),
            ("x-github-event", "push".into()),
            ("x-github-hook-id", "292430182".into()),
            ("x-github-hook-installation-target-id", "79929171".into()),
            ("x-github-hook-installation-target-type", "repository".into()),
            ("x-hub-signature", "sha1=7d38cdd689735b008b3c702edd92eea23791c5f6".into()),
            ("x-hub-signature-256", signature),
        ],
    )
}

/// The same as the form that GitHub sends where nobody chose JSON: the form is what it signs.
pub(super) fn github_form(reference: &str, after: &str) -> Sample {
    let mut sample = github(reference, after);
    sample.body = format!("payload={}", encode(&sample.body));
    sample.set("content-type", FORM);
    let signature = format!("sha256={}", sign(&sample.body));
    sample.set("x-hub-signature-256", &signature);
    sample
}

const FORM: &str = "application/x-www-form-urlencoded";

/// GitHub's `ping`.
pub(super) fn github_ping() -> Sample {
    let body = serde_json::json!({
        "zen": "Approachable is better than simple.", "hook_id": 292_430_182,
        "hook": {
            "type": "Repository", "id": 292_430_182, "name": "web", "active": true,
            "events": ["push"],
            "config": {"content_type": "json", "insecure_ssl": "0", "secret": "********",
                       "url": "https://hooks.example.com/hooks/shop"}
        },
        "repository": {"id": 186_853_002, "full_name": "octo/shop"}
    })
    .to_string();
    let signature = format!("sha256={}", sign(&body));
    let mut sample = github("refs/heads/main", AFTER);
    sample.body = body;
    sample.set("x-github-event", "ping");
    sample.set("x-hub-signature-256", &signature);
    sample
}

/// GitLab's push, or that of a tag.
pub(super) fn gitlab(reference: &str, after: &str) -> Sample {
    let tag = reference.starts_with("refs/tags/");
    let body = serde_json::json!({
        "object_kind": if tag { "tag_push" } else { "push" },
        "event_name": if tag { "tag_push" } else { "push" },
        "before": BEFORE, "after": after, "ref": reference, "ref_protected": true,
        "checkout_sha": (after != NOTHING).then_some(after),
        "message": null, "user_id": 4, "user_name": "John Smith", "user_username": "jsmith",
        "user_email": "john@example.com", "project_id": 15,
        "project": {
            "id": 15, "name": "shop", "description": "", "web_url": "https://gitlab.example.com/mike/shop",
            "git_ssh_url": "git@gitlab.example.com:mike/shop.git",
            "git_http_url": "https://gitlab.example.com/mike/shop.git", "namespace": "Mike",
            "visibility_level": 0, "path_with_namespace": "mike/shop", "default_branch": "main"
        },
        "commits": [{
            "id": after, "message": "Say hello.", "title": "Say hello.",
            "timestamp": "2026-12-12T14:27:31+02:00",
            "url": format!("https://gitlab.example.com/mike/shop/-/commit/{after}"),
            "author": {"name": "Jordi Mallach", "email": "jordi@example.com"},
            "added": ["CHANGELOG"], "modified": ["app/controller/application.rb"], "removed": []
        }],
        "total_commits_count": 1, "push_options": {},
        "repository": {"name": "shop", "url": "git@gitlab.example.com:mike/shop.git"}
    })
    .to_string();
    Sample::new(
        body,
        &[
            ("content-type", "application/json".into()),
            ("user-agent", "GitLab/18.2.0-ee".into()),
            ("idempotency-key", "f5e5f430-f57b-4e6e-9fac-d9128cd7232f".into()),
            ("x-gitlab-event", if tag { "Tag Push Hook" } else { "Push Hook" }.into()),
            ("x-gitlab-event-uuid", "13792a34-cac6-4fda-95a8-c58e00a3954e".into()),
            ("x-gitlab-instance", "https://gitlab.example.com".into()),
            ("x-gitlab-webhook-uuid", "6e5f430-f57b-4e6e-9fac-d9128cd7232f".into()),
            ("x-gitlab-token", SECRET.into()),
        ],
    )
}

/// Gitea's `push`, which also names itself Gogs' and GitHub's.
pub(super) fn gitea(reference: &str, after: &str) -> Sample {
    let body = gitea_body(reference, after);
    let signature = sign(&body);
    let id = "f6266f16-1bf3-46a5-9ea4-602e06ead473";
    Sample::new(
        body,
        &[
            ("content-type", "application/json".into()),
            ("x-gitea-delivery", id.into()),
            ("x-gitea-event", "push".into()),
            ("x-gitea-event-type", "push".into()),
            ("x-gitea-signature", signature.clone()),
            ("x-gogs-delivery", id.into()),
            ("x-gogs-event", "push".into()),
            ("x-gogs-event-type", "push".into()),
            ("x-gogs-signature", signature.clone()),
            ("x-hub-signature", "sha1=7d38cdd689735b008b3c702edd92eea23791c5f6".into()),
            ("x-hub-signature-256", format!("sha256={signature}")),
            ("x-github-delivery", id.into()),
            ("x-github-event", "push".into()),
            ("x-github-event-type", "push".into()),
        ],
    )
}

/// The same as a form: what is in it is what Gitea signs, not the form.
pub(super) fn gitea_form(reference: &str, after: &str) -> Sample {
    let mut sample = gitea(reference, after);
    sample.body = format!("payload={}", encode(&sample.body));
    sample.set("content-type", FORM);
    sample
}

/// Forgejo's, which also names itself Gitea's.
pub(super) fn forgejo(reference: &str, after: &str) -> Sample {
    let mut sample = gitea(reference, after);
    let signature = sign(&sample.body);
    sample.set("x-forgejo-delivery", "f6266f16-1bf3-46a5-9ea4-602e06ead473");
    sample.set("x-forgejo-event", "push");
    sample.set("x-forgejo-event-type", "push");
    sample.set("x-forgejo-signature", &signature);
    sample
}

fn gitea_body(reference: &str, after: &str) -> String {
    serde_json::json!({
        "ref": reference, "before": BEFORE, "after": after,
        "compare_url": "https://git.example.com/octo/shop/compare/6113728f...59b20b8d",
        "commits": [{
            "id": after, "message": "Say hello & goodbye + more\n",
            "url": format!("https://git.example.com/octo/shop/commit/{after}"),
            "author": {"name": "Octo", "email": "octo@example.com", "username": "octo"},
            "committer": {"name": "Octo", "email": "octo@example.com", "username": "octo"},
            "verification": null, "timestamp": "2026-03-13T13:52:11-04:00",
            "added": [], "removed": [], "modified": ["README.md"]
        }],
        "total_commits": 1, "head_commit": null,
        "repository": {
            "id": 140, "owner": {"id": 1, "login": "octo", "username": "octo"}, "name": "shop",
            "full_name": "octo/shop", "private": false, "fork": false,
            "html_url": "https://git.example.com/octo/shop",
            "ssh_url": "ssh://git@git.example.com:22/octo/shop.git",
            "clone_url": "https://git.example.com/octo/shop.git", "default_branch": "main",
            "created_at": "2026-02-26T04:29:06-05:00", "updated_at": "2026-03-13T13:51:58-04:00"
        },
        "pusher": {"id": 1, "login": "octo", "username": "octo"},
        "sender": {"id": 1, "login": "octo", "username": "octo"}
    })
    .to_string()
}
