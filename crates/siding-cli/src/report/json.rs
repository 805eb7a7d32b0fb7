//! The results for programs. These types are the format; a change that readers notice raises [`FORMAT`].

use serde::Serialize;

use super::Report;
use crate::outcome::{CaseReport, Cell, Plot, Requirement, Row};
use crate::server::Kind;

/// The version of the format, in its field `format`.
pub const FORMAT: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    format: u32,
    machine: Machine<'a>,
    settings: Settings,
    peers: &'a [String],
    cases: Vec<Case<'a>>,
}

#[derive(Serialize)]
struct Machine<'a> {
    cores: usize,
    cpu: &'a str,
    kernel: &'a str,
    date: &'a str,
    build: &'a str,
}

#[derive(Serialize)]
struct Settings {
    runs: usize,
    pairs: usize,
    pair_span_s: f64,
    pinned_requests: usize,
    idle_span_s: f64,
    peer_limit_s: f64,
}

#[derive(Serialize)]
struct Case<'a> {
    name: &'a str,
    title: &'a str,
    rows: Vec<WireRow<'a>>,
    health: Vec<Health>,
    notes: &'a [String],
}

#[derive(Serialize)]
struct WireRow<'a> {
    what: &'a str,
    must: Option<Must>,
    verdict: &'a str,
    servers: Vec<Figure<'a>>,
}

#[derive(Serialize)]
struct Must {
    sign: &'static str,
    value: f64,
    unit: &'static str,
}

#[derive(Serialize)]
struct Figure<'a> {
    server: &'static str,
    /// `measured`, or `beyond` when the value is a lower bound, or why there is none.
    status: &'static str,
    value: Option<f64>,
    unit: Option<&'static str>,
    samples: &'a [f64],
    reason: Option<&'a str>,
}

/// Each probe of `/health`: seconds since the load began, milliseconds until the answer.
#[derive(Serialize)]
struct Health {
    server: &'static str,
    probes: Vec<(f64, f64)>,
}

/// The report as JSON.
///
/// # Panics
///
/// Never: the format has neither maps with odd keys nor values that fail to serialise.
#[must_use]
pub fn json(report: &Report) -> String {
    let document = document(report);
    serde_json::to_string(&document).expect("structs of numbers and strings always serialise")
}

fn document(report: &Report) -> Document<'_> {
    let (machine, settings) = (&report.machine, &report.settings);
    Document {
        format: FORMAT,
        machine: Machine {
            cores: machine.cores,
            cpu: &machine.cpu,
            kernel: &machine.kernel,
            date: &machine.date,
            build: machine.build,
        },
        settings: Settings {
            runs: settings.runs,
            pairs: settings.pairs,
            pair_span_s: settings.pair_span.as_secs_f64(),
            pinned_requests: settings.pinned_requests,
            idle_span_s: settings.idle_span.as_secs_f64(),
            peer_limit_s: settings.peer_limit.as_secs_f64(),
        },
        peers: &report.peer_versions,
        cases: report.cases.iter().map(case).collect(),
    }
}

fn case(case: &CaseReport) -> Case<'_> {
    Case {
        name: &case.name,
        title: case.title,
        rows: case.rows.iter().map(row).collect(),
        health: case.plots.iter().filter_map(health).collect(),
        notes: &case.notes,
    }
}

fn row(row: &Row) -> WireRow<'_> {
    WireRow {
        what: &row.what,
        must: row.must.map(must),
        verdict: row.verdict().word(),
        servers: row.cells.iter().map(figure).collect(),
    }
}

fn must(must: Requirement) -> Must {
    Must {
        sign: must.sign(),
        value: must.bound().value,
        unit: must.bound().unit.symbol(),
    }
}

fn figure((server, cell): &(Kind, Cell)) -> Figure<'_> {
    let (status, samples): (_, &[f64]) = match cell {
        Cell::Measured { samples, .. } => ("measured", samples),
        Cell::Beyond { .. } => ("beyond", &[]),
        Cell::Skipped(_) => ("skipped", &[]),
        Cell::Failed(_) => ("failed", &[]),
        Cell::NotMeasured(_) => ("not_measured", &[]),
    };
    let value = cell.at_least();
    Figure {
        server: server.name(),
        status,
        value: value.map(|figure| figure.value),
        unit: value.map(|figure| figure.unit.symbol()),
        samples,
        reason: cell.reason(),
    }
}

fn health(plot: &Plot) -> Option<Health> {
    match plot {
        Plot::Health { server, points } => Some(Health {
            server: server.name(),
            probes: points
                .iter()
                .map(|point| (point.at_s, point.latency_ms))
                .collect(),
        }),
        // The ratios of the pairs are the samples of their row.
        Plot::Pairs { .. } => None,
    }
}
