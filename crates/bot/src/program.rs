//! Programs that a configuration names.

use std::process::{Child, Command, Stdio};

/// Starts one, by its name and arguments; its output can be read. The error ends a sentence about it.
pub(crate) fn start(command: &[String], input: Stdio) -> Result<Child, String> {
    let (program, arguments) = command.split_first().ok_or("is not given")?;
    Command::new(program)
        .args(arguments)
        .stdin(input)
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("does not start: {error}"))
}
