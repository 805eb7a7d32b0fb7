//! `/health` while the service behind `/predict` is saturated, and then killed.
//!
//! It is the demo's own, which is asked for more than it can do on the same machine and is killed after half of the time, or a stand-in
//! that takes connections and answers nothing, and after half of the time is gone with all of them.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
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
/// Between a caller's answer and its next question, where the load is to wait for the service, and not to fill the machine.
const PAUSE: Duration = Duration::from_millis(50);
/// What `/predict` may take (`INFERENCE_TIMEOUT`), in seconds.
const DEADLINE_S: f64 = 1.0;
/// A little more than the deadline, for the way there and back.
const ANSWER_S_MAX: f64 = 1.25;
/// A file that the model has to be asked about.
const FILE: &str = "import sys\n\nprint(sys.argv)\n";

/// Callers of `/predict`, whose service is busy, and then of no use.
#[derive(Debug, Clone, Copy)]
pub struct Predict {
    /// How many.
    pub callers: usize,
    /// What they wait for.
    pub service: Service,
    /// What `/health` may take meanwhile.
    pub health: HealthBounds,
}

/// The service behind `/predict`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// The demo's own, saturated and then killed; the demo starts it again.
    Own,
    /// One that hangs, and then is gone for good.
    Hangs,
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
        let launch = launch
            .clone()
            .with_environment("INFERENCE_TIMEOUT", DEADLINE_S.to_string());
        let mut health = Watched::default();
        let slowest = match self.service {
            Service::Own => {
                let server = launch.start(Capacity::AsConfigured).await?;
                let own = Self::busy_then_killed(server.pid());
                let load = self.ask(&server.site, own);
                health.during(&server.site, load).await?
            }
            Service::Hangs => {
                let service = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
                let service = service.map_err(CaseError::Load)?;
                let address = service.local_addr().map_err(CaseError::Load)?;
                let launch = launch.with_environment("INFERENCE_URL", format!("http://{address}"));
                let server = launch.start(Capacity::AsConfigured).await?;
                // It ends with all that it holds.
                let hangs = async {
                    let _ = tokio::time::timeout(EACH, take_and_keep(service)).await;
                    Ok(())
                };
                let load = self.ask(&server.site, hangs);
                health.during(&server.site, load).await?
            }
        };
        Ok((slowest.map_err(CaseError::Load)?, health))
    }

    /// Asks all the time, while `service` does what it does, and returns what the slowest answer took.
    async fn ask(
        self,
        site: &Site,
        service: impl Future<Output = io::Result<()>>,
    ) -> io::Result<Duration> {
        let end = Instant::now() + 2 * EACH;
        let mut callers = JoinSet::new();
        for _ in 0..self.callers {
            callers.spawn(self.ask_until(end, site.address()));
        }
        service.await?;
        let mut slowest = Duration::ZERO;
        while let Some(asked) = callers.join_next().await {
            slowest = slowest.max(asked.map_err(io::Error::other)??);
        }
        Ok(slowest)
    }

    async fn ask_until(self, end: Instant, server: SocketAddr) -> io::Result<Duration> {
        let mut slowest = Duration::ZERO;
        while Instant::now() < end {
            let began = Instant::now();
            let answer = ask_once(server).await?;
            slowest = slowest.max(began.elapsed());
            // Answered, refused, or given up.
            let is_right = match answer.get(..12) {
                Some("HTTP/1.1 200") => self.service == Service::Own,
                Some(status) => status.starts_with("HTTP/1.1 50"),
                None => false,
            };
            if !is_right {
                let line = answer.lines().next().unwrap_or_default();
                return Err(io::Error::other(format!("/predict was answered: {line}")));
            }
            tokio::time::sleep(self.pause()).await;
        }
        Ok(slowest)
    }

    const fn pause(self) -> Duration {
        match self.service {
            Service::Own => Duration::ZERO,
            Service::Hangs => PAUSE,
        }
    }

    /// Lets the demo's own service be busy, and kills it.
    async fn busy_then_killed(demo: Option<u32>) -> io::Result<()> {
        tokio::time::sleep(EACH).await;
        let children = demo.map(children).transpose()?.unwrap_or_default();
        let [service] = children[..] else {
            let text = format!("the demo has {} child processes, not one", children.len());
            return Err(io::Error::other(text));
        };
        kill_process(service, Signal::KILL).map_err(io::Error::from)
    }
}

/// The processes that the threads of `process` have started.
fn children(process: u32) -> io::Result<Vec<Pid>> {
    let mut children = Vec::new();
    for thread in fs::read_dir(format!("/proc/{process}/task"))? {
        let listed = fs::read_to_string(thread?.path().join("children"))?;
        let numbers = listed.split_whitespace().filter_map(|pid| pid.parse().ok());
        children.extend(numbers.filter_map(Pid::from_raw));
    }
    Ok(children)
}

/// Takes connections, and answers nothing.
async fn take_and_keep(service: TcpListener) -> io::Result<()> {
    let mut kept = Vec::new();
    loop {
        kept.push(service.accept().await?);
    }
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
