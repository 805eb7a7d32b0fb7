//! `/health`, watched while something else goes on.

use std::time::{Duration, Instant};

use super::CaseError;
use crate::load::Site;
use crate::outcome::{CaseReport, Cell, Plot, Point, Quantity, Requirement, Unit};
use crate::probe::{ProbeLog, Prober};
use crate::server::Kind;

/// Between two probes.
const EVERY: Duration = Duration::from_millis(10);
/// How long the prober runs before the load, so that its own first steps are not measured.
const SETTLE: Duration = Duration::from_millis(250);
/// How long it waits for its last answers after the load.
const PATIENCE: Duration = Duration::from_secs(10);

/// What `/health` may take, in milliseconds; a `None` is only shown.
#[derive(Debug, Clone, Copy, Default)]
pub struct HealthBounds {
    /// The median.
    pub p50_ms: Option<f64>,
    /// The 99th percentile.
    pub p99_ms: Option<f64>,
    /// The slowest of all.
    pub max_ms: Option<f64>,
}

/// What the prober saw, over all repetitions.
#[derive(Debug, Default)]
pub(super) struct Watched {
    log: ProbeLog,
    points: Vec<Point>,
}

impl Watched {
    /// Runs `load` with a prober beside it, and keeps the probes that were due meanwhile.
    pub(super) async fn during<T>(
        &mut self,
        site: &Site,
        load: impl Future<Output = T>,
    ) -> Result<T, CaseError> {
        let prober = Prober::start(site.clone(), "/health", EVERY)?;
        tokio::time::sleep(SETTLE).await;
        let began = Instant::now();
        let done = load.await;
        let ended = Instant::now();
        let log = prober.finish(PATIENCE).await?.between(began, ended);
        self.points.extend(log.probes.iter().map(|probe| Point {
            at_s: probe.due.duration_since(began).as_secs_f64(),
            latency_ms: Quantity::milliseconds(probe.latency).value,
        }));
        self.log.merge(log);
        Ok(done)
    }

    /// Enters percentiles, plot and a note on the prober's own delay.
    pub(super) fn report(self, bounds: HealthBounds, server: Kind, report: &mut CaseReport) {
        let latencies = self.log.latencies();
        let figures = [
            ("/health p50", latencies.percentile(50), bounds.p50_ms),
            ("/health p99", latencies.percentile(99), bounds.p99_ms),
            ("/health max", latencies.max(), bounds.max_ms),
        ];
        for (what, latency, bound_ms) in figures {
            let must = bound_ms.map(|ms| Requirement::AtMost(Unit::Milliseconds.of(ms)));
            report.put(what, must, server, self.cell(latency));
        }
        if self.points.is_empty() {
            return;
        }
        report.note_lateness(server, &self.log);
        report.plots.push(Plot::Health {
            server,
            points: self.points,
        });
    }

    fn cell(&self, latency: Option<Duration>) -> Cell {
        if !self.log.failures.is_empty() {
            return Cell::Failed(format!("/health: {}", self.log.failures));
        }
        match latency.map(Quantity::milliseconds) {
            // Those had waited so long when they were given up: what is known is a lower bound.
            Some(limit) if self.log.unanswered > 0 => Cell::Beyond {
                limit,
                reason: format!("/health: {} probes had no answer", self.log.unanswered),
            },
            Some(latency) => Cell::of(latency),
            None => Cell::Skipped("the load ended before a probe was due".to_owned()),
        }
    }
}
