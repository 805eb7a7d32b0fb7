//! Requests that compute, and whether `/health` and they disturb one another.

use std::num::NonZero;
use std::thread;
use std::time::{Duration, Instant};

use super::CaseError;
use super::health::{HealthBounds, Watched};
use crate::bench::Bench;
use crate::load::{Burst, BurstOutcome, Site, get_once, within};
use crate::outcome::{CaseReport, Cell, Requirement, Unit};
use crate::server::{Capacity, Contender, Endpoint, Kind};
use crate::stats::median;

/// How many requests compute at the same time.
const CONCURRENCY: usize = 8;
/// The most that one request, or all of them, may take.
const LIMIT: Duration = Duration::from_secs(60);
/// Requests that precede the measurement; a computing `async fn` has been moved by then.
const REHEARSALS: usize = 3;
/// A request counts as "about a second" between these.
const ABOUT_A_SECOND: std::ops::RangeInclusive<f64> = 0.9..=1.1;
/// How many requests the search for such a request may take.
const CALIBRATIONS: usize = 16;
/// The terms that the search starts with: a few milliseconds.
const TERMS_AT_FIRST: f64 = 1e6;

/// Eight requests at once that compute for about a second each.
#[derive(Debug, Clone, Copy)]
pub struct Computing {
    /// What they ask for.
    pub endpoint: Endpoint,
    /// What `/health` may take meanwhile.
    pub health: HealthBounds,
    /// The most that computing may take beside the prober, over what it takes without.
    pub slowdown_max: f64,
}

/// What was measured, in seconds.
#[derive(Debug, Default)]
struct Figures {
    alone: Vec<f64>,
    without_probe: Vec<f64>,
    with_probe: Vec<f64>,
    health: Watched,
}

impl Computing {
    pub(super) async fn run(self, bench: &Bench, report: &mut CaseReport) {
        match self.measure(bench, bench.siding()).await {
            Ok(figures) => self.enter(figures, report),
            Err(error) => report.put("one alone", None, Kind::Siding, error.cell()),
        }
    }

    async fn measure(self, bench: &Bench, contender: &Contender) -> Result<Figures, CaseError> {
        let server = contender.server(Capacity::AsConfigured).await?;
        bench
            .progress
            .doing("looking for a request that computes for a second");
        let path = self.calibrate(&server.site).await?;
        let mut figures = Figures::default();
        for _ in 0..REHEARSALS {
            figures.alone.push(seconds_of(&server.site, &path).await?);
        }
        for run in 1..=bench.settings.runs {
            let runs = bench.settings.runs;
            bench
                .progress
                .doing(&format!("run {run} of {runs}, without the prober"));
            let quiet = all_at_once(&server.site, &path).await;
            figures.without_probe.push(completed(&quiet, &path)?);
            bench
                .progress
                .doing(&format!("run {run} of {runs}, with the prober"));
            let load = all_at_once(&server.site, &path);
            let watched = figures.health.during(&server.site, load).await?;
            figures.with_probe.push(completed(&watched, &path)?);
        }
        Ok(figures)
    }

    /// The path of a request that computes for about a second when it is alone.
    async fn calibrate(self, site: &Site) -> Result<String, CaseError> {
        let path_of = |terms: f64| format!("{}?n={terms:.0}", self.endpoint.path());
        let mut terms = TERMS_AT_FIRST;
        for _ in 0..CALIBRATIONS {
            let path = path_of(terms);
            // The faster of two: a request that was moved, or that met a busy machine, misleads.
            let seconds = seconds_of(site, &path)
                .await?
                .min(seconds_of(site, &path).await?);
            if ABOUT_A_SECOND.contains(&seconds) {
                break;
            }
            terms *= (1.0 / seconds).clamp(0.1, 20.0);
        }
        Ok(path_of(terms))
    }

    fn enter(self, figures: Figures, report: &mut CaseReport) {
        let siding = Kind::Siding;
        let seconds = |samples: &[f64]| Cell::median_of(samples.to_vec(), Unit::Seconds);
        let slowdown = ratio(&figures.with_probe, median(&figures.without_probe));
        let ideal = median(&figures.alone).map(|alone| alone * rounds());
        report.put("one alone", None, siding, seconds(&figures.alone));
        report.put(
            "8 at once, nothing else",
            None,
            siding,
            seconds(&figures.without_probe),
        );
        report.put(
            "8 at once, /health probed",
            None,
            siding,
            seconds(&figures.with_probe),
        );
        let must = Requirement::AtMost(Unit::Ratio.of(self.slowdown_max));
        report.put(
            "8 at once, probed over unprobed",
            Some(must),
            siding,
            slowdown,
        );
        let over_ideal = ratio(&figures.with_probe, ideal);
        report.put(
            "8 at once, probed over one alone × 8 ÷ cores",
            None,
            siding,
            over_ideal,
        );
        figures.health.report(self.health, siding, report);
    }
}

async fn seconds_of(site: &Site, path: &str) -> Result<f64, CaseError> {
    let asked = Instant::now();
    within(LIMIT, get_once(site, path))
        .await
        .map_err(CaseError::request(path))?;
    Ok(asked.elapsed().as_secs_f64())
}

async fn all_at_once(site: &Site, path: &str) -> BurstOutcome {
    let burst = Burst {
        site,
        path,
        concurrency: CONCURRENCY,
        limit: LIMIT,
    };
    burst.on_fresh_connections(|_| ()).await
}

/// The seconds that a burst took, if all of it was answered.
fn completed(outcome: &BurstOutcome, path: &str) -> Result<f64, CaseError> {
    if outcome.answered == CONCURRENCY {
        return Ok(outcome.wall.as_secs_f64());
    }
    let failures = match outcome.unanswered {
        0 => outcome.failures.to_string(),
        late => format!("{late} × no answer within {LIMIT:?}"),
    };
    Err(CaseError::Incomplete {
        path: path.to_owned(),
        answered: outcome.answered,
        asked: CONCURRENCY,
        failures,
    })
}

/// How often each core gets one of the requests.
fn rounds() -> f64 {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    u32::try_from(CONCURRENCY).map_or(1.0, f64::from) / u32::try_from(cores).map_or(1.0, f64::from)
}

fn ratio(samples: &[f64], over: Option<f64>) -> Cell {
    let over = over.unwrap_or(f64::NAN);
    Cell::median_of(
        samples.iter().map(|sample| sample / over).collect(),
        Unit::Ratio,
    )
}
