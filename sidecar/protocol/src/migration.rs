//! Ecto migrations: what a release brings, what each does to the database, and what was done.

use serde::{Deserialize, Serialize};

use crate::words::UnknownWord;

/// One Ecto migration file inside a release, and what reading it has shown.
///
/// `name`, `app`, `folder` and the phrases were made of what somebody wrote: untrusted text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Migration {
    /// Its version: the number that the file's name starts with.
    pub version: u64,
    /// The rest of the file's name, without `.exs`.
    pub name: String,
    /// The OTP application whose `priv` folder holds it.
    pub app: String,
    /// The folder under `priv` that holds it: `repo/migrations`.
    pub folder: String,
    /// What its way up does to code that does not know it.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub effect: Effect,
    /// Whether there is a way down.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub reversal: Reversal,
    /// What its way up does, as far as it could be read: "drops users.name", "executes SQL". Those
    /// that decided `effect` come first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub does: Vec<String>,
    /// What its way down cannot bring back, or takes away: "users.name comes back empty", "carts is
    /// dropped with what is in it".
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub loses: Vec<String>,
}

/// What a migration's way up does to code that does not know it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// It only adds: the release before it works with it.
    Additive,
    /// It drops, renames, narrows or constrains what the release before it may use.
    Destructive,
    /// It cannot be told from its text.
    #[default]
    Unknown,
}

/// Whether a migration has a way down.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Reversal {
    /// A `down`, or a `change` all of whose commands Ecto can turn around.
    Reversible,
    /// None: `Ecto.Migrator` raises when it is asked for it.
    Irreversible,
    /// It cannot be told from its text.
    #[default]
    Unknown,
}

/// What shall become of the migrations that a rollback's target does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum MigrationChoice {
    /// They stay.
    Keep,
    /// They are reverted, in the release that is left.
    Revert,
}

impl MigrationChoice {
    /// The word, as in JSON and queries.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            MigrationChoice::Keep => "keep",
            MigrationChoice::Revert => "revert",
        }
    }
}

impl std::str::FromStr for MigrationChoice {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        [MigrationChoice::Keep, MigrationChoice::Revert]
            .into_iter()
            .find(|choice| choice.as_str() == word)
            .ok_or_else(|| UnknownWord { word: word.into(), expected: "keep or revert" })
    }
}

/// A migration that stands between two releases: the newer one knows it, the older one does not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Standing {
    /// The migration.
    #[serde(flatten)]
    pub migration: Migration,
    /// The deployment that first brought it, as far as the releases on the disk tell.
    pub brought_by: u64,
}

/// Whether a migration was applied to a repository's database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Applied {
    /// It was.
    Up,
    /// It was not, or was reverted.
    Down,
}

/// One migration as a release sees it in a repository's database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MigrationState {
    /// The repository: a module's name, `Shop.Repo`. Untrusted.
    pub repo: String,
    /// Its version.
    pub version: u64,
    /// Its name; absent where it was applied and this release has no file of it. Untrusted.
    pub name: Option<String>,
    /// Whether it was applied.
    pub applied: Applied,
    /// What Vial read in its file, where the release has one.
    pub migration: Option<Migration>,
}

/// `GET /v1/apps/{app}/migrations`: what is applied, as one release sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MigrationsReport {
    /// The release that was asked, by its number.
    pub release: u64,
    /// As people name it.
    pub label: String,
    /// Each repository's migrations, by repository and version.
    pub migrations: Vec<MigrationState>,
}

/// A migration that was moved, up or down.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Moved {
    /// The repository: a module's name. Untrusted.
    pub repo: String,
    /// The migration's version.
    pub version: u64,
}
