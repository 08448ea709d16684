//! Every app of the daemon, as readers see them.

use std::collections::BTreeMap;

use vial_protocol::Problem;

use super::handle::App;

/// What readers see: every app by name, and what is wrong with the configuration.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    /// Every app.
    pub apps: BTreeMap<String, App>,
    /// Configuration that could not be used.
    pub problems: Vec<Problem>,
    /// Configuration that is used and does less than it says.
    pub warnings: Vec<Problem>,
}

/// What a reload found.
#[derive(Debug, Clone, Default, serde::Serialize, utoipa::ToSchema)]
pub struct Report {
    /// Configuration that could not be used: those apps go on as they were.
    pub problems: Vec<Problem>,
    /// Configuration that is used and does less than it says.
    pub warnings: Vec<Problem>,
}
