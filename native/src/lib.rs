//! Vial's NIF: the application's own console speaks to the daemon through it.
//!
//! Nothing is exported yet but the version of the protocol that the library was built with, so
//! that a mismatch between the application and the daemon can be named.

/// The version of `vial-protocol` that this library was compiled with.
#[rustler::nif]
fn protocol_version() -> &'static str {
    vial_protocol::VERSION
}

rustler::init!("Elixir.Vial.Native");
