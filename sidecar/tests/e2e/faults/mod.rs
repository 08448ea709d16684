//! The daemon dies at every point at which something could be half-known, and what is true after
//! it came back is what design and history promise.
//!
//! [`stage`] is a host with a stub in place of a release, under load; [`kinds`] is everything that a
//! deployment can be, and what may come of it; [`truth`] is what must hold whenever all has come to
//! rest; [`points`] kills at each named point once a kind, [`killer`] at random instants. The points
//! themselves are in `vial::fault`.

mod killer;
mod kinds;
mod points;
mod stage;
mod truth;
