//! Blocked polls that may not be moved: relief workers alone must carry them.

use std::time::{Duration, Instant};

use super::CaseError;
use super::health::{HealthBounds, Watched};
use crate::bench::Bench;
use crate::load::{RequestError, Site, get_once, within};
use crate::outcome::{CaseReport, Cell, Unit};
use crate::server::{Capacity, Contender, Endpoint, Kind};

/// The most that a request of a second may take.
const LIMIT: Duration = Duration::from_secs(10);

/// One request after another for `/bad-pinned`, each on a fresh connection.
#[derive(Debug, Clone, Copy)]
pub struct Relief {
    /// What `/health` may take meanwhile.
    pub health: HealthBounds,
}

impl Relief {
    pub(super) async fn run(self, bench: &Bench, report: &mut CaseReport) {
        const WHAT: &str = "each request";
        let contender = bench.siding();
        match self.measure(bench, contender).await {
            Ok((seconds, health)) => {
                let cell = Cell::median_of(seconds, Unit::Seconds);
                report.put(WHAT, None, Kind::Siding, cell);
                health.report(self.health, Kind::Siding, report);
            }
            Err(error) => report.put(WHAT, None, Kind::Siding, error.cell()),
        }
    }

    async fn measure(
        self,
        bench: &Bench,
        contender: &Contender,
    ) -> Result<(Vec<f64>, Watched), CaseError> {
        let server = contender.server(Capacity::AsConfigured).await?;
        let path = Endpoint::BadPinned.one_second();
        let mut health = Watched::default();
        let load = one_at_a_time(bench, &server.site, &path);
        let seconds = health.during(&server.site, load).await?;
        Ok((seconds.map_err(CaseError::request(&path))?, health))
    }
}

async fn one_at_a_time(bench: &Bench, site: &Site, path: &str) -> Result<Vec<f64>, RequestError> {
    let mut seconds = Vec::new();
    for number in 1..=bench.settings.pinned_requests {
        bench
            .progress
            .answered(number - 1, bench.settings.pinned_requests);
        let asked = Instant::now();
        within(LIMIT, get_once(site, path)).await?;
        seconds.push(asked.elapsed().as_secs_f64());
    }
    Ok(seconds)
}
