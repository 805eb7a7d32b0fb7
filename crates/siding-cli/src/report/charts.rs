//! The pictures of the report.

use super::canvas::{Anchor, Canvas};
use super::scale::Scale;
use crate::outcome::{Point, Requirement, Unit};

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 200.0;
/// Room for the labels of the vertical axis.
const LEFT: f64 = 64.0;
const RIGHT: f64 = WIDTH - 20.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = HEIGHT - 28.0;
/// A horizontal bar, and the distance from one to the next.
const BAR: f64 = 16.0;
const BAR_PITCH: f64 = 24.0;
/// The share of its slot that a vertical bar fills.
const FILL: f64 = 0.7;
/// The least that the vertical axis of latencies reaches from and to, in milliseconds.
const LATENCY_MS: (f64, f64) = (0.1, 100.0);

/// Latencies over time: in each slice of time, the slowest.
pub(super) fn health(points: &[Point], label: &str) -> String {
    let end_s = points.iter().map(|point| point.at_s).fold(0.0, f64::max);
    let slowest_ms = points
        .iter()
        .map(|point| point.latency_ms)
        .fold(LATENCY_MS.1, f64::max);
    let across = Scale::linear(0.0, end_s, LEFT, RIGHT);
    let up = Scale::decades(LATENCY_MS.0, slowest_ms, BOTTOM, TOP);
    let mut canvas = Canvas::new(WIDTH, HEIGHT);
    for tick in up.ticks() {
        horizontal(&mut canvas, up.px(tick), &latency(tick));
    }
    for tick in across.ticks() {
        let at = (across.px(tick), HEIGHT - 8.0);
        canvas.text(at, Anchor::Middle, &format!("{} s", short(tick)));
    }
    for (x, latency_ms) in slowest_by_slice(points, across) {
        canvas.dot("dot", (x, up.px(latency_ms)));
    }
    canvas.finish(label)
}

/// One bar for each pair of runs, and the bound that their median must keep.
pub(super) fn pairs(ratios: &[f64], must: Requirement, label: &str) -> String {
    let bound = must.bound().value;
    let highest = ratios.iter().copied().fold(bound.max(1.0), f64::max);
    let up = Scale::linear(0.0, highest * 1.05, BOTTOM, TOP);
    let mut canvas = Canvas::new(WIDTH, HEIGHT);
    for tick in up.ticks() {
        horizontal(&mut canvas, up.px(tick), &short(tick));
    }
    let slots = Scale::linear(0.0, as_f64(ratios.len()), LEFT, RIGHT);
    for (index, ratio) in ratios.iter().enumerate() {
        let (left, right) = (slots.px(as_f64(index)), slots.px(as_f64(index + 1)));
        let (width, top) = ((right - left) * FILL, up.px(*ratio));
        let corner = (left + (right - left - width) / 2.0, top);
        canvas.bar("bar", corner, (width, BOTTOM - top), &format!("{ratio:.3}"));
        let middle = (f64::midpoint(left, right), HEIGHT - 8.0);
        canvas.text(middle, Anchor::Middle, &format!("{ratio:.2}"));
    }
    canvas.line("must", (LEFT, up.px(bound)), (RIGHT, up.px(bound)));
    canvas.finish(label)
}

/// One horizontal bar for each server, with its name, value and text, on a common scale from zero.
pub(super) fn bars(figures: &[(&str, f64, String)], label: &str) -> String {
    let most = figures
        .iter()
        .map(|(_, value, _)| *value)
        .fold(0.0, f64::max);
    let across = Scale::linear(0.0, most, LEFT, RIGHT - LEFT);
    let height = as_f64(figures.len()) * BAR_PITCH;
    let mut canvas = Canvas::new(WIDTH, height);
    for (index, (name, value, text)) in figures.iter().enumerate() {
        let top = as_f64(index) * BAR_PITCH;
        let (base, end) = (top + BAR * 0.8, across.px(*value));
        canvas.text((LEFT - 8.0, base), Anchor::End, name);
        canvas.bar("bar", (LEFT, top), (end - LEFT, BAR), name);
        canvas.text((end + 6.0, base), Anchor::Start, text);
    }
    canvas.finish(label)
}

fn horizontal(canvas: &mut Canvas, y: f64, label: &str) {
    canvas.line("grid", (LEFT, y), (RIGHT, y));
    canvas.text((LEFT - 8.0, y + 4.0), Anchor::End, label);
}

/// The slowest latency of each pixel column, so that no stall is drawn over and files stay small.
fn slowest_by_slice(points: &[Point], across: Scale) -> Vec<(f64, f64)> {
    let mut columns: Vec<(f64, f64)> = points
        .iter()
        .map(|point| (across.px(point.at_s).round(), point.latency_ms))
        .collect();
    columns.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(b.1.total_cmp(&a.1)));
    columns.dedup_by_key(|(x, _)| *x);
    columns
}

fn latency(ms: f64) -> String {
    match ms {
        ms if ms >= 1000.0 => format!("{} s", short(ms / 1000.0)),
        ms => format!("{} {}", short(ms), Unit::Milliseconds.symbol()),
    }
}

/// Without the digits that floating point adds.
fn short(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A count of things on a page.
fn as_f64(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::from(u32::MAX), f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(at_s: f64, latency_ms: f64) -> Point {
        Point { at_s, latency_ms }
    }

    #[test]
    fn a_slice_shows_its_slowest() {
        let across = Scale::linear(0.0, 1.0, 0.0, 10.0);
        let points = [
            point(0.0, 1.0),
            point(0.01, 300.0),
            point(0.02, 2.0),
            point(1.0, 4.0),
        ];
        assert_eq!(
            slowest_by_slice(&points, across),
            [(0.0, 300.0), (10.0, 4.0)]
        );
    }

    #[test]
    fn nothing_to_draw_is_an_empty_picture() {
        let svg = health(&[], "empty");
        assert!(svg.starts_with("<svg") && !svg.contains("<circle"));
    }

    #[test]
    fn each_pair_has_a_bar() {
        let must = Requirement::AtLeast(Unit::Ratio.of(0.97));
        let svg = pairs(&[0.98, 1.01, 1.0], must, "pairs");
        assert_eq!(svg.matches("<rect").count(), 3);
        assert_eq!(svg.matches(r#"class="must""#).count(), 1);
    }

    #[test]
    fn labels_are_short() {
        assert_eq!(latency(0.1), "0.1 ms");
        assert_eq!(latency(100_000.0), "100 s");
        assert_eq!(short(0.2), "0.2");
    }
}
