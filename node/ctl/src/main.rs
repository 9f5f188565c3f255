//! The `breakwaterctl` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    breakwater_ctl::run(std::env::args_os())
}
