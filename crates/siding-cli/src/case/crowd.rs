//! Many requests at the same time, each of which takes a second.

use std::time::Duration;

use super::CaseError;
use super::health::{HealthBounds, Watched};
use crate::bench::Bench;
use crate::load::{Burst, BurstOutcome, Site, ensure_descriptors, open_connections};
use crate::outcome::{CaseReport, Cell, Quantity, Requirement, Unit};
use crate::server::{Capacity, Contender, Endpoint, Kind, Server};

/// How long Siding's answers may take before they count as missing.
const LIMIT: Duration = Duration::from_secs(60);
/// A crowd of more than this needs more threads than a server has unless told.
const THREADS_AS_CONFIGURED: usize = 1000;
/// The largest crowds that are worth waiting for on a peer: one that serves the requests one after
/// another, and one that serves them on its 40 threads.
const ONE_BY_ONE_MAX: usize = 100;
const FORTY_BY_FORTY_MAX: usize = 1000;

/// `concurrency` requests for an endpoint that takes a second.
#[derive(Debug, Clone, Copy)]
pub struct Crowd {
    /// What they ask for.
    pub endpoint: Endpoint,
    /// How many there are.
    pub concurrency: usize,
    /// How they connect.
    pub connections: Connections,
    /// The crowds that one fresh server meets, in order.
    pub rounds: &'static [Round],
    /// What `/health` may take meanwhile.
    pub health: HealthBounds,
}

/// How the requests of a crowd connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connections {
    /// Each on a connection of its own, opened while the clock runs.
    Fresh,
    /// On connections that are open and proved before the clock starts.
    OpenedBefore,
}

/// One crowd in a row of crowds.
#[derive(Debug, Clone, Copy)]
pub struct Round {
    /// What its figure is called.
    pub what: &'static str,
    /// The most that it may take in all, in seconds.
    pub most_s: f64,
    /// Whether the server must not have seen the endpoint before.
    pub needs_fresh_server: bool,
}

/// What one server did.
#[derive(Debug)]
struct Figures {
    /// Of each round, the repetitions.
    outcomes: Vec<Vec<BurstOutcome>>,
    health: Watched,
}

impl Crowd {
    pub(super) async fn run(self, bench: &Bench, report: &mut CaseReport) {
        for contender in bench.contenders() {
            let kind = contender.kind();
            if !kind.offers(self.endpoint) {
                continue;
            }
            if let Some(reason) = self.reason_to_skip(kind) {
                self.put(report, kind, 0, Cell::Skipped(reason));
                continue;
            }
            match self.measure(bench, contender).await {
                Ok(figures) => self.enter(figures, bench, kind, report),
                Err(error) => self.put(report, kind, 0, error.cell()),
            }
        }
    }

    fn reason_to_skip(&self, kind: Kind) -> Option<String> {
        let most = self.largest(kind);
        if self.concurrency > most {
            return Some(format!(
                "{kind} is measured with up to {most} of these at once"
            ));
        }
        ensure_descriptors(self.concurrency)
            .err()
            .map(|error| error.to_string())
    }

    /// The largest crowd that is worth waiting for.
    fn largest(&self, kind: Kind) -> usize {
        match (kind, self.endpoint) {
            (Kind::Axum | Kind::FastApi | Kind::Celery, Endpoint::Bad) => ONE_BY_ONE_MAX,
            (Kind::Axum | Kind::FastApi | Kind::Celery, Endpoint::Sync) => FORTY_BY_FORTY_MAX,
            _ => usize::MAX,
        }
    }

    /// Whether each request stops the whole server for its second.
    fn blocks(&self, kind: Kind) -> bool {
        kind != Kind::Siding && self.endpoint == Endpoint::Bad
    }

    async fn measure(&self, bench: &Bench, contender: &Contender) -> Result<Figures, CaseError> {
        let kind = contender.kind();
        let (runs, rounds) = match self.blocks(kind) {
            true => (1, &self.rounds[..1]),
            false => (bench.settings.runs, self.rounds),
        };
        let mut figures = Figures {
            outcomes: vec![Vec::new(); rounds.len()],
            health: Watched::default(),
        };
        for run in 1..=runs {
            let server = contender.server(self.capacity()).await?;
            for (index, round) in rounds.iter().enumerate() {
                if round.needs_fresh_server && !server.is_fresh() {
                    continue;
                }
                bench
                    .progress
                    .doing(&format!("{kind}, run {run} of {runs}: {}", round.what));
                let outcome = self
                    .crowd(bench, &server, kind, &mut figures.health)
                    .await?;
                figures.outcomes[index].push(outcome);
            }
        }
        Ok(figures)
    }

    fn capacity(&self) -> Capacity {
        match u32::try_from(self.concurrency) {
            Ok(threads) if self.concurrency > THREADS_AS_CONFIGURED => Capacity::Threads(threads),
            _ => Capacity::AsConfigured,
        }
    }

    async fn crowd(
        &self,
        bench: &Bench,
        server: &Server,
        kind: Kind,
        health: &mut Watched,
    ) -> Result<BurstOutcome, CaseError> {
        let path = self.endpoint.one_second();
        let burst = Burst {
            site: &server.site,
            path: &path,
            concurrency: self.concurrency,
            limit: limit(bench, kind),
        };
        let counted = |answered| bench.progress.answered(answered, self.concurrency);
        match self.connections {
            Connections::Fresh => {
                let load = burst.on_fresh_connections(counted);
                health.during(&server.site, load).await
            }
            Connections::OpenedBefore => {
                let connections = self.open(&server.site).await?;
                let load = burst.on_open_connections(connections, counted);
                health.during(&server.site, load).await
            }
        }
    }

    async fn open(&self, site: &Site) -> Result<Vec<crate::load::Connection>, CaseError> {
        open_connections(site, self.concurrency)
            .await
            .map_err(CaseError::request("/health"))
    }

    fn enter(self, figures: Figures, bench: &Bench, kind: Kind, report: &mut CaseReport) {
        for (index, outcomes) in figures.outcomes.iter().enumerate() {
            let cell = total(outcomes, limit(bench, kind));
            self.put(report, kind, index, cell);
        }
        figures.health.report(self.health, kind, report);
    }

    fn put(&self, report: &mut CaseReport, kind: Kind, round: usize, cell: Cell) {
        let Round { what, most_s, .. } = self.rounds[round];
        let must = Requirement::AtMost(Unit::Seconds.of(most_s));
        report.put(what, Some(must), kind, cell);
    }
}

fn limit(bench: &Bench, kind: Kind) -> Duration {
    match kind {
        Kind::Siding => LIMIT,
        Kind::Axum | Kind::FastApi | Kind::Celery => bench.settings.peer_limit,
    }
}

/// The median time of all repetitions, unless one of them was not answered in full.
fn total(outcomes: &[BurstOutcome], limit: Duration) -> Cell {
    if outcomes.is_empty() {
        return Cell::Skipped("the server was already running: no first requests".to_owned());
    }
    if let Some(outcome) = outcomes.iter().find(|outcome| !outcome.failures.is_empty()) {
        return Cell::Failed(outcome.failures.to_string());
    }
    if let Some(outcome) = outcomes.iter().find(|outcome| outcome.unanswered > 0) {
        let all = outcome.answered + outcome.unanswered;
        return Cell::Beyond {
            limit: Quantity::seconds(limit),
            reason: format!(
                "{} of {all} requests were answered by then",
                outcome.answered
            ),
        };
    }
    let samples = outcomes.iter().map(|outcome| outcome.wall.as_secs_f64());
    Cell::median_of(samples.collect(), Unit::Seconds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::Failures;

    fn took(seconds: u64) -> BurstOutcome {
        BurstOutcome {
            wall: Duration::from_secs(seconds),
            answered: 100,
            ..BurstOutcome::default()
        }
    }

    #[test]
    fn the_total_is_the_median_of_the_repetitions() {
        let cell = total(&[took(3), took(1), took(2)], LIMIT);
        assert_eq!(cell.figure(), Some(Unit::Seconds.of(2.0)));
    }

    #[test]
    fn one_failed_request_fails_the_case() {
        let mut failures = Failures::default();
        failures.add_message("reset".to_owned());
        let failed = BurstOutcome {
            failures,
            ..took(1)
        };
        assert_eq!(
            total(&[took(1), failed], LIMIT),
            Cell::Failed("1 × reset".to_owned())
        );
    }

    #[test]
    fn the_limit_says_how_far_it_came() {
        let cut = BurstOutcome {
            unanswered: 60,
            answered: 40,
            ..took(60)
        };
        let cell = total(&[cut], LIMIT);
        assert_eq!(cell.to_string(), "> 60.0 s");
        assert_eq!(
            cell.reason(),
            Some("40 of 100 requests were answered by then")
        );
    }
}
