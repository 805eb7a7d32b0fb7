//! The figures of one case, and the verdicts on them.

use std::fmt;

use super::{Cell, Plot, Quantity, Requirement};
use crate::exit::Exit;
use crate::probe::ProbeLog;
use crate::server::Kind;

/// Everything that one case found.
#[derive(Debug, Clone)]
pub struct CaseReport {
    /// The name, as `--only` takes it.
    pub name: String,
    /// What the case does, in a line.
    pub title: &'static str,
    /// Its figures.
    pub rows: Vec<Row>,
    /// What to draw of it.
    pub plots: Vec<Plot>,
    /// What a reader of the figures should know besides.
    pub notes: Vec<String>,
}

/// One figure, of every server that has it.
#[derive(Debug, Clone)]
pub struct Row {
    /// What the figure is.
    pub what: String,
    /// What it must be, unless it is only shown.
    pub must: Option<Requirement>,
    /// Each server's.
    pub cells: Vec<(Kind, Cell)>,
}

/// Whether a row is as it must be; only [`Kind::Siding`] is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Within the bound.
    Met,
    /// Outside it.
    Missed,
    /// Requests failed, so the figure means nothing.
    Failed,
    /// There is no figure, and there should be.
    NotMeasured,
    /// There is no figure, for a reason that is nobody's fault.
    Skipped,
    /// There is no bound.
    Shown,
}

impl CaseReport {
    /// A report without figures.
    #[must_use]
    pub fn new(name: String, title: &'static str) -> Self {
        Self {
            name,
            title,
            rows: Vec::new(),
            plots: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Enters a figure into the row `what`, which is added when it is new.
    pub fn put(&mut self, what: &str, must: Option<Requirement>, server: Kind, cell: Cell) {
        let index = self.rows.iter().position(|row| row.what == what);
        let index = index.unwrap_or_else(|| {
            self.rows.push(Row {
                what: what.to_owned(),
                must,
                cells: Vec::new(),
            });
            self.rows.len() - 1
        });
        self.rows[index].cells.push((server, cell));
    }

    /// Notes how long the prober itself was held up, which its latencies include.
    pub fn note_lateness(&mut self, server: Kind, log: &ProbeLog) {
        self.notes.push(format!(
            "{server}: {} probes; the prober itself woke up to {} late, which its latencies include",
            log.probes.len(),
            Quantity::milliseconds(log.late_max()),
        ));
    }
}

impl Row {
    /// What `server` did.
    #[must_use]
    pub fn cell(&self, server: Kind) -> Option<&Cell> {
        let found = self.cells.iter().find(|(kind, _)| *kind == server);
        found.map(|(_, cell)| cell)
    }

    /// The verdict on the row.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match (self.cell(Kind::Siding), self.must) {
            (Some(Cell::Failed(_)), _) => Verdict::Failed,
            (Some(Cell::NotMeasured(_)), _) => Verdict::NotMeasured,
            (Some(Cell::Skipped(_)), _) => Verdict::Skipped,
            (Some(Cell::Beyond { .. }), Some(_)) => Verdict::Missed,
            (Some(Cell::Measured { figure, .. }), Some(must)) if must.is_met_by(*figure) => {
                Verdict::Met
            }
            (Some(Cell::Measured { .. }), Some(_)) => Verdict::Missed,
            (None, _) | (Some(Cell::Beyond { .. } | Cell::Measured { .. }), None) => Verdict::Shown,
        }
    }
}

impl Verdict {
    /// The word in tables and in the JSON report; empty where there is nothing to judge.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::Missed => "MISSED",
            Self::Failed => "FAILED",
            Self::NotMeasured => "no figure",
            Self::Skipped => "skipped",
            Self::Shown => "",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// What all cases together mean for the caller: a missing figure outranks a missed requirement.
#[must_use]
pub fn exit_of(cases: &[CaseReport]) -> Exit {
    let verdicts = || cases.iter().flat_map(|case| &case.rows).map(Row::verdict);
    if verdicts().any(|verdict| verdict == Verdict::NotMeasured) {
        return Exit::NotMeasured;
    }
    if verdicts().any(|verdict| matches!(verdict, Verdict::Missed | Verdict::Failed)) {
        return Exit::Missed;
    }
    Exit::AllMet
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Unit;

    fn report(cell: Cell) -> CaseReport {
        let mut report = CaseReport::new("case".to_owned(), "a case");
        let must = Requirement::AtMost(Unit::Seconds.of(1.0));
        report.put("total", Some(must), Kind::Siding, cell);
        report
    }

    #[track_caller]
    fn check(cell: Cell, verdict: Verdict, exit: Exit) {
        let report = report(cell);
        assert_eq!(report.rows[0].verdict(), verdict);
        assert_eq!(exit_of(&[report]), exit);
    }

    #[test]
    fn judges_each_kind_of_cell() {
        check(Cell::of(Unit::Seconds.of(0.9)), Verdict::Met, Exit::AllMet);
        check(
            Cell::of(Unit::Seconds.of(1.1)),
            Verdict::Missed,
            Exit::Missed,
        );
        check(Cell::Failed(String::new()), Verdict::Failed, Exit::Missed);
        check(Cell::Skipped(String::new()), Verdict::Skipped, Exit::AllMet);
        check(
            Cell::NotMeasured(String::new()),
            Verdict::NotMeasured,
            Exit::NotMeasured,
        );
        let limit = Unit::Seconds.of(120.0);
        let reason = String::new();
        check(
            Cell::Beyond { limit, reason },
            Verdict::Missed,
            Exit::Missed,
        );
    }

    #[test]
    fn peers_are_shown_and_not_judged() {
        let mut report = report(Cell::of(Unit::Seconds.of(0.9)));
        report.put(
            "total",
            None,
            Kind::FastApi,
            Cell::of(Unit::Seconds.of(100.0)),
        );
        assert_eq!(report.rows.len(), 1);
        assert_eq!(report.rows[0].verdict(), Verdict::Met);
    }

    #[test]
    fn a_missing_figure_outranks_a_missed_requirement() {
        let missed = report(Cell::of(Unit::Seconds.of(1.1)));
        let missing = report(Cell::NotMeasured(String::new()));
        assert_eq!(exit_of(&[missed, missing]), Exit::NotMeasured);
    }
}
