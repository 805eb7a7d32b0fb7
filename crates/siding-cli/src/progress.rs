//! Tells the user how far a run has come: a bar on a terminal, plain lines elsewhere.

use std::fmt::Write as _;
use std::io::{self, IsTerminal as _, Write as _};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::outcome::{CaseReport, Verdict};

const BAR: &str = "{bar:24} {pos}/{len} [{elapsed}] {wide_msg}";

/// A handle on the display; standard error carries it, standard output carries the results.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    mode: Mode,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Bar,
    Lines,
}

impl Progress {
    /// For `cases` cases.
    #[must_use]
    pub fn new(cases: usize) -> Self {
        let (mode, target) = if io::stderr().is_terminal() {
            (Mode::Bar, ProgressDrawTarget::stderr())
        } else {
            (Mode::Lines, ProgressDrawTarget::hidden())
        };
        let bar = ProgressBar::with_draw_target(u64::try_from(cases).ok(), target);
        let style = ProgressStyle::with_template(BAR).expect("the template is a constant");
        bar.set_style(style);
        Self { bar, mode }
    }

    /// A case begins.
    pub fn case(&self, report: &CaseReport) {
        self.bar.set_prefix(report.name.clone());
        self.line(&format!("{}: {}", report.name, report.title));
    }

    /// What is going on within the case.
    pub fn doing(&self, what: &str) {
        let case = self.bar.prefix();
        let dash = if case.is_empty() { "" } else { ": " };
        self.bar.set_message(format!("{case}{dash}{what}"));
        if self.mode == Mode::Lines {
            self.line(&format!("    {what}"));
        }
    }

    /// `answered` of `all` requests have been answered; shown on a terminal alone.
    pub fn answered(&self, answered: usize, all: usize) {
        let (case, percent) = (self.bar.prefix(), answered * 100 / all.max(1));
        self.bar
            .set_message(format!("{case}: {answered} of {all} answered, {percent} %"));
    }

    /// A case is done.
    pub fn case_done(&self, report: &CaseReport) {
        self.bar.inc(1);
        self.line(&summary(report));
    }

    /// All of them are.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn line(&self, text: &str) {
        match self.mode {
            Mode::Bar => self.bar.println(text),
            // Nobody reading is no reason to stop measuring.
            Mode::Lines => drop(writeln!(io::stderr(), "{text}")),
        }
    }
}

/// The rows with a verdict, in a line.
fn summary(report: &CaseReport) -> String {
    let mut text = "   ".to_owned();
    for row in &report.rows {
        let verdict = row.verdict();
        if verdict == Verdict::Shown {
            continue;
        }
        let figure = row
            .cell(crate::server::Kind::Siding)
            .map(ToString::to_string);
        // Writing into a String cannot fail.
        let _ = write!(
            text,
            " {} {} {verdict};",
            row.what,
            figure.unwrap_or_default()
        );
    }
    text.trim_end_matches(';').to_owned()
}
