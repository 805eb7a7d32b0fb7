//! The throughput of one handler over that of another, in alternating runs.
//!
//! A machine's speed drifts by more than the difference between two servers. Short runs that
//! alternate see the same drift on both sides, and the median of their ratios forgets the rest.

use std::time::Duration;

use super::CaseError;
use crate::bench::Bench;
use crate::load::{Site, Steady};
use crate::outcome::{CaseReport, Cell, Plot, Requirement, Unit};
use crate::server::{Capacity, Contender, Endpoint, Kind, Server, cpu_time};

/// Connections with one request each under way.
pub(super) const CONNECTIONS: usize = 64;
/// A peer's own ratio is only shown, and needs no more pairs than this.
const PEER_PAIRS_MAX: usize = 3;

/// Requests per second of an endpoint, over those of a rival.
#[derive(Debug, Clone, Copy)]
pub struct Pairing {
    /// The endpoint.
    pub endpoint: Endpoint,
    /// What it is compared with.
    pub rival: Rival,
    /// The least that the median ratio may be.
    pub at_least: f64,
}

/// What an endpoint is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rival {
    /// The same endpoint on plain `axum::serve`.
    PlainAxum,
    /// Another endpoint of the same server.
    Endpoint(Endpoint),
}

/// One side of a pair.
#[derive(Debug, Clone, Copy)]
struct Side<'a> {
    server: &'a Server,
    endpoint: Endpoint,
}

/// Requests per second of each run, and microseconds of the server's CPU time for each request.
#[derive(Debug, Default)]
struct Rates {
    per_second: Vec<f64>,
    cpu_us: Vec<f64>,
}

impl Pairing {
    pub(super) async fn run(self, bench: &Bench, report: &mut CaseReport) {
        match self.rival {
            Rival::PlainAxum if cfg!(debug_assertions) => {
                let reason = "this is a debug build, and so would be the peer (use --release)";
                self.put_ratio(report, Kind::Siding, Cell::Skipped(reason.to_owned()));
            }
            Rival::PlainAxum => {
                if let Err(error) = self.against_axum(bench, report).await {
                    self.put_ratio(report, Kind::Siding, error.cell());
                }
                self.show_other_peers(bench, report).await;
            }
            Rival::Endpoint(rival) => {
                for contender in bench.contenders() {
                    if !(contender.kind().offers(rival) && contender.kind().offers(self.endpoint)) {
                        continue;
                    }
                    if let Err(error) = self.within(rival, contender, bench, report).await {
                        self.put_ratio(report, contender.kind(), error.cell());
                    }
                }
            }
        }
    }

    async fn against_axum(&self, bench: &Bench, report: &mut CaseReport) -> Result<(), CaseError> {
        let siding = bench.siding().server(Capacity::AsConfigured).await?;
        let axum = bench.plain_axum().server(Capacity::AsConfigured).await?;
        let ours = Side {
            server: &siding,
            endpoint: self.endpoint,
        };
        let theirs = Side {
            server: &axum,
            endpoint: self.endpoint,
        };
        let (ours, theirs) = alternate(bench, ours, theirs, bench.settings.pairs).await?;
        self.enter(Kind::Siding, &ours, &theirs, report);
        self.show(Kind::Siding, ours, report);
        self.show(Kind::Axum, theirs, report);
        Ok(())
    }

    async fn within(
        &self,
        rival: Endpoint,
        contender: &Contender,
        bench: &Bench,
        report: &mut CaseReport,
    ) -> Result<(), CaseError> {
        let pairs = match contender.kind() {
            Kind::Siding => bench.settings.pairs,
            Kind::Axum | Kind::FastApi | Kind::Celery => bench.settings.pairs.min(PEER_PAIRS_MAX),
        };
        let server = contender.server(Capacity::AsConfigured).await?;
        let side = |endpoint| Side {
            server: &server,
            endpoint,
        };
        let (ours, theirs) = alternate(bench, side(self.endpoint), side(rival), pairs).await?;
        self.enter(contender.kind(), &ours, &theirs, report);
        self.show(contender.kind(), ours, report);
        Ok(())
    }

    async fn show_other_peers(&self, bench: &Bench, report: &mut CaseReport) {
        for contender in bench.contenders() {
            if contender.kind() == Kind::FastApi {
                match self.alone(bench, contender).await {
                    Ok(rates) => self.show(contender.kind(), rates, report),
                    Err(error) => self.put_rate(report, contender.kind(), error.cell()),
                }
            }
        }
    }

    async fn alone(&self, bench: &Bench, contender: &Contender) -> Result<Rates, CaseError> {
        let server = contender.server(Capacity::AsConfigured).await?;
        let side = Side {
            server: &server,
            endpoint: self.endpoint,
        };
        let mut rates = Rates::default();
        side.warm_up(bench).await?;
        for _ in 0..PEER_PAIRS_MAX {
            side.run(bench, &mut rates).await?;
        }
        Ok(rates)
    }

    fn enter(&self, kind: Kind, ours: &Rates, theirs: &Rates, report: &mut CaseReport) {
        let pairs = ours.per_second.iter().zip(&theirs.per_second);
        let ratios: Vec<f64> = pairs.map(|(ours, theirs)| ours / theirs).collect();
        self.put_ratio(report, kind, Cell::median_of(ratios.clone(), Unit::Ratio));
        report.plots.push(Plot::Pairs {
            title: format!("{kind}, {}", self.what()),
            ratios,
            must: self.must(),
        });
    }

    /// Shows the rates themselves, which depend on the machine more than the ratio does.
    fn show(&self, kind: Kind, rates: Rates, report: &mut CaseReport) {
        self.put_rate(
            report,
            kind,
            Cell::median_of(rates.per_second, Unit::PerSecond),
        );
        if !rates.cpu_us.is_empty() {
            let what = format!("{}, the server's CPU time each", self.endpoint.path());
            report.put(
                &what,
                None,
                kind,
                Cell::median_of(rates.cpu_us, Unit::Microseconds),
            );
        }
    }

    fn put_rate(&self, report: &mut CaseReport, kind: Kind, cell: Cell) {
        report.put(
            &format!("{} requests", self.endpoint.path()),
            None,
            kind,
            cell,
        );
    }

    fn put_ratio(&self, report: &mut CaseReport, kind: Kind, cell: Cell) {
        report.put(&self.what(), Some(self.must()), kind, cell);
    }

    fn must(&self) -> Requirement {
        Requirement::AtLeast(Unit::Ratio.of(self.at_least))
    }

    fn what(&self) -> String {
        match self.rival {
            Rival::PlainAxum => format!("{} over plain axum", self.endpoint.path()),
            Rival::Endpoint(rival) => format!("{} over {}", self.endpoint.path(), rival.path()),
        }
    }
}

/// Runs both sides in turn, the one first that was second before.
async fn alternate(
    bench: &Bench,
    ours: Side<'_>,
    theirs: Side<'_>,
    pairs: usize,
) -> Result<(Rates, Rates), CaseError> {
    let (mut our_rates, mut their_rates) = (Rates::default(), Rates::default());
    ours.warm_up(bench).await?;
    theirs.warm_up(bench).await?;
    for pair in 0..pairs {
        bench
            .progress
            .doing(&format!("pair {} of {pairs}", pair + 1));
        if pair % 2 == 0 {
            ours.run(bench, &mut our_rates).await?;
            theirs.run(bench, &mut their_rates).await?;
        } else {
            theirs.run(bench, &mut their_rates).await?;
            ours.run(bench, &mut our_rates).await?;
        }
    }
    Ok((our_rates, their_rates))
}

impl Side<'_> {
    async fn warm_up(&self, bench: &Bench) -> Result<(), CaseError> {
        self.run(bench, &mut Rates::default()).await
    }

    async fn run(&self, bench: &Bench, rates: &mut Rates) -> Result<(), CaseError> {
        let path = self.endpoint.path();
        let site: &Site = &self.server.site;
        let load = Steady {
            site,
            requests: &[site.request_bytes(path)],
            connections: CONNECTIONS,
            pause: Duration::ZERO,
            span: bench.settings.pair_span,
        };
        let before = self.cpu_us();
        let outcome = load.run().await.map_err(CaseError::request(path))?;
        rates.per_second.push(outcome.per_second());
        if let (Some(before), Some(after)) = (before, self.cpu_us()) {
            let answered = outcome.per_second() * outcome.wall.as_secs_f64();
            rates.cpu_us.push((after - before).max(0.0) / answered);
        }
        Ok(())
    }

    /// The server's CPU time so far, where it can be read.
    fn cpu_us(&self) -> Option<f64> {
        let spent = cpu_time(self.server.pid()?).ok()?;
        Some(spent.as_secs_f64() * 1e6)
    }
}
