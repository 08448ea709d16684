//! What is measured together.

use clap::ValueEnum;

/// What can be asked for alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Group {
    /// From the command to the first answer of the previous release
    Rollback,
    /// What a hundred rollbacks lose under load
    Losses,
    /// What the daemon costs with 1, 10 and 100 apps
    Apps,
    /// What it costs after 10, 1,000 and 100,000 deployments
    History,
    /// What it costs while releases write
    Logs,
}

impl Group {
    /// All of them, in order: what is most sensitive to what else runs comes first.
    pub const ALL: [Group; 5] =
        [Group::Rollback, Group::Losses, Group::Apps, Group::History, Group::Logs];

    /// As it is asked for.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Group::Rollback => "rollback",
            Group::Losses => "losses",
            Group::Apps => "apps",
            Group::History => "history",
            Group::Logs => "logs",
        }
    }
}
