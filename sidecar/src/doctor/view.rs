//! Findings on a screen, and as JSON.

use serde_json::{Value, json};

use super::finding::{Finding, Level};
use crate::cli::look::{Look, Tone, width};
use crate::cli::text;

/// How many of a level there are.
fn count(findings: &[Finding], level: Level) -> usize {
    findings.iter().filter(|finding| finding.level == level).count()
}

/// Whether something is to be mended.
#[must_use]
pub fn is_wrong(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| finding.level.is_wrong())
}

/// For people. `brief` leaves out what is as it should be.
#[must_use]
pub fn page(findings: &[Finding], brief: bool, look: &Look) -> String {
    let shown = findings.iter().filter(|finding| !brief || finding.level.is_wrong());
    let subjects = findings.iter().map(|finding| width(&text::word(&finding.subject)));
    let column = subjects.max().unwrap_or(0);
    let mut page: String = shown.map(|finding| lines(finding, column, look)).collect();
    if !page.is_empty() {
        page.push('\n');
    }
    page.push_str(&summary(findings, look));
    page.push('\n');
    page
}

fn lines(finding: &Finding, column: usize, look: &Look) -> String {
    let tone = match finding.level {
        Level::Ok => Tone::Good,
        Level::Hint => Tone::Dim,
        Level::Warning => Tone::Warn,
        Level::Problem => Tone::Bad,
    };
    let level = look.paint(tone, &format!("{:<7}", finding.level.as_str()));
    let subject = text::word(&finding.subject);
    let pad = " ".repeat(column.saturating_sub(width(&subject)));
    let under = " ".repeat(7 + 2 + column + 2);
    let indented = |said: &str| said.replace('\n', &format!("\n{under}"));
    let message = indented(&text::block(&finding.message, false));
    let mut shown = format!("{level}  {subject}{pad}  {message}\n");
    if let Some(cure) = &finding.cure {
        let next = look.paint(Tone::Bold, "Next:");
        shown.push_str(&format!("{under}{next} {}\n", indented(&text::block(cure, false))));
    }
    shown
}

fn summary(findings: &[Finding], look: &Look) -> String {
    let counted = |level, word: &str| match count(findings, level) {
        0 => None,
        1 => Some(format!("1 {word}")),
        many => Some(format!("{many} {word}s")),
    };
    let wrong: Vec<String> =
        [counted(Level::Problem, "problem"), counted(Level::Warning, "warning")]
            .into_iter()
            .flatten()
            .collect();
    match (wrong.is_empty(), count(findings, Level::Problem)) {
        (true, _) => look.paint(Tone::Good, "All is well."),
        (false, 0) => look.paint(Tone::Warn, &format!("{}.", wrong.join(" and "))),
        (false, _) => {
            let text = format!("{}. Begin at the top.", wrong.join(" and "));
            look.paint(Tone::Bad, &text)
        }
    }
}

/// For programs.
#[must_use]
pub fn json(findings: &[Finding]) -> Value {
    json!({
        "ok": !is_wrong(findings),
        "problems": count(findings, Level::Problem),
        "warnings": count(findings, Level::Warning),
        "findings": findings,
    })
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use jiff::tz::TimeZone;

    use super::*;

    fn plain() -> Look {
        Look { colour: false, width: None, zone: TimeZone::UTC, now: Timestamp::UNIX_EPOCH }
    }

    #[test]
    fn findings_stand_in_columns_with_their_cures_below() {
        let findings = [
            Finding::ok("disk", "5 GiB are free."),
            Finding::problem("route of shop", "It is\nbroken.", "Mend it."),
            Finding::warning("daemon", "Old.", "Restart it."),
        ];
        assert_eq!(
            page(&findings, false, &plain()),
            "ok       disk           5 GiB are free.\n\
             problem  route of shop  It is\n                        broken.\n                        \
             Next: Mend it.\n\
             warning  daemon         Old.\n                        Next: Restart it.\n\
             \n1 problem and 1 warning. Begin at the top.\n"
        );
        assert!(!page(&findings, true, &plain()).contains("5 GiB"));
        assert!(is_wrong(&findings));
        assert_eq!(json(&findings)["ok"], false);
        assert_eq!(json(&findings)["findings"][1]["cure"], "Mend it.");
    }

    #[test]
    fn hints_are_not_wrong() {
        let findings = [Finding::hint("caddy", "A thing.", "Know it.")];
        assert!(!is_wrong(&findings));
        assert!(page(&findings, false, &plain()).ends_with("\nAll is well.\n"));
        assert_eq!(page(&findings, true, &plain()), "All is well.\n");
    }

    #[test]
    fn what_others_wrote_reaches_no_terminal() {
        let findings = [Finding::problem("app \x1b[2Jx", "\x1b]0;t\x07bad", "do\x1b[31m it")];
        let shown = page(&findings, false, &plain());
        assert!(!shown.contains('\x1b') && shown.contains("bad") && shown.contains("do it"));
    }
}
