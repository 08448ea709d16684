//! The variables that an app's releases start with, as far as Vial keeps them.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// `GET /v1/apps/{app}/env`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Environment {
    /// The newest version: what the next deploy starts with. 0 where nothing was ever set.
    pub version: u64,
    /// The version that the deployment which serves was started with.
    pub serving: Option<u64>,
    /// Names that the next deploy starts with otherwise than what serves was.
    pub pending: Vec<String>,
    /// What is set, by name.
    pub variables: Vec<Variable>,
}

/// One variable.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Whether every start takes today's value, a rollback's too.
    pub secret: bool,
    /// The version that brought its value.
    pub version: u64,
    /// When that was.
    pub set_at: Timestamp,
    /// Who set it.
    pub set_by: String,
    /// Its value, where an operator asked for it and the key opens it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

impl fmt::Debug for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Variable").field("name", &self.name).finish_non_exhaustive()
    }
}

/// `PUT /v1/apps/{app}/env`: sets variables, one or all of a text. What is not named stays.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct SetVariables {
    /// Names and values.
    pub variables: Vec<Assigned>,
    /// The same as lines of NAME=value, as an `env_file` has them.
    pub text: Option<String>,
    /// Whether they are marked secret; as they were where absent.
    pub secret: Option<bool>,
}

impl fmt::Debug for SetVariables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SetVariables").field("secret", &self.secret).finish_non_exhaustive()
    }
}

/// A name and the value that it gets.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Assigned {
    /// The name.
    pub name: String,
    /// The value.
    pub value: String,
}

impl fmt::Debug for Assigned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Assigned").field("name", &self.name).finish_non_exhaustive()
    }
}

/// `DELETE /v1/apps/{app}/env`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct UnsetVariables {
    /// Their names.
    pub names: Vec<String>,
}

/// Which values a rollback starts with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum EnvironmentChoice {
    /// Those that its target ran with, but today's of what is secret.
    #[default]
    Own,
    /// Today's, all of them.
    Current,
}

impl EnvironmentChoice {
    /// The word, as in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            EnvironmentChoice::Own => "own",
            EnvironmentChoice::Current => "current",
        }
    }
}

impl std::str::FromStr for EnvironmentChoice {
    type Err = &'static str;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        match word {
            "own" => Ok(EnvironmentChoice::Own),
            "current" => Ok(EnvironmentChoice::Current),
            _ => Err("`own` or `current` belongs here"),
        }
    }
}

/// What a rollback's target starts with: names, never values.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EnvironmentPlan {
    /// The version that it starts with.
    pub version: u64,
    /// The newest version.
    pub today: u64,
    /// Names whose values are other than today's.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub differs: Vec<String>,
    /// Secret names that were changed since it ran: it takes today's.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub renewed: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_is_printed_by_mistake() {
        let assigned = Assigned { name: "A".into(), value: "s3cret".into() };
        let set = SetVariables {
            variables: vec![assigned.clone()],
            text: Some("A=s3cret".into()),
            secret: None,
        };
        let variable = Variable {
            name: "A".into(),
            secret: true,
            version: 1,
            set_at: Timestamp::UNIX_EPOCH,
            set_by: "ana".into(),
            value: Some("s3cret".into()),
        };
        assert!(!format!("{assigned:?} {set:?} {variable:?}").contains("s3cret"));
    }
}
