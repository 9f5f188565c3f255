//! Showing on stderr how far a run is: a bar in a terminal, a line for each stage elsewhere.

use breakwater_sim::demo::Progress;
use breakwater_terminal::complain;
use indicatif::{ProgressBar, ProgressFinish, ProgressStyle};
use std::{
    io::{self, IsTerminal},
    time::Duration,
};

/// Wide enough for the name of any stage.
const BAR: &str = "{msg:<26} {bar:32} {percent:>3} %  {elapsed_precise}";

/// How often the clock beside the bar moves while a stage does not report.
const TICK: Duration = Duration::from_millis(250);

/// Shows the progress of one run until it is dropped; a bar leaves nothing behind.
pub(crate) struct Meter {
    form: Form,
    bar: Option<ProgressBar>,
}

#[derive(Clone, Copy)]
enum Form {
    Nothing,
    Lines,
    Bar,
}

impl Meter {
    /// A meter for stderr as it is; with `quiet`, one that shows nothing.
    pub(crate) fn new(quiet: bool) -> Self {
        let form = match (quiet, io::stderr().is_terminal()) {
            (true, _) => Form::Nothing,
            (false, true) => Form::Bar,
            (false, false) => Form::Lines,
        };
        Meter { form, bar: None }
    }

    /// Shows a step of progress.
    pub(crate) fn show(&mut self, progress: Progress) {
        match (self.form, progress) {
            (Form::Nothing, _) | (Form::Lines, Progress::Done(_)) => {}
            (Form::Lines, Progress::Stage { name, .. }) => complain(&format!("{name} ...")),
            (Form::Bar, Progress::Stage { name, work }) => self.begin(name, work),
            (Form::Bar, Progress::Done(units)) => {
                if let Some(bar) = &self.bar {
                    bar.inc(units);
                }
            }
        }
    }

    fn begin(&mut self, name: &'static str, work: u64) {
        // The bar before goes first, or both would draw on the same line.
        self.bar = None;
        let style = ProgressStyle::with_template(BAR)
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .progress_chars("━╸ ");
        let bar = ProgressBar::new(work)
            .with_style(style)
            .with_message(name)
            .with_finish(ProgressFinish::AndClear);
        bar.enable_steady_tick(TICK);
        self.bar = Some(bar);
    }
}
