//! Vial

pub mod cli;
pub mod client;
