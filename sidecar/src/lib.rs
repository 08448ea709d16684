//! Vial's daemon and command line.
pub mod app;
pub mod store;
