//! What `breakwater` and `breakwaterctl` do alike in a terminal: reading arguments, writing
//! answers, and ending with one line and an exit code where something is wrong.

mod output;
mod usage;

pub use output::{complain, print, print_json};

use clap::Parser;
use output::tolerate_closed_pipe;
use std::ffi::OsString;
use std::io::{stdout, Write};
use std::process::ExitCode;

/// Exit code where the user has to change something: an argument, a file or a place.
pub const BAD_INPUT: u8 = 2;
/// Exit code where nothing the user asked for is to blame.
pub const FAILED: u8 = 1;

/// Why a command ended without success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// What is wrong and what to do about it; shown as one line.
    pub text: String,
    /// [`BAD_INPUT`] or [`FAILED`].
    pub exit_code: u8,
}

/// Runs the command that `arguments` spell, the program's name first.
///
/// The exit code is 0 for success, also of `--help` and `--version`, or that of the complaint,
/// which is one line on stderr.
pub fn run<C, A, F>(arguments: A, obey: impl FnOnce(C) -> Result<(), F>) -> ExitCode
where
    C: Parser,
    A: IntoIterator,
    A::Item: Into<OsString> + Clone,
    F: Into<Complaint>,
{
    let ended = match C::try_parse_from(arguments) {
        Ok(command) => obey(command).map_err(Into::into),
        Err(error) if error.use_stderr() => Err(Complaint {
            text: usage::in_words(&error),
            exit_code: BAD_INPUT,
        }),
        // Not errors but requests: `--help` and `--version`.
        Err(request) => {
            let printed = request.print().and_then(|()| stdout().flush());
            tolerate_closed_pipe(printed).map_err(|error| Complaint {
                text: format!("cannot write to standard output ({error})"),
                exit_code: FAILED,
            })
        }
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(Complaint { text, exit_code }) => {
            complain(&format!("error: {text}"));
            ExitCode::from(exit_code)
        }
    }
}
