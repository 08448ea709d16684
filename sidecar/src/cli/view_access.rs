//! Who gets into the dashboard, and who did what, as tables.

use vial_protocol::access::{Session, Token, User};
use vial_protocol::audit::Audit;

use super::look::{Look, Tone};
use super::table::{Cell, Table};
use super::text;

/// Users by name.
#[must_use]
pub fn users(users: &[User], look: &Look) -> String {
    if users.is_empty() {
        return "There is no user yet.\nNext: `vial login-link NAME`, or `vial user add NAME --role \
                ROLE`\n"
            .into();
    }
    let mut table = Table::new(&["Name…", "Role", "Sessions", "Seen", "Made", "By…"]);
    for user in users {
        table.row([
            Cell::from(text::word(&user.name)),
            Cell::from(user.role.as_str()),
            Cell::from(user.sessions.to_string()),
            Cell::from(user.seen_at.map_or("never".into(), |it| look.short_clock(it))),
            Cell::from(look.short_clock(user.made_at)),
            Cell::from(text::word(&user.made_by)),
        ]);
    }
    table.render(look, "")
}

/// Tokens, newest first.
#[must_use]
pub fn tokens(tokens: &[Token], look: &Look) -> String {
    if tokens.is_empty() {
        return "There is no API token.\nNext: `vial token add NAME --role ROLE`\n".into();
    }
    let mut table = Table::new(&["Id", "Name…", "Role", "Used", "Ends", "By…"]);
    for token in tokens {
        table.row([
            Cell::from(text::word(&token.id)),
            Cell::from(text::word(&token.name)),
            Cell::from(token.role.as_str()),
            Cell::from(token.used_at.map_or("never".into(), |it| look.short_clock(it))),
            Cell::from(look.short_clock(token.expires_at)),
            Cell::from(text::word(&token.made_by)),
        ]);
    }
    table.render(look, "")
}

/// Sessions, used last first.
#[must_use]
pub fn sessions(sessions: &[Session], look: &Look) -> String {
    if sessions.is_empty() {
        return "Nobody is logged in.\n".into();
    }
    let mut table = Table::new(&["Id", "User…", "Seen", "Ends", "From", "Browser…"]);
    for session in sessions {
        table.row([
            Cell::from(text::word(&session.id)),
            Cell::from(text::word(&session.user)),
            Cell::from(look.age(session.seen_at)),
            Cell::from(look.short_clock(session.expires_at)),
            Cell::from(text::word(&session.address)),
            Cell::from(text::word(&session.agent)),
        ]);
    }
    table.render(look, "")
}

/// Who did what, newest first.
#[must_use]
pub fn audit(rows: &[Audit], look: &Look) -> String {
    if rows.is_empty() {
        return "Nothing was done yet.\n".into();
    }
    let mut table =
        Table::new(&[" #", "When", "Who…", "From…", "What", "App", "Detail…", "Outcome"]);
    for row in rows {
        let tone = if row.outcome == "ok" { Tone::Plain } else { Tone::Warn };
        let some = |text: &Option<String>| text.as_deref().map(text::word).unwrap_or_default();
        table.row([
            Cell::from(row.number.to_string()),
            Cell::from(look.short_clock(row.at)),
            Cell::from(text::word(&row.actor)),
            Cell::from(some(&row.from)),
            Cell::from(text::word(&row.action)),
            Cell::from(some(&row.app)),
            Cell::from(some(&row.detail)),
            Cell::new(text::word(&row.outcome), tone),
        ]);
    }
    table.render(look, "")
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use jiff::tz::TimeZone;

    use super::*;

    #[test]
    fn what_others_wrote_is_text_and_nothing_more() {
        let now = Timestamp::from_second(1_772_345_040).unwrap();
        let look = Look { now, zone: TimeZone::UTC, colour: true, width: None };
        let session = Session {
            id: "0123".into(),
            user: "anna".into(),
            made_at: now,
            seen_at: now,
            expires_at: now,
            address: "192.0.2.1".into(),
            agent: "evil\x1b]52;c;x\x07 browser".into(),
            current: false,
        };
        let shown = sessions(&[session], &Look { colour: false, ..look });
        assert!(shown.contains("evil browser") && !shown.contains('\x1b'), "{shown:?}");
    }

    #[test]
    fn a_row_of_the_audit_log_says_who_did_what_with_which_outcome() {
        let now = Timestamp::from_second(1_772_345_040).unwrap();
        let look = Look { now, zone: TimeZone::UTC, colour: false, width: None };
        let row = Audit {
            number: 7,
            at: now,
            actor: "anna".into(),
            by: None,
            from: Some("192.0.2.1".into()),
            action: "rollback".into(),
            app: Some("shop".into()),
            detail: Some("#9".into()),
            outcome: "ok".into(),
        };
        let shown = audit(&[row], &look);
        assert!(shown.contains("7  06:04  anna  192.0.2.1  rollback  shop  #9      ok"), "{shown}");
        assert_eq!(audit(&[], &look), "Nothing was done yet.\n");
    }
}
