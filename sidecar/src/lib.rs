//! Vial

pub mod config;
