//! The figures of the sides, beside and over one another.

use super::Users;
use super::side::{Form, Run, Side};
use crate::outcome::{CaseReport, Cell, Plot, Requirement, Unit};
use crate::server::Kind;

impl Users {
    /// Enters what the sides achieved.
    pub(super) fn enter(self, sides: &[Side], report: &mut CaseReport) {
        for form in [Form::Async, Form::Plain] {
            for side in sides.iter().filter(|side| side.form == form) {
                let rate = side.median(|run| run.per_second, Unit::PerSecond);
                report.put(&self.read.rate(form), None, side.kind, rate);
                let p99 = side.median(|run| run.p99_ms, Unit::Milliseconds);
                let what = format!("{} p99", self.read.endpoint(form));
                report.put(&what, None, side.kind, p99);
            }
        }
        let side = |kind, form| {
            let mut sides = sides.iter();
            sides.find(|side| (side.kind, side.form) == (kind, form))
        };
        for form in [Form::Async, Form::Plain] {
            let what = format!("{} over FastAPI's", self.read.endpoint(form));
            let sides = [side(Kind::Siding, form), side(Kind::FastApi, form)];
            put_ratio(&what, self.over_fastapi, sides, report);
        }
        let what = format!(
            "{} over {}",
            self.read.endpoint(Form::Plain),
            self.read.endpoint(Form::Async)
        );
        for kind in [Kind::Siding, Kind::FastApi] {
            let sides = [side(kind, Form::Plain), side(kind, Form::Async)];
            if sides[0].is_some() {
                put_ratio(&what, self.plain_over_async, sides, report);
            }
        }
    }
}

/// Enters the ratio of two sides' rates, run by run.
fn put_ratio(what: &str, at_least: f64, sides: [Option<&Side>; 2], report: &mut CaseReport) {
    let must = Requirement::AtLeast(Unit::Ratio.of(at_least));
    let kind = sides[0].map_or(Kind::Siding, |side| side.kind);
    let cell = match ratios(sides) {
        Ok(ratios) => {
            report.plots.push(Plot::Pairs {
                title: format!("{kind}, {what}"),
                ratios: ratios.clone(),
                must,
            });
            Cell::median_of(ratios, Unit::Ratio)
        }
        Err(why) => why,
    };
    report.put(what, Some(must), kind, cell);
}

fn ratios(sides: [Option<&Side>; 2]) -> Result<Vec<f64>, Cell> {
    let [Some(ours), Some(theirs)] = sides else {
        return Err(Cell::Skipped("it takes --peer fastapi".to_owned()));
    };
    let pairs = ours.runs()?.iter().zip(theirs.runs()?);
    let ratio = |(ours, theirs): (&Run, &Run)| ours.per_second / theirs.per_second;
    Ok(pairs.map(ratio).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::Read;
    use crate::outcome::Verdict;

    const USERS: Users = Users {
        read: Read::One,
        over_fastapi: 5.0,
        plain_over_async: 0.8,
    };

    fn siding() -> [Side; 2] {
        [
            Side::of(
                Kind::Siding,
                Form::Async,
                Ok(&[(6_000.0, 9.0), (8_000.0, 7.0)]),
            ),
            Side::of(
                Kind::Siding,
                Form::Plain,
                Ok(&[(4_500.0, 12.0), (6_800.0, 11.0)]),
            ),
        ]
    }

    fn report(sides: &[Side]) -> CaseReport {
        let mut report = CaseReport::new("users".to_owned(), "a case");
        USERS.enter(sides, &mut report);
        report
    }

    #[track_caller]
    fn check(report: &CaseReport, what: &str, kind: Kind, cell: &str, verdict: Verdict) {
        let row = report.rows.iter().find(|row| row.what == what);
        let row = row.unwrap_or_else(|| panic!("there is no row {what:?}"));
        let shown = row.cell(kind).map(ToString::to_string);
        assert_eq!(
            (shown.as_deref(), row.verdict()),
            (Some(cell), verdict),
            "{what}"
        );
    }

    #[test]
    fn ratios_are_of_the_same_runs() {
        let [asynchronous, plain] = siding();
        let sides = [
            asynchronous,
            plain,
            Side::of(
                Kind::FastApi,
                Form::Async,
                Ok(&[(1_000.0, 80.0), (2_000.0, 60.0)]),
            ),
            Side::of(
                Kind::FastApi,
                Form::Plain,
                Ok(&[(900.0, 90.0), (1_000.0, 90.0)]),
            ),
        ];
        let report = report(&sides);
        let path = "/async/users/{id}";
        check(
            &report,
            &format!("{path} requests"),
            Kind::Siding,
            "7000 /s",
            Verdict::Shown,
        );
        check(
            &report,
            &format!("{path} p99"),
            Kind::Siding,
            "8.00 ms",
            Verdict::Shown,
        );
        check(
            &report,
            &format!("{path} p99"),
            Kind::FastApi,
            "70.0 ms",
            Verdict::Shown,
        );
        check(
            &report,
            &format!("{path} over FastAPI's"),
            Kind::Siding,
            "5.000",
            Verdict::Met,
        );
        let path = "/sync/users/{id}";
        check(
            &report,
            &format!("{path} over FastAPI's"),
            Kind::Siding,
            "5.900",
            Verdict::Met,
        );
        let what = format!("{path} over /async/users/{{id}}");
        check(&report, &what, Kind::Siding, "0.800", Verdict::Met);
        check(&report, &what, Kind::FastApi, "0.700", Verdict::Met);
        assert_eq!(report.plots.len(), 4);
    }

    #[test]
    fn without_fastapi_the_forms_are_still_compared() {
        let report = report(&siding());
        let what = "/sync/users/{id} over FastAPI's";
        check(&report, what, Kind::Siding, "skipped", Verdict::Skipped);
        let what = "/sync/users/{id} over /async/users/{id}";
        check(&report, what, Kind::Siding, "0.800", Verdict::Met);
    }

    #[test]
    fn a_side_that_fails_leaves_the_others_their_figures() {
        let [asynchronous, _] = siding();
        let failed = Cell::Failed("the answer was 500".to_owned());
        let plain = Side::of(Kind::Siding, Form::Plain, Err(failed));
        let report = report(&[asynchronous, plain]);
        let rate = "/async/users/{id} requests";
        check(&report, rate, Kind::Siding, "7000 /s", Verdict::Shown);
        let what = "/sync/users/{id} over /async/users/{id}";
        check(&report, what, Kind::Siding, "failed", Verdict::Failed);
    }
}
