//! Vial

pub mod release;
