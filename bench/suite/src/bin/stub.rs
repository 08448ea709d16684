//! `vial-bench-stub`: a release without a BEAM. See `vial_bench::stub`.

use std::process::ExitCode;

fn main() -> ExitCode {
    match vial_bench::stub::run(std::env::args().skip(1)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("vial-bench-stub: {why}");
            ExitCode::FAILURE
        }
    }
}
