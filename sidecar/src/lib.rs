//! Vial's daemon and command line.

pub mod api;
pub mod app;
pub mod build;
pub mod cli;
pub mod client;
pub mod config;
pub mod console;
pub mod daemon;
pub mod doctor;
pub mod fault;
pub mod forge;
pub mod gate;
pub mod hooks;
pub mod listen;
pub mod log;
pub mod notify;
pub mod patience;
pub mod release;
pub mod retention;
pub mod route;
pub mod secret_file;
pub mod slot;
pub mod store;
pub mod upgrade;
pub mod vault;
pub mod web;
