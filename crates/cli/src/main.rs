//! The `breakwater` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    breakwater_cli::run(std::env::args_os())
}
