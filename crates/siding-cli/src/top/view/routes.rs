//! The table of routes.

use ratatui::Frame;
use ratatui::layout::{Constraint, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Cell, Row, Table, TableState};

use super::Colours;
use crate::top::model::{Model, Sort};
use crate::top::text::{millis, rate};
use crate::top::wire::Route;

const WIDTHS: [Constraint; 7] = [
    Constraint::Min(16),
    Constraint::Length(7),
    Constraint::Length(7),
    Constraint::Length(7),
    Constraint::Length(22),
    Constraint::Length(6),
    Constraint::Length(9),
];

pub(super) fn draw(model: &Model, colours: Colours, frame: &mut Frame<'_>, area: Rect) {
    let routes = model.routes();
    let all = model
        .sample
        .as_ref()
        .map_or(0, |sample| sample.routes.len());
    let filter = match model.filter.as_str() {
        "" => String::new(),
        filter => format!(" with \"{filter}\""),
    };
    let title = format!(
        "Routes {}/{all}{filter}, by {}",
        routes.len(),
        model.sort.name()
    );
    let marked = routes
        .iter()
        .position(|route| Some(route.id) == model.selected);
    let rows = routes.iter().map(|route| row(model, route, colours));
    let table = Table::new(rows, WIDTHS)
        .header(head(model.sort))
        .block(Block::new().borders(Borders::TOP).title(title))
        .row_highlight_style(Colours::marked());
    let mut state = TableState::new().with_selected(marked);
    frame.render_stateful_widget(table, area, &mut state);
}

fn head(sort: Sort) -> Row<'static> {
    let column = |name: &'static str, by: Option<Sort>| match by {
        Some(by) if by == sort => format!("{name}*"),
        _ => name.to_owned(),
    };
    let names = [
        column("route", Some(Sort::Name)),
        column("  req/s", Some(Sort::Rate)).trim_start().to_owned(),
        column("p50", None),
        column("p99", Some(Sort::P99)),
        column("lane", None),
        column("stalls", Some(Sort::Stalls)).replace("stalls*", "stall*"),
        column("verdict", None),
    ];
    Row::new(names).style(Colours::strong())
}

fn row<'a>(model: &Model, route: &'a Route, colours: Colours) -> Row<'a> {
    let right = |text: String| Cell::new(Line::raw(text).right_aligned());
    let verdict = Span::styled(route.verdict.as_str(), colours.warning());
    let lane = route.lane();
    let lane = if route.current == route.declared && route.diverted_to.is_empty() {
        Span::raw(lane)
    } else {
        Span::styled(lane, colours.warning())
    };
    Row::new([
        Cell::new(route.name.as_str()),
        right(rate(model.rates.requests(route.id))),
        right(millis(route.p50_ms)),
        right(millis(route.p99_ms)),
        Cell::new(lane),
        right(route.stalls.to_string()),
        Cell::new(verdict),
    ])
}
