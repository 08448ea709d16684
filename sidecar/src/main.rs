//! vial
use std::process::ExitCode;

fn main() -> ExitCode {
    if let Some(args) = vial::slot::trampoline::requested() {
        return vial::slot::trampoline::run(args);
    }
    ExitCode::SUCCESS
}
