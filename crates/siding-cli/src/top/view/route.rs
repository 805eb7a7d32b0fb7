//! One route: what to change, what was seen, where it has been.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Paragraph, Wrap};

use super::Colours;
use crate::top::model::Model;
use crate::top::text::{ago, millis, rate};
use crate::top::wire::{Evidence, Route};

/// Frames of the stack, the innermost ones.
const FRAMES: usize = 12;

/// Draws it, and returns how far it is scrolled.
pub(super) fn draw(model: &Model, unix_ms: f64, frame: &mut Frame<'_>, area: Rect) -> u16 {
    let block = Block::new().borders(Borders::TOP);
    let Some(route) = model.route() else {
        let text = Paragraph::new("The application no longer has this route.");
        frame.render_widget(text.block(block.title("Route")), area);
        return 0;
    };
    let lines = lines(model, route, unix_ms);
    let scroll = model.scroll.min(scroll_max(&lines, area));
    let text = Paragraph::new(lines)
        .block(block.title(route.name.as_str()))
        .wrap(Wrap { trim: false })
        .scroll((scroll, 0));
    frame.render_widget(text, area);
    scroll
}

/// Where the last line is in sight. Lines break between words, so that some take a row more than they are wide: there is some room
/// below the last one.
fn scroll_max(lines: &[Line<'_>], area: Rect) -> u16 {
    let width = usize::from(area.width).max(1);
    let rows = |line: &Line<'_>| match line.width().div_ceil(width) {
        0 | 1 => 1,
        more => more + 1,
    };
    let border = 1;
    let rows = lines.iter().map(rows).sum::<usize>() + border;
    u16::try_from(rows.saturating_sub(area.height.into())).unwrap_or(u16::MAX)
}

fn lines<'a>(model: &Model, route: &'a Route, unix_ms: f64) -> Vec<Line<'a>> {
    let per_second = rate(model.rates.requests(route.id));
    let (p50, p99) = (millis(route.p50_ms), millis(route.p99_ms));
    let mut lines = vec![
        Line::raw(format!("{} on {}", route.kind, route.lane())),
        Line::raw(format!(
            "requests {} ({per_second}/s)  p50 {p50}  p99 {p99}  stalls {}",
            route.requests, route.stalls
        )),
    ];
    lines.push(heading("What to change"));
    if route.advice.is_empty() {
        lines.push(Line::raw("nothing that is known of"));
    }
    lines.extend(route.advice.iter().map(|line| Line::raw(line.as_str())));
    if let Some(seen) = &route.evidence {
        lines.push(heading("What was seen"));
        evidence(seen, unix_ms, &mut lines);
    }
    lines.push(heading("Moves"));
    if route.moves.is_empty() {
        lines.push(Line::raw("none"));
    }
    lines.extend(route.moves.iter().rev().map(|moved| {
        let when = ago(unix_ms - moved.at_unix_ms);
        let text = format!(
            "{when} ago  {} -> {}  {}",
            moved.from, moved.to, moved.reason
        );
        Line::raw(text)
    }));
    lines
}

fn evidence<'a>(seen: &'a Evidence, unix_ms: f64, lines: &mut Vec<Line<'a>>) {
    let when = ago(unix_ms - seen.began_unix_ms);
    let lasted = millis(seen.lasted_ms);
    lines.push(Line::raw(format!(
        "{} ({when} ago, {lasted})",
        seen.summary
    )));
    for (what, value) in [
        ("system call", &seen.syscall),
        ("waited for", &seen.target),
        ("peer", &seen.peer),
        ("no stack", &seen.stack_error),
    ] {
        if !value.is_empty() {
            lines.push(Line::raw(format!("{what:12} {value}")));
        }
    }
    let shown = seen.stack.iter().take(FRAMES);
    lines.extend(shown.map(|frame| Line::raw(format!("  at {frame}"))));
    if seen.stack.len() > FRAMES {
        let more = seen.stack.len() - FRAMES;
        lines.push(Line::raw(format!("  and {more} more")));
    }
}

fn heading(text: &'static str) -> Line<'static> {
    Line::from(vec![Span::styled(text, Colours::strong())])
}
