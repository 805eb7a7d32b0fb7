//! Clients of inference services that something is wrong with.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

use super::Colours;
use crate::top::client::Sample;
use crate::top::wire::Upstream;

/// Those of which a replica is left alone. The others take no room from the routes.
pub(super) fn of_concern(sample: &Sample) -> impl Iterator<Item = &Upstream> {
    let clients = sample.upstreams.iter();
    clients.filter(|client| !client.alone.is_empty())
}

pub(super) fn draw(sample: &Sample, colours: Colours, frame: &mut Frame<'_>, area: Rect) {
    let lines: Vec<_> = of_concern(sample)
        .map(|client| line(client, colours))
        .collect();
    frame.render_widget(Paragraph::new(lines), area);
}

fn line(client: &Upstream, colours: Colours) -> Line<'_> {
    let (what, style) = match client.state.as_str() {
        "open" => ("no replica takes requests", colours.alarm()),
        _ => ("others stand in", colours.warning()),
    };
    let alone = client.alone.join("; ");
    Line::styled(format!("{}: {what}; open: {alone}", client.name), style)
}
