//! Refusals and failures, as someone tired at 3 a.m. reads them.

use vial_protocol::Problem;

use super::look::{Look, Tone};
use super::text;
use crate::client::ClientError;

/// Lines of a log that show a cause without hiding it.
const LOG_LINES: usize = 20;

/// A problem behind `lead`: the message, the log behind a gutter, and what to do next.
#[must_use]
pub fn render(problem: &Problem, lead: &str, look: &Look) -> String {
    let message = text::block(&problem.message, look.colour);
    // A message that begins as the lead does need not say it twice.
    let lead = if message.starts_with(lead.trim_end_matches([':', ' '])) { "" } else { lead };
    let mut shown = format!("{}{message}\n", look.paint(Tone::Bold, lead));
    let skipped = problem.log.len().saturating_sub(LOG_LINES);
    for line in problem.log.iter().skip(skipped).flat_map(|line| line.lines()) {
        let gutter = look.paint(Tone::Dim, "  │ ");
        shown.push_str(&format!("{gutter}{}\n", text::line(line, look.colour)));
    }
    if let Some(next) = &problem.next {
        shown.push_str(&next_line(next, look));
    }
    shown
}

/// An error of a call, in the same manner.
#[must_use]
pub fn render_error(error: &ClientError, look: &Look) -> String {
    if let ClientError::Refused(problem) = error {
        return render(problem, "", look);
    }
    let mut shown = text::block(&error.to_string(), look.colour) + "\n";
    if let Some(next) = error.next() {
        shown.push_str(&next_line(&next, look));
    }
    shown
}

fn next_line(next: &str, look: &Look) -> String {
    format!("{} {}\n", look.paint(Tone::Bold, "Next:"), text::block(next, look.colour))
}

/// An error of a call, as the JSON that stands where the answer would have stood.
#[must_use]
pub fn json(error: &ClientError) -> serde_json::Value {
    match error {
        ClientError::Refused(problem) => serde_json::json!(problem),
        other => serde_json::json!({
            "code": match other {
                ClientError::Unreachable { .. } => "unreachable",
                ClientError::Source(_) => "unreadable",
                _ => "not_understood",
            },
            "message": other.to_string(),
            "next": other.next(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use vial_protocol::Code;

    use super::super::look::tests::plain;
    use super::*;

    #[test]
    fn message_log_and_next_stand_in_this_order() {
        let problem =
            Problem::new(Code::Exited, "v1 still serves. v2 exited with status 1:\x1b[2J")
                .log(vec!["** (Boom)\x1b]0;t\x07".into(), "\x1b[31m  at x.ex:1\x1b[0m".into()])
                .next("`vial logs shop --slot green`");
        assert_eq!(
            render(&problem, "Not deployed: ", &plain()),
            "Not deployed: v1 still serves. v2 exited with status 1:\n  │ ** (Boom)\n  │   at \
             x.ex:1\nNext: `vial logs shop --slot green`\n"
        );
    }

    #[test]
    fn a_lead_is_not_said_twice_and_a_long_log_shows_its_end() {
        let lines = (0..50).map(|line| format!("line {line}")).collect();
        let problem = Problem::new(Code::Exited, "Not deployed: no.").log(lines);
        let shown = render(&problem, "Not deployed: ", &plain());
        assert!(shown.starts_with("Not deployed: no.\n  │ line 30\n"), "{shown}");
        assert!(shown.ends_with("line 49\n"));
    }
}
