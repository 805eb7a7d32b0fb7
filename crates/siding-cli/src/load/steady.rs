//! The same request on a few connections, as fast as the server answers.

use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::{KeepAlive, RequestError, Site, within};

/// How long a load may take to connect, and may wait for its last answers after its end.
const GRACE: Duration = Duration::from_secs(30);

/// Requests in a closed loop: each connection sends the next one when it has the answer.
#[derive(Debug, Clone, Copy)]
pub struct Steady<'a> {
    /// The server.
    pub site: &'a Site,
    /// What to `GET`.
    pub path: &'a str,
    /// How many connections, each with one request under way.
    pub connections: usize,
    /// For how long.
    pub span: Duration,
}

/// What a steady load achieved.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SteadyOutcome {
    /// Requests answered with 200.
    pub answered: u64,
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
        let mut connections = Vec::with_capacity(self.connections);
        for _ in 0..self.connections {
            connections.push(KeepAlive::open(self.site, self.path).await?);
        }
        Ok(connections)
    }

    async fn repeat(self, connections: Vec<KeepAlive>) -> Result<SteadyOutcome, RequestError> {
        let began = Instant::now();
        let mut loops = JoinSet::new();
        for connection in connections {
            loops.spawn(repeat_until(began + self.span, connection));
        }
        let mut answered = 0;
        while let Some(joined) = loops.join_next().await {
            answered += joined.expect("a load loop neither panics nor is cancelled")?;
        }
        Ok(SteadyOutcome {
            answered,
            wall: began.elapsed(),
        })
    }
}

async fn repeat_until(end: Instant, mut connection: KeepAlive) -> Result<u64, RequestError> {
    let mut answered = 0;
    while Instant::now() < end {
        connection.exchange().await?;
        answered += 1;
    }
    Ok(answered)
}
