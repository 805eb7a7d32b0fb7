//! The same requests on a few connections, as fast as the server answers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::task::JoinSet;

use super::{Histogram, KeepAlive, RequestError, Site, within};

/// How long a load may take to connect, and may wait for its last answers after its end.
const GRACE: Duration = Duration::from_secs(30);

/// Requests in a closed loop: each connection sends the next one when it has the answer, and has paused.
#[derive(Debug, Clone, Copy)]
pub struct Steady<'a> {
    /// The server.
    pub site: &'a Site,
    /// At least one request as it goes over the wire, such as [`Site::request_bytes`]. Each connection sends all of them in turn, and
    /// begins at another one.
    pub requests: &'a [Bytes],
    /// How many connections, each with one request under way.
    pub connections: usize,
    /// Between an answer and the next request, on the average: none where the load is to be as much as the server takes. Each pause is
    /// half to one and a half of that, so that callers do not fall into step.
    pub pause: Duration,
    /// For how long.
    pub span: Duration,
}

/// What a steady load achieved.
#[derive(Debug, Clone, PartialEq)]
pub struct SteadyOutcome {
    /// Requests answered with 200.
    pub answered: u64,
    /// How long each of them took, from the answer before it on the same connection, or from the end of the pause after that: a
    /// connection that waits sends nothing meanwhile.
    pub latencies: Histogram,
    /// From the first request to the last answer.
    pub wall: Duration,
}

impl SteadyOutcome {
    /// Answers per second.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "a count of requests stays far below 2^52"
    )]
    pub fn per_second(&self) -> f64 {
        self.answered as f64 / self.wall.as_secs_f64().max(f64::MIN_POSITIVE)
    }
}

impl Steady<'_> {
    /// Runs the load on connections opened before the clock starts.
    ///
    /// # Errors
    ///
    /// The first request that fails: a rate with errors in it means nothing.
    pub async fn run(self) -> Result<SteadyOutcome, RequestError> {
        let connections = within(GRACE, self.open()).await?;
        within(self.span + GRACE, self.repeat(connections)).await
    }

    async fn open(&self) -> Result<Vec<KeepAlive>, RequestError> {
        let requests: Arc<[Bytes]> = self.requests.into();
        let mut connections = Vec::with_capacity(self.connections);
        for number in 0..self.connections {
            let first = number * requests.len() / self.connections;
            connections.push(KeepAlive::open(self.site, Arc::clone(&requests), first).await?);
        }
        Ok(connections)
    }

    async fn repeat(self, connections: Vec<KeepAlive>) -> Result<SteadyOutcome, RequestError> {
        let began = Instant::now();
        let mut loops = JoinSet::new();
        for connection in connections {
            loops.spawn(repeat_until(began + self.span, self.pause, connection));
        }
        let mut latencies = Histogram::default();
        while let Some(joined) = loops.join_next().await {
            latencies.merge(&joined.expect("a load loop neither panics nor is cancelled")?);
        }
        Ok(SteadyOutcome {
            answered: latencies.count(),
            wall: began.elapsed(),
            latencies,
        })
    }
}

/// Reads the clock once for each request, as it must to know when to stop.
async fn repeat_until(
    end: Instant,
    pause: Duration,
    mut connection: KeepAlive,
) -> Result<Histogram, RequestError> {
    let mut latencies = Histogram::default();
    let mut asked = Instant::now();
    while asked < end {
        connection.exchange().await?;
        let answered = Instant::now();
        latencies.record(answered - asked);
        asked = answered;
        if !pause.is_zero() {
            tokio::time::sleep(pause.mul_f64(0.5 + fastrand::f64())).await;
            asked = Instant::now();
        }
    }
    Ok(latencies)
}
