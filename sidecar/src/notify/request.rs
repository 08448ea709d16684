//! What a target is sent.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::Sha256;
use vial_protocol::notification::{Notification, Occasion};

/// Texts of others are cut to this in a message for people.
const SHOWN: usize = 300;

/// A request's body and the headers that belong to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// JSON.
    pub body: String,
    /// Beside those of every request.
    pub headers: Vec<(&'static str, String)>,
}

/// A notification as it is kept, signed by the rules of Standard Webhooks: HMAC-SHA256 over the id,
/// the time of the attempt and the body, joined by dots. Absent where the secret is none.
#[must_use]
pub fn signed(id: &str, payload: &str, secret: &str, now: Timestamp) -> Option<Outgoing> {
    let time = now.as_second().to_string();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key(secret)?).ok()?;
    mac.update(format!("{id}.{time}.{payload}").as_bytes());
    let signature = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    Some(Outgoing {
        body: payload.to_owned(),
        headers: vec![
            ("webhook-id", id.to_owned()),
            ("webhook-timestamp", time),
            ("webhook-signature", signature),
        ],
    })
}

/// A secret is a text, or bytes in base64 behind `whsec_`, as libraries for it want them.
fn key(secret: &str) -> Option<Vec<u8>> {
    let key = match secret.strip_prefix("whsec_") {
        Some(encoded) => STANDARD.decode(encoded).ok()?,
        None => secret.as_bytes().to_vec(),
    };
    (!key.is_empty()).then_some(key)
}

/// A notification as Slack shows it, and those who speak as it does.
#[must_use]
pub fn slack(notification: &Notification) -> Outgoing {
    let Notification { occasion, app, host, message, deployment, .. } = notification;
    let mark = match occasion {
        Occasion::Succeeded => ":white_check_mark:",
        Occasion::Failed => ":x:",
        Occasion::RolledBack => ":leftwards_arrow_with_hook:",
        Occasion::CrashLoop => ":rotating_light:",
    };
    let mut text = format!("{mark} *{}*: {}", escaped(app), escaped(message));
    let mut facts = vec![format!("#{}", deployment.number)];
    if let Some(commit) = &deployment.commit {
        let subject = escaped(&commit.subject);
        facts.push(format!("`{}` {subject}", escaped(commit.short())));
    }
    facts.push(format!("by {}", escaped(&deployment.actor)));
    if let Some(reason) = &deployment.reason {
        facts.push(escaped(reason));
    }
    facts.push(format!("on {}", escaped(host)));
    text.push('\n');
    text.push_str(&facts.join(" · "));
    if let Some(next) = deployment.error.as_ref().and_then(|it| it.next.as_deref())
        && *occasion == Occasion::Failed
    {
        text.push_str(&format!("\nNext: {}", escaped(next)));
    }
    let body = serde_json::json!({ "text": text }).to_string();
    Outgoing { body, headers: Vec::new() }
}

/// A text of somebody else's: it mentions nobody, links to nothing, and stays on its line.
fn escaped(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut shown = String::new();
    for c in line.chars().filter(|c| !c.is_control()).take(SHOWN) {
        match c {
            '&' => shown.push_str("&amp;"),
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            // Marks of bold, italic, struck and code text would swallow what follows, and @channel
            // wakes everybody up where a server takes plain names for mentions: each gets a
            // character of no width behind it.
            '*' | '_' | '~' | '@' => shown.extend([c, '\u{200b}']),
            c => shown.push(c),
        }
    }
    if line.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notification(message: &str) -> Notification {
        serde_json::from_value(serde_json::json!({
            "id": "abc.shop.7.failed.1", "occasion": "failed", "app": "shop", "host": "web1",
            "at": "2026-03-01T06:03:00Z", "message": message,
            "deployment": {
                "number": 7, "kind": "deploy", "status": "failed", "release": null, "slot": null,
                "replaces": null, "rolled_back_by": null, "actor": "anna", "reason": null,
                "error": {"code": "build_failed", "message": "m", "next": "`vial show shop 7`"},
                "queued_at": "2026-03-01T06:02:00Z", "live_at": null, "ended_at": null,
                "commit": {"sha": "0123456789abcdef0123456789abcdef01234567", "ref": "main",
                           "subject": "<!channel> *now* & @here"}
            }
        }))
        .unwrap()
    }

    #[test]
    fn a_signature_is_that_of_standard_webhooks() {
        // The example of the specification's own libraries.
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let now = Timestamp::from_second(1_614_265_330).unwrap();
        let made =
            signed("msg_p5jXN8AQM9LWM0D4loKWxJek", r#"{"test": 2432232314}"#, secret, now).unwrap();
        let signature = &made.headers[2];
        assert_eq!(signature.0, "webhook-signature");
        assert_eq!(signature.1, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert_eq!(made.headers[1].1, "1614265330");
    }

    #[test]
    fn a_secret_may_be_any_text_but_none() {
        let now = Timestamp::UNIX_EPOCH;
        assert!(signed("id", "{}", "a text", now).is_some());
        assert!(signed("id", "{}", "", now).is_none());
        assert!(signed("id", "{}", "whsec_", now).is_none());
        assert!(signed("id", "{}", "whsec_no base64", now).is_none());
    }

    #[test]
    fn what_others_wrote_mentions_nobody_and_links_nowhere() {
        let told = slack(&notification("failed:\n<https://evil.example|click> <@U1> *x*"));
        let body: serde_json::Value = serde_json::from_str(&told.body).unwrap();
        let text = body["text"].as_str().unwrap();
        let mut lines = text.lines();
        assert_eq!(
            lines.next().unwrap(),
            ":x: *shop*: failed: &lt;https://evil.example|click&gt; &lt;@\u{200b}U1&gt; \
             *\u{200b}x*\u{200b}"
        );
        let facts = lines.next().unwrap();
        assert!(!facts.contains("<!channel>") && facts.contains("&lt;!channel&gt;"), "{facts}");
        assert!(facts.contains("0123456789") && facts.contains("by anna"), "{facts}");
        assert_eq!(lines.next(), Some("Next: `vial show shop 7`"));
        assert_eq!(lines.next(), None);
    }

    #[test]
    fn a_long_text_is_cut() {
        let told = slack(&notification(&"&".repeat(100_000)));
        assert!(told.body.len() < 2500, "{}", told.body.len());
    }
}
