//! Programs that a configuration names.

use std::io::{copy, sink, BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{channel, Receiver};

/// Longest line that is read, bytes.
const LONGEST: u64 = 1 << 20;

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

/// Reads lines in a thread of its own, so that nobody waits longer for one than it wants to: the
/// output of a program that has ended may still be held open by one that it started.
///
/// After `most` lines, or what is no line of text, the rest is read and thrown away: a program must
/// not wait because nobody reads.
pub(crate) fn lines(output: ChildStdout, most: usize) -> Receiver<String> {
    let (sender, lines) = channel();
    std::thread::spawn(move || {
        let mut output = BufReader::new(output);
        for _ in 0..most {
            let sent = line(&mut output).map(|line| sender.send(line));
            if !matches!(sent, Some(Ok(()))) {
                break;
            }
        }
        drop(sender);
        // Whatever goes wrong here, there is nothing more to read.
        let _ = copy(&mut output, &mut sink());
    });
    lines
}

/// The next line without its end; `None` where there is none, or it is too long or no text.
fn line(output: &mut impl BufRead) -> Option<String> {
    let mut line = String::new();
    let read = output.take(LONGEST).read_line(&mut line);
    let ended = line.ends_with('\n') || u64::try_from(line.len()).is_ok_and(|len| len < LONGEST);
    match read {
        Ok(1..) if ended => Some(line.trim_end_matches(['\n', '\r']).to_owned()),
        _ => None,
    }
}
