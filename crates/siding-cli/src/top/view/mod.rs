//! Pictures of a model.

mod colours;
mod help;
mod lanes;
mod route;
mod routes;
mod stalls;
mod upstreams;

#[cfg(test)]
mod tests;

pub use colours::Colours;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::client::Sample;
use super::model::{Model, Page};
use super::text::{ago, clock};

/// Stalls that are shown beside the routes, where there is room.
const STALLS: u16 = 4;
/// Lines that the routes need to be of use: a border, a head, and some routes.
const ROUTES_MIN: u16 = 6;

/// Draws `model` as it is at `unix_ms`. Returns how far the page of a route is scrolled, which is no further than to its end: only
/// the picture knows where that is.
pub fn draw(model: &Model, unix_ms: f64, colours: Colours, frame: &mut Frame<'_>) -> u16 {
    let [head, body, foot] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Min(0),
        Constraint::Length(1),
    ])
    .areas(frame.area());
    frame.render_widget(title(model, unix_ms, colours), head);
    frame.render_widget(keys(model), foot);
    match (model.page, &model.sample) {
        (Page::Help, _) => help::draw(frame, body),
        (Page::Overview, Some(sample)) => overview(model, sample, unix_ms, colours, (frame, body)),
        (Page::Route, Some(_)) => return route::draw(model, unix_ms, frame, body),
        (_, None) => frame.render_widget(Paragraph::new(waiting(model)), body),
    }
    0
}

fn overview(
    model: &Model,
    sample: &Sample,
    unix_ms: f64,
    colours: Colours,
    (frame, area): (&mut Frame<'_>, Rect),
) {
    let rows = |count: usize| u16::try_from(count).unwrap_or(u16::MAX);
    // Each has a border above it.
    let lanes = rows(sample.lanes.len()).saturating_add(1);
    let tasks = rows(sample.queues.len().min(1));
    let stalls = rows(sample.stalls.len()).clamp(1, STALLS) + 1;
    let upstreams = rows(upstreams::of_concern(sample).count());
    let [lanes, routes, stalls, upstreams, tasks] = Layout::vertical([
        Constraint::Length(lanes),
        Constraint::Min(ROUTES_MIN),
        Constraint::Length(stalls),
        Constraint::Length(upstreams),
        Constraint::Length(tasks),
    ])
    .areas(area);
    lanes::draw(model, sample, colours, frame, lanes);
    routes::draw(model, colours, frame, routes);
    stalls::draw(sample, unix_ms, colours, frame, stalls);
    upstreams::draw(sample, colours, frame, upstreams);
    frame.render_widget(queues(sample), tasks);
}

fn title<'a>(model: &'a Model, unix_ms: f64, colours: Colours) -> Line<'a> {
    let name = model.sample.as_ref().map_or("", |sample| &sample.name);
    let mut line = vec![
        Span::styled("siding top", Colours::strong()),
        Span::raw(" "),
    ];
    line.push(Span::raw(model.source.as_str()));
    line.push(Span::raw(" "));
    line.push(Span::raw(name));
    if model.paused {
        line.push(Span::styled(" PAUSED", colours.warning()));
    }
    if let Some(outage) = &model.outage {
        let since = clock(outage.since_unix_ms);
        let lasts = ago(unix_ms - outage.since_unix_ms);
        let text = format!("not reachable since {since} ({lasts}): {}", outage.why);
        line.insert(0, Span::styled(text, colours.alarm()));
        line.insert(1, Span::raw("  "));
    }
    Line::from(line)
}

fn keys(model: &Model) -> Line<'_> {
    if model.typing {
        let text = format!("/{}_  Enter keeps it, Esc shows all", model.filter);
        return Line::styled(text, Colours::strong());
    }
    let keys = match model.page {
        Page::Overview => "q quit  ? help  Enter route  s sort  / filter  p pause",
        Page::Route => "q quit  ? help  Esc back  up/down scroll  p pause",
        Page::Help => "q quit  ? or Esc back",
    };
    Line::styled(keys, Colours::faint())
}

fn waiting(model: &Model) -> &'static str {
    match model.outage {
        None => "waiting for the first answer",
        Some(_) => {
            "It is asked again and again. Start the application, or give the URL of its admin listener."
        }
    }
}

fn queues(sample: &Sample) -> Line<'_> {
    let counts = sample
        .queues
        .iter()
        .map(|queue| format!("{} {} {}", queue.queue, queue.state, queue.tasks));
    let all: Vec<_> = counts.collect();
    Line::raw(format!("Tasks: {}", all.join(", ")))
}
