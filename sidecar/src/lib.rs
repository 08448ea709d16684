//! Vial
