//! vial
fn main() {}
