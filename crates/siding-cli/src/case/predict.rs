//! `/health` while the service behind `/predict` is saturated, and then killed.
//!
//! The service is a stand-in that takes connections and answers nothing, which is what a saturated one looks like from outside, and after
//! half of the time is gone with all of them.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::CaseError;
use super::health::{HealthBounds, Watched};
use crate::bench::Bench;
use crate::load::Site;
use crate::outcome::{CaseReport, Cell, Requirement, Unit};
use crate::server::{Capacity, Contender, Kind};

/// How long the service is saturated, and then how long it is gone.
const EACH: Duration = Duration::from_secs(4);
/// Between a caller's answer and its next question: the load is to wait for the service, and not to fill the machine.
const PAUSE: Duration = Duration::from_millis(50);
/// What `/predict` may take (`INFERENCE_TIMEOUT`), in seconds.
const DEADLINE_S: f64 = 1.0;
/// A little more than the deadline, for the way there and back.
const ANSWER_S_MAX: f64 = 1.25;
/// A file that the model has to be asked about.
const FILE: &str = "import sys\n\nprint(sys.argv)\n";

/// Callers of `/predict`, whose service is of no use.
#[derive(Debug, Clone, Copy)]
pub struct Predict {
    /// How many.
    pub callers: usize,
    /// What `/health` may take meanwhile.
    pub health: HealthBounds,
}

impl Predict {
    pub(super) async fn run(self, bench: &Bench, report: &mut CaseReport) {
        const WHAT: &str = "slowest /predict";
        let must = Some(Requirement::AtMost(Unit::Seconds.of(ANSWER_S_MAX)));
        match self.measure(bench).await {
            Ok((slowest, health)) => {
                let cell = Cell::of(Unit::Seconds.of(slowest.as_secs_f64()));
                report.put(WHAT, must, Kind::Siding, cell);
                health.report(self.health, Kind::Siding, report);
            }
            Err(error) => report.put(WHAT, must, Kind::Siding, error.cell()),
        }
    }

    async fn measure(self, bench: &Bench) -> Result<(Duration, Watched), CaseError> {
        let Contender::Launched { launch, .. } = bench.siding() else {
            return Err(CaseError::OwnInference);
        };
        let service = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let service = service.map_err(CaseError::Load)?;
        let address = service.local_addr().map_err(CaseError::Load)?;
        let launch = launch
            .clone()
            .with_environment("INFERENCE_URL", format!("http://{address}"))
            .with_environment("INFERENCE_TIMEOUT", DEADLINE_S.to_string());
        let server = launch.start(Capacity::AsConfigured).await?;
        let mut health = Watched::default();
        let load = self.ask(&server.site, service);
        let slowest = health.during(&server.site, load).await?;
        Ok((slowest.map_err(CaseError::Load)?, health))
    }

    /// Asks all the time, and returns what the slowest answer took.
    async fn ask(self, site: &Site, service: TcpListener) -> io::Result<Duration> {
        let end = Instant::now() + 2 * EACH;
        // It ends with all that it holds.
        let saturated = tokio::time::timeout(EACH, take_and_keep(service));
        let mut callers = JoinSet::new();
        for _ in 0..self.callers {
            callers.spawn(ask_until(end, site.address()));
        }
        // That the time is over is what it waits for.
        let _ = saturated.await;
        let mut slowest = Duration::ZERO;
        while let Some(asked) = callers.join_next().await {
            slowest = slowest.max(asked.map_err(io::Error::other)??);
        }
        Ok(slowest)
    }
}

/// Takes connections, and answers nothing.
async fn take_and_keep(service: TcpListener) -> io::Result<()> {
    let mut kept = Vec::new();
    loop {
        kept.push(service.accept().await?);
    }
}

async fn ask_until(end: Instant, server: SocketAddr) -> io::Result<Duration> {
    let mut slowest = Duration::ZERO;
    while Instant::now() < end {
        let began = Instant::now();
        let answer = ask_once(server).await?;
        slowest = slowest.max(began.elapsed());
        // Refused, or given up: there is no other answer.
        if !answer.starts_with("HTTP/1.1 50") {
            let line = answer.lines().next().unwrap_or_default();
            return Err(io::Error::other(format!("/predict was answered: {line}")));
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(slowest)
}

async fn ask_once(server: SocketAddr) -> io::Result<String> {
    let length = FILE.len();
    let request = format!(
        "POST /predict HTTP/1.1\r\nhost: bench\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{FILE}"
    );
    let mut stream = TcpStream::connect(server).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}
