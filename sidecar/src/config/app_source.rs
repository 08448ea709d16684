//! The `source` table: where an app's code comes from, and how it is built.

use std::fmt;

use super::section::Section;
use super::text;

const KEYS: &[&str] = &["git", "branch", "auto_deploy", "build"];
const EXAMPLE: &str = "git = \"https://example.com/shop.git\"";

/// Where an app's code comes from, and how it is built.
#[derive(Clone, PartialEq, Eq)]
pub struct Source {
    /// Where Git clones from. It may hold a password: not for a log.
    pub git: String,
    /// The branch that is deployed.
    pub branch: String,
    /// Whether a new commit is deployed by itself.
    pub auto_deploy: bool,
    /// The commands that build a release, one after another.
    pub build: Vec<String>,
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source")
            .field("branch", &self.branch)
            .field("auto_deploy", &self.auto_deploy)
            .finish_non_exhaustive()
    }
}

/// Reads the table, if there is one.
pub(super) fn read(root: &Section<'_, '_>) -> Option<Source> {
    let entry = root.get("source")?;
    let table = root.table("source", KEYS, "[source]")?;
    root.document().warn(
        Some(entry.start()),
        "`source`".into(),
        "building from source is not available in this version; deploy what `mix release` made \
         with `vial deploy`"
            .into(),
    );
    let Some(git) = table.get("git") else {
        table.missing("git", &format!("add `{EXAMPLE}`"));
        return None;
    };
    let git = git.secret().text_that(
        text::is_git_address,
        "it must be an address that Git clones from, such as \"https://example.com/shop.git\"",
    );
    let branch = table.get("branch").map_or(Some("main".into()), |branch| {
        branch.text_that(text::is_branch, "it must be the name of a branch, such as \"main\"")
    });
    let auto_deploy = table.get("auto_deploy").map_or(Some(false), |auto| auto.boolean());
    let build = read_build(&table);
    Some(Source { git: git?, branch: branch?, auto_deploy: auto_deploy?, build })
}

fn read_build(table: &Section<'_, '_>) -> Vec<String> {
    let Some(build) = table.get("build") else {
        return vec!["mix deps.get --only prod".into(), "mix release".into()];
    };
    let expected = "it must be a command, such as \"mix release\"";
    let items = build.secret().items("build = [\"mix release\"]").unwrap_or_default();
    items
        .iter()
        .filter_map(|item| item.text_that(|command| !command.trim().is_empty(), expected))
        .collect()
}
