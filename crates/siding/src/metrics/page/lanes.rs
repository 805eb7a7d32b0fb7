//! The lanes, the guard and background work.

use std::fmt;

use siding_runtime::{LaneSnapshot, RouteId};

use super::Page;
use super::writer::{Labels, Writer, label, number, seconds};
use crate::metrics::catalogue as names;

impl Page {
    pub(super) fn lanes(&self, out: &mut Writer<'_>) -> fmt::Result {
        let lanes = self.sources.handle.lanes();
        let each =
            |value: fn(&LaneSnapshot) -> u64| lanes.each_ref().map(|lane| (of(lane), value(lane)));
        out.gauges(names::LANE_THREADS, each(|lane| number(lane.threads)))?;
        out.gauges(
            names::LANE_THREADS_MAX,
            each(|lane| number(lane.threads_max)),
        )?;
        out.gauges(names::LANE_RUNNING, each(|lane| number(lane.running)))?;
        out.gauges(names::LANE_WAITING, each(|lane| number(lane.waiting)))?;
        out.gauges(
            names::LANE_WAITING_MAX,
            each(|lane| number(lane.waiting_max)),
        )?;
        out.gauges(names::LANE_OVERLOADED, each(|lane| lane.overloaded.into()))?;
        out.counters(names::LANE_ADMITTED, each(|lane| lane.admitted))?;
        out.counters(names::LANE_COMPLETED, each(|lane| lane.completed))?;
        out.counters(names::LANE_PANICKED, each(|lane| lane.panicked))?;
        let by_reason = |reasons: fn(&LaneSnapshot) -> [(&'static str, u64); 2]| {
            let series = lanes.iter().flat_map(move |lane| {
                reasons(lane).map(|(reason, count)| {
                    let labels = [of(lane), vec![label("reason", reason)]].concat();
                    (labels, count)
                })
            });
            series.collect::<Vec<_>>()
        };
        out.counters(
            names::LANE_REFUSED,
            by_reason(|lane| {
                let overloaded = lane.refused - lane.refused_full;
                [("full", lane.refused_full), ("overloaded", overloaded)]
            }),
        )?;
        out.counters(
            names::LANE_DROPPED,
            by_reason(|lane| {
                [
                    ("deadline_passed", lane.deadline_passed),
                    ("client_gone", lane.client_gone),
                ]
            }),
        )?;
        out.counters(
            names::LANE_LOST,
            by_reason(|lane| [("killed", lane.killed), ("crashed", lane.crashed)]),
        )?;
        out.histograms(names::LANE_WAIT, lanes.map(|lane| (of(&lane), lane.waits)))?;
        out.histograms(names::LANE_RUN, lanes.map(|lane| (of(&lane), lane.runs)))
    }

    pub(super) fn guard(&self, out: &mut Writer<'_>) -> fmt::Result {
        let (handle, totals) = (&self.sources.handle, self.metrics.0.guard.totals());
        let stalls = |of: &(RouteId, &'static str)| {
            vec![label("route", self.route(of.0)), label("verdict", of.1)]
        };
        let counts = totals
            .stalls
            .iter()
            .map(|(of, (count, _))| (stalls(of), *count));
        out.counters(names::STALLS, counts)?;
        let times = totals
            .stalls
            .iter()
            .map(|(of, (_, time))| (stalls(of), seconds(*time)));
        out.counters(names::STALL_SECONDS, times)?;
        out.gauge(names::STALLING, totals.stalling)?;
        out.gauge(names::RELIEF_ACTIVE, number(totals.relief_active))?;
        out.gauge(names::RELIEF_MAX, number(handle.config().relief_threads))?;
        out.counter(names::RELIEF_EXHAUSTED, totals.relief_exhausted)?;
        out.counter(names::PAUSED, seconds(totals.paused))?;
        let moves = totals
            .moves
            .iter()
            .map(|((route, from, to, reason), count)| {
                let labels = vec![
                    label("route", self.route(*route)),
                    label("from", *from),
                    label("to", *to),
                    label("reason", *reason),
                ];
                (labels, *count)
            });
        out.counters(names::MOVES, moves)?;
        let routes = handle.routes().all();
        let convicted = routes.iter().filter_map(|route| {
            let convictions = route.convictions();
            let labels = vec![label("route", route.spec().name.as_str())];
            (convictions > 0).then_some((labels, u64::from(convictions)))
        });
        out.counters(names::CONVICTIONS, convicted)?;
        let background = handle.background();
        out.gauge(names::BACKGROUND_PENDING, number(background.pending()))?;
        out.gauge(
            names::BACKGROUND_MAX,
            number(handle.config().background_max),
        )
    }

    fn route(&self, id: RouteId) -> String {
        let route = self.sources.handle.routes().get(id);
        route.map_or_else(|| id.get().to_string(), |route| route.spec().name.clone())
    }
}

fn of(lane: &LaneSnapshot) -> Labels {
    vec![label("lane", lane.lane.as_str())]
}
