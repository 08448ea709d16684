//! Keeps the library in memory for as long as the node lives.

fn main() {
    // A module that is purged has its library closed. Ours has a thread in it, and a thread whose
    // code is unmapped takes the node with it.
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
    println!("cargo:rerun-if-changed=build.rs");
}
