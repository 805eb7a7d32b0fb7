//! What an open dashboard costs the application that it shows: the throughput with it over that without it, in alternating runs.
//!
//! The application has a thousand routes ([`many_routes`]). All of them have answered requests, and a share of them goes on doing so
//! in both runs, so that the dashboard has something to tell each second.

mod open;

use std::time::Duration;

use super::CaseError;
use super::pairing::CONNECTIONS;
use crate::bench::Bench;
use crate::load::{KeepAlive, RequestError, Site, Steady, within};
use crate::many_routes;
use crate::outcome::{CaseReport, Cell, Plot, Requirement, Unit};
use crate::server::{Capacity, Kind, Server};

use open::Dashboard as Page;

const PATH: &str = "/hello";
/// Of the thousand routes, so many answer a request each second, ever other ones.
const CHANGING_PER_SECOND: u32 = 100;
/// A request to each route takes a fraction of a second.
const ROUND: Duration = Duration::from_secs(30);

/// `/hello` with the dashboard open, over `/hello` with it closed.
#[derive(Debug, Clone, Copy)]
pub struct Dashboard {
    /// The least that the median ratio may be.
    pub at_least: f64,
}

/// Requests per second of each run.
#[derive(Debug, Default)]
struct Rates {
    open: Vec<f64>,
    closed: Vec<f64>,
}

impl Dashboard {
    pub(super) async fn run(self, bench: &Bench, report: &mut CaseReport) {
        let must = Requirement::AtLeast(Unit::Ratio.of(self.at_least));
        let what = format!("{PATH} with the dashboard open over closed");
        let rates = match measure(bench).await {
            Ok(measured) => measured,
            Err(error) => return report.put(&what, Some(must), Kind::Siding, error.cell()),
        };
        let pairs = rates.open.iter().zip(&rates.closed);
        let ratios: Vec<f64> = pairs.map(|(open, closed)| open / closed).collect();
        let ratio = Cell::median_of(ratios.clone(), Unit::Ratio);
        report.put(&what, Some(must), Kind::Siding, ratio);
        for (which, rates) in [("open", rates.open), ("closed", rates.closed)] {
            let what = format!("{PATH} requests, dashboard {which}");
            let cell = Cell::median_of(rates, Unit::PerSecond);
            report.put(&what, None, Kind::Siding, cell);
        }
        report.notes.push(format!(
            "{} routes, of which {CHANGING_PER_SECOND} change each second",
            many_routes::ROUTES
        ));
        report.plots.push(Plot::Pairs {
            title: what,
            ratios,
            must,
        });
    }
}

async fn measure(bench: &Bench) -> Result<Rates, CaseError> {
    let server = bench.many_routes().server(Capacity::AsConfigured).await?;
    let paths: Vec<_> = (0..many_routes::ROUTES).map(many_routes::path).collect();
    let all = ask_each(&server.site, &paths);
    within(ROUND, all)
        .await
        .map_err(CaseError::request("/routes"))?;
    let admin = server.admin.clone().ok_or(CaseError::Elsewhere)?;
    let changing = change(&server.site, &paths);
    tokio::select! {
        rates = alternate(bench, &server, &admin) => rates,
        error = changing => Err(CaseError::request("/routes")(error)),
    }
}

/// Runs with the dashboard open and closed in turn, the one first that was second before.
async fn alternate(bench: &Bench, server: &Server, admin: &Site) -> Result<Rates, CaseError> {
    let mut rates = Rates::default();
    requests(bench, server).await?;
    for pair in 0..bench.settings.pairs {
        let doing = format!("pair {} of {}", pair + 1, bench.settings.pairs);
        bench.progress.doing(&doing);
        for open in [pair % 2 == 0, pair % 2 != 0] {
            if open {
                rates.open.push(with_dashboard(bench, server, admin).await?);
            } else {
                rates.closed.push(requests(bench, server).await?);
            }
        }
    }
    Ok(rates)
}

async fn with_dashboard(bench: &Bench, server: &Server, admin: &Site) -> Result<f64, CaseError> {
    let page = Page::open(admin).await;
    let mut page = page.map_err(CaseError::request("/api/live"))?;
    tokio::select! {
        rate = requests(bench, server) => rate,
        error = page.follow() => Err(CaseError::request("/api/live")(error)),
    }
}

async fn requests(bench: &Bench, server: &Server) -> Result<f64, CaseError> {
    let load = Steady {
        site: &server.site,
        requests: &[server.site.request_bytes(PATH)],
        connections: CONNECTIONS,
        pause: Duration::ZERO,
        span: bench.settings.pair_span,
    };
    let outcome = load.run().await.map_err(CaseError::request(PATH))?;
    Ok(outcome.per_second())
}

/// One request to each of `paths`.
async fn ask_each(site: &Site, paths: &[String]) -> Result<(), RequestError> {
    let mut connection = on_each(site, paths).await?;
    for _ in paths {
        connection.exchange().await?;
    }
    Ok(())
}

/// Requests to `paths` in turn, [`CHANGING_PER_SECOND`], until one fails.
async fn change(site: &Site, paths: &[String]) -> RequestError {
    let changing = async {
        let mut connection = on_each(site, paths).await?;
        let mut due = tokio::time::interval(Duration::from_secs(1) / CHANGING_PER_SECOND);
        loop {
            due.tick().await;
            connection.exchange().await?;
        }
    };
    let ended: Result<std::convert::Infallible, _> = changing.await;
    match ended {
        Ok(never) => match never {},
        Err(error) => error,
    }
}

async fn on_each(site: &Site, paths: &[String]) -> Result<KeepAlive, RequestError> {
    let requests = paths.iter().map(|path| site.request_bytes(path)).collect();
    KeepAlive::open(site, requests, 0).await
}
