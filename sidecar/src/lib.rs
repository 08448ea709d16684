//! Vial

pub mod slot;
