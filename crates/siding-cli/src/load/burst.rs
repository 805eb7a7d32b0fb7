//! Many requests at the same time.

use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::{Connection, Failures, RequestError, Site, get_once, within};

/// How many tasks open connections side by side; more would only fill the listener's backlog.
const OPENERS: usize = 32;

/// The most that opening all connections may take.
const OPENING: Duration = Duration::from_secs(60);

/// `concurrency` requests for one path, all started at once.
#[derive(Debug, Clone, Copy)]
pub struct Burst<'a> {
    /// The server.
    pub site: &'a Site,
    /// What to `GET`.
    pub path: &'a str,
    /// How many requests.
    pub concurrency: usize,
    /// When to give up on the answers that have not come.
    pub limit: Duration,
}

/// What became of a burst.
#[derive(Debug, Clone, Default)]
pub struct BurstOutcome {
    /// From before the first request was sent until the last answer, or until the limit.
    pub wall: Duration,
    /// Requests answered with 200.
    pub answered: usize,
    /// Requests still waiting at the limit.
    pub unanswered: usize,
    /// Requests that failed.
    pub failures: Failures,
}

impl Burst<'_> {
    /// Sends every request on a connection of its own, opened while the clock runs.
    ///
    /// `on_answer` is told the number of answers so far.
    pub async fn on_fresh_connections(self, on_answer: impl FnMut(usize)) -> BurstOutcome {
        let began = Instant::now();
        let mut requests = JoinSet::new();
        for _ in 0..self.concurrency {
            let (site, path) = (self.site.clone(), self.path.to_owned());
            requests.spawn(async move { get_once(&site, &path).await.map(drop) });
        }
        gather(requests, began, self.limit, on_answer).await
    }

    /// Sends one request on each of `connections`, whatever `concurrency` says.
    ///
    /// `on_answer` is told the number of answers so far.
    pub async fn on_open_connections(
        self,
        connections: Vec<Connection>,
        on_answer: impl FnMut(usize),
    ) -> BurstOutcome {
        let began = Instant::now();
        let mut requests = JoinSet::new();
        for mut connection in connections {
            let request = self.site.request(self.path);
            requests.spawn(async move { connection.send(request?).await.map(drop) });
        }
        gather(requests, began, self.limit, on_answer).await
    }
}

async fn gather(
    mut requests: JoinSet<Result<(), RequestError>>,
    began: Instant,
    limit: Duration,
    mut on_answer: impl FnMut(usize),
) -> BurstOutcome {
    let mut outcome = BurstOutcome::default();
    let all = async {
        while let Some(joined) = requests.join_next().await {
            match joined.expect("a request task neither panics nor is cancelled") {
                Ok(()) => outcome.answered += 1,
                Err(error) => outcome.failures.add(&error),
            }
            on_answer(outcome.answered);
        }
    };
    // Running out of time is an outcome: what is still in the set went unanswered.
    let _ = tokio::time::timeout_at((began + limit).into(), all).await;
    outcome.wall = began.elapsed();
    outcome.unanswered = requests.len();
    outcome
}

/// Opens `count` connections to `site`, each proved by an answer from `/health`.
///
/// The answer matters: a connection can be open here and still wait in the listener's backlog.
///
/// # Errors
///
/// The first connection or answer that fails, or [`RequestError::Deadline`] after a minute.
pub async fn open_connections(site: &Site, count: usize) -> Result<Vec<Connection>, RequestError> {
    within(OPENING, open_side_by_side(site, count)).await
}

async fn open_side_by_side(site: &Site, count: usize) -> Result<Vec<Connection>, RequestError> {
    let mut openers = JoinSet::new();
    for opener in 0..OPENERS {
        let share = count / OPENERS + usize::from(opener < count % OPENERS);
        let site = site.clone();
        openers.spawn(async move { open_in_turn(&site, share).await });
    }
    let mut connections = Vec::with_capacity(count);
    while let Some(joined) = openers.join_next().await {
        connections.extend(joined.expect("an opener neither panics nor is cancelled")?);
    }
    Ok(connections)
}

async fn open_in_turn(site: &Site, count: usize) -> Result<Vec<Connection>, RequestError> {
    let mut connections = Vec::with_capacity(count);
    for _ in 0..count {
        let mut connection = Connection::open(site).await?;
        connection.send(site.request("/health")?).await?;
        connections.push(connection);
    }
    Ok(connections)
}
