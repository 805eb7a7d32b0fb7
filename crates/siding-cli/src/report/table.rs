//! The results as aligned text.

use std::fmt::Write as _;

use crate::outcome::{CaseReport, Row, Verdict};
use crate::server::Kind;

/// Between two columns.
const GAP: &str = "  ";

/// The cases as a table, followed by the reasons why figures are missing or missed.
#[must_use]
pub fn table(cases: &[CaseReport]) -> String {
    let servers = servers(cases);
    let mut lines = vec![header(&servers)];
    for case in cases {
        for (index, row) in case.rows.iter().enumerate() {
            let name = if index == 0 { &case.name } else { "" };
            lines.push(line(name, row, &servers));
        }
    }
    let mut text = aligned(&lines);
    for case in cases {
        for sentence in reasons(case).into_iter().chain(notes(case)) {
            text.push_str(&sentence);
            text.push('\n');
        }
    }
    text
}

/// The servers that have a figure anywhere, in a fixed order.
pub(super) fn servers(cases: &[CaseReport]) -> Vec<Kind> {
    let rows = cases.iter().flat_map(|case| &case.rows);
    let mut kinds: Vec<Kind> = rows
        .flat_map(|row| &row.cells)
        .map(|(kind, _)| *kind)
        .collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

/// A sentence for each reason why figures of the case are missing or bounds only.
pub(super) fn reasons(case: &CaseReport) -> Vec<String> {
    let mut sentences = Vec::new();
    for (kind, cell) in case.rows.iter().flat_map(|row| &row.cells) {
        let Some(reason) = cell.reason() else {
            continue;
        };
        let sentence = format!("{}, {kind}: {reason}", case.name);
        if !sentences.contains(&sentence) {
            sentences.push(sentence);
        }
    }
    sentences
}

/// The notes of a case that missed something, which may explain it.
fn notes(case: &CaseReport) -> impl Iterator<Item = String> {
    let missed = case.rows.iter().any(|row| row.verdict() == Verdict::Missed);
    let notes = case.notes.iter().filter(move |_| missed);
    notes.map(|note| format!("{}, {note}", case.name))
}

fn header(servers: &[Kind]) -> Vec<String> {
    let mut cells = vec!["case".to_owned(), "figure".to_owned(), "must be".to_owned()];
    cells.extend(servers.iter().map(ToString::to_string));
    cells.push("verdict".to_owned());
    cells
}

fn line(name: &str, row: &Row, servers: &[Kind]) -> Vec<String> {
    let must = row.must.map(|must| must.to_string()).unwrap_or_default();
    let mut cells = vec![name.to_owned(), row.what.clone(), must];
    for server in servers {
        cells.push(
            row.cell(*server)
                .map_or_else(|| "–".to_owned(), ToString::to_string),
        );
    }
    cells.push(row.verdict().to_string());
    cells
}

/// Pads every cell to the width of its column; a blank line precedes each case.
fn aligned(lines: &[Vec<String>]) -> String {
    let columns = lines.first().map_or(0, Vec::len);
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max();
    let widths: Vec<usize> = (0..columns)
        .map(|column| width(column).unwrap_or(0))
        .collect();
    let mut text = String::new();
    for line in lines {
        if !line[0].is_empty() && !text.is_empty() {
            text.push('\n');
        }
        let mut padded = String::new();
        for (cell, width) in line.iter().zip(&widths) {
            // Writing into a String cannot fail.
            let _ = write!(padded, "{cell:width$}{GAP}");
        }
        text.push_str(padded.trim_end());
        text.push('\n');
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::{Cell, Requirement, Unit};

    fn case() -> CaseReport {
        let mut case = CaseReport::new("bad-100".to_owned(), "a case");
        let must = Some(Requirement::AtMost(Unit::Seconds.of(1.25)));
        case.put(
            "in all",
            must,
            Kind::Siding,
            Cell::of(Unit::Seconds.of(1.03)),
        );
        let reason = "37 of 100".to_owned();
        let limit = Unit::Seconds.of(120.0);
        case.put(
            "in all",
            must,
            Kind::FastApi,
            Cell::Beyond { limit, reason },
        );
        case.put(
            "/health p50",
            None,
            Kind::Siding,
            Cell::of(Unit::Milliseconds.of(0.4)),
        );
        case
    }

    #[test]
    fn columns_are_aligned() {
        let expected = "\
case     figure       must be   siding   fastapi    verdict

bad-100  in all       ≤ 1.25 s  1.03 s   > 120.0 s  met
         /health p50            0.40 ms  –

bad-100, fastapi: 37 of 100
";
        assert_eq!(table(&[case()]), expected);
    }

    #[test]
    fn no_cases_is_a_table_without_rows() {
        assert_eq!(table(&[]), "case  figure  must be  verdict\n\n");
    }
}
