//! Commands typed by hand.

use crate::url;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// `breakwaterctl` on the suite's node, for one market.
pub struct Terminal {
    program: &'static str,
    record: PathBuf,
}

/// What a command that has to succeed prints.
#[track_caller]
pub fn printed(output: &Output) -> Value {
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}");
    serde_json::from_slice(&output.stdout).expect("is JSON")
}

/// The one line of a command that has to fail with an exit code.
#[track_caller]
pub fn complaint(code: i32, output: Output) -> String {
    let complaint = String::from_utf8(output.stderr).expect("is text");
    assert_eq!(output.status.code(), Some(code), "{complaint}");
    assert!(output.stdout.is_empty());
    assert_eq!(complaint.lines().count(), 1, "{complaint}");
    complaint
}

impl Terminal {
    /// The program, and the record of the market.
    pub fn new(program: &'static str, record: &Path) -> Self {
        let record = record.to_owned();
        Self { program, record }
    }

    /// A command and its arguments, blank by blank.
    fn typed(&self, line: &str) -> Command {
        let mut command = Command::new(self.program);
        command.env_remove("BREAKWATER_SURI");
        command.args(line.split_whitespace());
        command.arg("--deployment").arg(&self.record);
        command.args(["--url", url(), "--json"]);
        command
    }

    /// What a command that only looks finds.
    #[track_caller]
    pub fn look(&self, line: &str) -> Value {
        printed(&self.typed(line).output().expect("runs"))
    }

    /// The line of a command that only looks and has to be refused.
    #[track_caller]
    pub fn blind(&self, code: i32, line: &str) -> String {
        complaint(code, self.typed(line).output().expect("runs"))
    }

    /// What a command of a signer does.
    #[track_caller]
    pub fn act(&self, suri: &str, line: &str) -> Value {
        let mut command = self.typed(line);
        printed(&command.args(["--suri", suri]).output().expect("runs"))
    }

    /// The line of a command of a signer that has to be refused.
    #[track_caller]
    pub fn refused(&self, code: i32, suri: &str, line: &str) -> String {
        let mut command = self.typed(line);
        complaint(code, command.args(["--suri", suri]).output().expect("runs"))
    }
}
