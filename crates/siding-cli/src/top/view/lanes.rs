//! A line for each lane: how full it is, what waits, what was refused.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Paragraph};

use super::Colours;
use crate::top::client::Sample;
use crate::top::model::Model;
use crate::top::text::rate;
use crate::top::wire::Lane;

/// Cells of a bar.
const BAR: u64 = 16;

pub(super) fn draw(
    model: &Model,
    sample: &Sample,
    colours: Colours,
    frame: &mut Frame<'_>,
    area: Rect,
) {
    let lanes = sample.lanes.iter().map(|lane| line(model, lane, colours));
    let block = Block::new().borders(Borders::TOP).title("Lanes");
    frame.render_widget(Paragraph::new(lanes.collect::<Vec<_>>()).block(block), area);
}

fn line<'a>(model: &Model, lane: &'a Lane, colours: Colours) -> Line<'a> {
    let rates = model.rates.lane(&lane.name);
    let full = lane.threads > 0 && lane.running >= lane.threads;
    let style = match (lane.overloaded, full) {
        (true, _) => colours.alarm(),
        (false, true) => colours.warning(),
        (false, false) => Colours::faint(),
    };
    let grown = match rates.map_or(0, |rates| rates.grown) {
        0 => String::new(),
        grown => format!("{grown:+}"),
    };
    let threads = format!(
        "{}/{} ({}{grown})",
        lane.running, lane.threads, lane.threads_max
    );
    let waiting = format!("waiting {}/{}", lane.waiting, lane.waiting_max);
    let mut line = vec![
        Span::raw(format!("{:10} ", lane.name)),
        Span::styled(bar(lane), style),
        Span::raw(format!(" {threads:15} {waiting:18} ")),
        Span::raw(format!(
            "refused/s {} ",
            rate(rates.map(|rates| rates.refused))
        )),
        Span::raw(format!(
            "done/s {}",
            rate(rates.map(|rates| rates.completed))
        )),
    ];
    if lane.overloaded {
        // Before the figures, so that a narrow terminal does not cut it off.
        line.insert(2, Span::styled(" OVERLOADED", colours.alarm()));
    }
    Line::from(line)
}

/// Running jobs over threads. A job that runs fills a cell at least.
fn bar(lane: &Lane) -> String {
    let share = (lane.running * BAR).div_ceil(lane.threads.max(1));
    let filled = usize::try_from(share.min(BAR)).unwrap_or(0);
    let empty = usize::try_from(BAR).unwrap_or(0) - filled;
    format!("{}{}", "█".repeat(filled), "░".repeat(empty))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_full_as_the_lane() {
        let filled = |running, threads| {
            let lane = Lane {
                running,
                threads,
                ..Lane::default()
            };
            bar(&lane).matches('█').count()
        };
        assert_eq!([filled(0, 0), filled(0, 8), filled(1, 1000)], [0, 0, 1]);
        assert_eq!([filled(4, 8), filled(8, 8), filled(9, 8)], [8, 16, 16]);
    }
}
