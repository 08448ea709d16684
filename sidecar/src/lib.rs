//! Vial

pub mod route;
