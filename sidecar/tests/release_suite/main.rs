//! From an archive to a release's folder: what is accepted, what is refused, what is left behind.

mod accepted;
mod contents;
mod disk;
mod entries;
mod install;
mod packing;
mod random;
mod stream;
mod support;
