//! A deployment's steps as they happen: live lines on a terminal, plain lines elsewhere.

use std::io;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::Timestamp;
use vial_protocol::{BuildChunk, Deployment, Status, Step};

use super::look::{Tone, took};
use super::screen::Screen;
use super::text;

/// Shows a deployment's steps. Each finished one is printed once, the one that runs is drawn
/// below them with its time.
pub struct Progress {
    bar: Option<ProgressBar>,
    silent: bool,
    printed: usize,
    waits: Option<String>,
    running: Option<Running>,
}

/// Begins what a build says while it is not its turn.
const WAITS: &str = "waits for ";

struct Running {
    text: String,
    since: Timestamp,
}

impl Progress {
    /// Progress on this screen.
    #[must_use]
    pub fn on(screen: &Screen) -> Self {
        let silent = screen.json || screen.quiet;
        let bar = (screen.terminal && !silent).then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stdout());
            // The template is a constant that parses; the default is as good a second best.
            if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg}") {
                bar.set_style(style);
            }
            bar
        });
        Progress { bar, silent, printed: 0, waits: None, running: None }
    }

    /// Whether something is drawn that [`Progress::tick`] keeps moving.
    #[must_use]
    pub fn is_drawn(&self) -> bool {
        self.bar.is_some()
    }

    /// Shows how far the deployment is.
    ///
    /// # Errors
    /// Standard output cannot be written.
    pub fn show(&mut self, deployment: &Deployment, screen: &mut Screen) -> io::Result<()> {
        let last = deployment.steps.len();
        let over = !deployment.status.in_progress();
        while let Some(step) = deployment.steps.get(self.printed) {
            if step.ended_at.is_none() && !over {
                break;
            }
            self.printed += 1;
            let broken = self.printed == last
                && matches!(deployment.status, Status::Failed | Status::Cancelled);
            self.line(&finished(step, broken, deployment, screen), screen)?;
        }
        let waits = deployment.steps.get(self.printed).filter(|_| !over && self.bar.is_none());
        let waits = waits.and_then(|step| step.outcome.clone()).filter(|it| it.starts_with(WAITS));
        if let Some(text) = waits.filter(|it| self.waits.as_ref() != Some(it)) {
            // Nothing else is printed until its turn has come.
            self.line(&format!("  {}", text::word(&text)), screen)?;
            self.waits = Some(text);
        }
        self.running = (!over).then(|| match deployment.steps.get(self.printed) {
            Some(step) => {
                let doing = step.outcome.as_deref().map(|it| format!("  {}", text::word(it)));
                let text = name(step.status) + &doing.unwrap_or_default();
                Running { text, since: step.started_at }
            }
            None => Running { text: name(deployment.status), since: (screen.clock)() },
        });
        self.tick((screen.clock)());
        Ok(())
    }

    /// Shows something that has no step of its own, such as the upload.
    pub fn running(&mut self, text: String, since: Timestamp, now: Timestamp) {
        self.running = Some(Running { text, since });
        self.tick(now);
    }

    /// Moves what is drawn on.
    pub fn tick(&self, now: Timestamp) {
        if let (Some(bar), Some(running)) = (&self.bar, &self.running) {
            let millis = now.as_millisecond() - running.since.as_millisecond();
            bar.set_message(format!("{}  {}", running.text, took(millis / 100 * 100)));
            bar.tick();
        }
    }

    /// Prints a clean line above what is drawn.
    ///
    /// # Errors
    /// Standard output cannot be written.
    pub fn line(&self, line: &str, screen: &mut Screen) -> io::Result<()> {
        match &self.bar {
            Some(bar) => {
                bar.suspend(|| screen.say(line))?;
                Ok(())
            }
            None if self.silent => Ok(()),
            None => screen.say(line),
        }
    }

    /// Whether lines are printed at all.
    #[must_use]
    pub fn speaks(&self) -> bool {
        !self.silent
    }

    /// Prints what a build printed.
    ///
    /// # Errors
    /// Standard output cannot be written.
    pub fn build(&self, chunk: &BuildChunk, screen: &mut Screen) -> io::Result<()> {
        for line in &chunk.lines {
            let shown = format!("  {}", text::line(&line.text, screen.colour));
            self.line(&shown, screen)?;
        }
        Ok(())
    }

    /// Takes away what is drawn.
    pub fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

fn name(status: Status) -> String {
    let (stage, step) = (status.stage(), status.as_str());
    // A stage of one step goes by its own name alone.
    let step = if stage.eq_ignore_ascii_case(step) { "" } else { step };
    format!("{stage:<9}  {step:<9}")
}

fn finished(step: &Step, broken: bool, deployment: &Deployment, screen: &Screen) -> String {
    let look = screen.look();
    let now = deployment.ended_at.unwrap_or(look.now);
    let millis = step.millis(now);
    // Elsewhere than on a terminal someone may compute with it.
    let took = if screen.terminal { took(millis) } else { format!("{millis} ms") };
    let outcome = step.outcome.as_deref().map(|outcome| format!("  {}", text::word(outcome)));
    let mark = match (screen.terminal, broken) {
        (true, true) => look.paint(Tone::Bad, "✗ "),
        (true, false) => look.paint(Tone::Good, "✓ "),
        (false, _) => String::new(),
    };
    format!("{mark}{}  {took:>9}{}", name(step.status), outcome.unwrap_or_default())
}
