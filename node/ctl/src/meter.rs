//! Progress of long work, on stderr.

use breakwater_terminal::complain;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;

/// A bar in a terminal, a line for each stage elsewhere.
pub(crate) struct Meter {
    bar: Option<ProgressBar>,
    lines: bool,
}

impl Meter {
    /// Shows nothing if quiet.
    pub(crate) fn new(quiet: bool) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let style =
            ProgressStyle::with_template("{msg:<26} {bar:32} {pos:>4}/{len}  {elapsed_precise}");
        let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
        Self {
            bar: (terminal && !quiet).then(|| ProgressBar::new(0).with_style(style)),
            lines: !terminal && !quiet,
        }
    }

    /// A stage begins, of so many pieces of work.
    pub(crate) fn stage(&self, name: &'static str, work: u64) {
        if self.lines {
            complain(&format!("{name} ..."));
        }
        if let Some(bar) = &self.bar {
            bar.reset();
            bar.set_length(work);
            bar.set_message(name);
        }
    }

    /// A piece of work is done.
    pub(crate) fn done(&self) {
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
