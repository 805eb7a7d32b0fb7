//! The results as one page, without scripts and without anything to load.

use super::canvas::escape;
use super::table::{reasons, servers};
use super::{Report, charts};
use crate::outcome::{CaseReport, Cell, Plot, Row, Unit, Verdict};
use crate::server::Kind;

const STYLE: &str = include_str!("report.css");

/// The report as an HTML page.
#[must_use]
pub fn html(report: &Report) -> String {
    let machine = escape(&report.machine.to_string());
    let peers = paragraphs(&report.peer_versions);
    let sections: String = report.cases.iter().map(section).collect();
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>siding bench</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <h1>siding bench</h1>\n<p>{machine}</p>\n<p>{}</p>\n{peers}{sections}</body>\n</html>\n",
        escape(&method(report)),
    )
}

fn method(report: &Report) -> String {
    let settings = &report.settings;
    format!(
        "Medians of {} runs; throughput as the median ratio of {} alternating pairs of {:?}. \
         /health percentiles are over every probe of every run, on fresh connections, counted \
         from the time at which each was due. Load and server share the machine.",
        settings.runs, settings.pairs, settings.pair_span,
    )
}

fn section(case: &CaseReport) -> String {
    let title = escape(case.title);
    let name = escape(&case.name);
    let table = table(case);
    let notes = paragraphs(&reasons(case)) + &paragraphs(&case.notes);
    let bars: String = case.rows.iter().map(bars).collect();
    let plots: String = case.plots.iter().map(plot).collect();
    format!("<h2>{name}</h2>\n<p>{title}</p>\n{table}{notes}{bars}{plots}")
}

fn table(case: &CaseReport) -> String {
    let servers = servers(std::slice::from_ref(case));
    let heads: String = servers
        .iter()
        .map(|kind| format!("<th>{kind}</th>"))
        .collect();
    let rows: String = case.rows.iter().map(|row| line(row, &servers)).collect();
    format!(
        "<div class=\"wide\"><table>\n<tr><th>figure</th><th>must be</th>{heads}<th>verdict</th>\
         </tr>\n{rows}</table></div>\n"
    )
}

fn line(row: &Row, servers: &[Kind]) -> String {
    let must = row.must.map(|must| must.to_string()).unwrap_or_default();
    let cell = |kind: &Kind| {
        row.cell(*kind)
            .map_or_else(|| "–".to_owned(), ToString::to_string)
    };
    let cells: String = servers.iter().map(|kind| data(&cell(kind))).collect();
    let verdict = row.verdict();
    let class = match verdict {
        Verdict::Met => "met",
        Verdict::Missed | Verdict::Failed | Verdict::NotMeasured => "missed",
        Verdict::Skipped | Verdict::Shown => "",
    };
    let (what, must) = (data(&row.what), data(&must));
    format!("<tr>{what}{must}{cells}<td class=\"{class}\">{verdict}</td></tr>\n")
}

fn data(text: &str) -> String {
    format!("<td>{}</td>", escape(text))
}

fn paragraphs(texts: &[String]) -> String {
    let paragraph = |text: &String| format!("<p class=\"notes\">{}</p>\n", escape(text));
    texts.iter().map(paragraph).collect()
}

/// Bars side by side, where more than one server has the figure. Latencies have plots of their own.
fn bars(row: &Row) -> String {
    let known = |(kind, cell): &(Kind, Cell)| {
        let bar = (kind.name(), cell.at_least()?.value, cell.to_string());
        (cell.at_least()?.unit != Unit::Milliseconds).then_some(bar)
    };
    let figures: Vec<_> = row.cells.iter().filter_map(known).collect();
    if figures.len() < 2 {
        return String::new();
    }
    figure(&charts::bars(&figures, &row.what), &row.what)
}

fn plot(plot: &Plot) -> String {
    match plot {
        Plot::Health { server, points } => {
            let caption = format!("/health on {server}: the slowest answer of each slice of time");
            figure(&charts::health(points, &caption), &caption)
        }
        Plot::Pairs {
            title,
            ratios,
            must,
        } => {
            let caption = format!("{title}: each pair of runs; dashed, what the median must be");
            figure(&charts::pairs(ratios, *must, &caption), &caption)
        }
    }
}

fn figure(svg: &str, caption: &str) -> String {
    let caption = escape(caption);
    format!("<figure>{svg}<figcaption>{caption}</figcaption></figure>\n")
}
