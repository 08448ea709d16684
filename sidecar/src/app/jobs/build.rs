//! Building a release from a commit of the app's repository.

use std::sync::Arc;

use vial_protocol::{Build, Code, Problem};

use crate::app::context::Context;
use crate::app::machine::Fact;

/// Builds the release of a deployment.
pub(in crate::app) async fn build(context: Arc<Context>, number: u64, _build: Build) -> Fact {
    let _ = context;
    Fact::StepFailed { number, problem: Problem::new(Code::BuildFailed, "Nothing is built yet.") }
}
