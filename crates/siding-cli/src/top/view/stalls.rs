//! The latest stalls of the event loop.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::{Block, Borders, Paragraph};

use super::Colours;
use crate::top::client::Sample;
use crate::top::text::{ago, millis};
use crate::top::wire::Stall;

pub(super) fn draw(
    sample: &Sample,
    unix_ms: f64,
    colours: Colours,
    frame: &mut Frame<'_>,
    area: Rect,
) {
    let block = Block::new().borders(Borders::TOP).title("Latest stalls");
    let stalls = sample
        .stalls
        .iter()
        .map(|stall| line(stall, unix_ms, colours));
    let mut lines: Vec<_> = stalls.collect();
    if lines.is_empty() {
        lines.push(Line::styled(
            "none: no poll has held the event loop",
            Colours::faint(),
        ));
    }
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

fn line(stall: &Stall, unix_ms: f64, colours: Colours) -> Line<'_> {
    let seen = &stall.evidence;
    let lasted = millis(seen.lasted_ms);
    if stall.over {
        let when = ago(unix_ms - seen.began_unix_ms);
        let text = format!(
            "{when:>4} ago {lasted:>7}  {}  {}",
            stall.route, seen.summary
        );
        return Line::raw(text);
    }
    let text = format!("     now {lasted:>7}  {}  {}", stall.route, seen.summary);
    Line::styled(text, colours.alarm())
}
