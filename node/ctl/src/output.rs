//! Writing for terminals and programs.

use crate::failure::Failure;
use serde_json::Value;
use std::io::{self, ErrorKind, Write};

/// Writes `text` to stdout. A reader that has seen enough and closed the pipe is no failure.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    let written = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush());
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(Failure::Stdout),
    }
}

/// Writes a value for programs.
pub(crate) fn print_json(value: &Value) -> Result<(), Failure> {
    print(&format!("{value:#}\n"))
}

/// Writes `text` to stderr as exactly one line. If stderr takes nothing there is nobody to tell.
pub(crate) fn complain(text: &str) {
    let _ = writeln!(io::stderr(), "{}", one_line(text));
}

/// `text` without line breaks and other control characters, which may come in with file names.
fn one_line(text: &str) -> String {
    text.trim()
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

/// What a command found out: names and values, in the order they are shown.
#[derive(Debug, Default)]
pub(crate) struct Answer(Vec<(&'static str, Value, String)>);

impl Answer {
    /// Adds a value: its name and text for programs, and the unit that people see after it.
    pub(crate) fn add(&mut self, name: &'static str, value: impl Into<Value>, unit: &str) {
        self.0.push((name, value.into(), unit.to_owned()));
    }

    /// Writes the answer: an object, or a line for each value.
    pub(crate) fn print(self, json: bool) -> Result<(), Failure> {
        if json {
            let fields = self.0.into_iter();
            let object = fields.map(|(name, value, _)| (name.to_owned(), value));
            return print_json(&Value::Object(object.collect()));
        }
        let mut text = String::new();
        for (name, value, unit) in self.0 {
            let value = match value {
                Value::String(value) => value,
                Value::Null => "-".to_owned(),
                other => other.to_string(),
            };
            let name = name.replace('_', " ");
            text.push_str(format!("{name:<20} {value} {unit}").trim_end());
            text.push('\n');
        }
        print(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_stays_one_line() {
        assert_eq!(one_line("a\nb\u{1b}[1m\tc\r\n"), "a b [1m c");
    }
}
