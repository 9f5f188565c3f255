//! Running the command as a user does, each time in a folder of its own.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};
use tempfile::TempDir;

/// A folder in which the command is run; gone with everything in it when dropped.
pub struct Home(TempDir);

impl Home {
    pub fn new() -> Self {
        Home(tempfile::tempdir().expect("a temporary folder"))
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file for the command to read.
    pub fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        fs::write(&path, text).expect("writes a file");
        path
    }

    /// Everything that lies in the folder, sorted.
    pub fn contents(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.path())
            .and_then(|entries| {
                entries
                    .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
                    .collect::<io::Result<_>>()
            })
            .expect("lists a folder");
        names.sort();
        names
    }

    /// `breakwater` with these arguments, ready to run.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_breakwater"));
        command
            .args(arguments)
            .current_dir(self.path())
            .stdin(Stdio::null());
        command
    }

    /// Runs `breakwater` with these arguments to its end.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("starts")
    }
}

/// What was written to a stream.
pub fn text(stream: &[u8]) -> &str {
    std::str::from_utf8(stream).expect("UTF-8")
}
