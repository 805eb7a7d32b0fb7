//! All connections of a server, and the sweeper that looks after them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::limits::Limits;
use super::line::{Line, Order, Phase};
use super::stage::Stage;

/// All connections of a server.
///
/// Their timeouts are kept by one sweeper that looks at every connection a few times within the shortest of them. A
/// timer for each would be set and cancelled with every request; a look costs a request nothing.
#[derive(Debug, Default)]
pub(super) struct Yard {
    watched: Mutex<Vec<Watched>>,
    added: Notify,
}

/// A connection, and since when the sweeper has seen it unchanged.
#[derive(Debug)]
struct Watched {
    line: Arc<Line>,
    pulse: u32,
    since: Instant,
}

impl Yard {
    /// Looks after a new connection.
    pub(super) fn add(&self, line: Arc<Line>) {
        let pulse = line.pulse();
        self.lock().push(Watched {
            line,
            pulse,
            since: Instant::now(),
        });
        self.added.notify_one();
    }

    /// Completes when there is a connection to look after, so that a server without any sleeps.
    pub(super) async fn occupied(&self) {
        while self.lock().is_empty() {
            self.added.notified().await;
        }
    }

    /// Looks at every connection once: forgets the closed ones and orders what is due.
    pub(super) fn sweep(&self, limits: &Limits, stage: Stage, now: Instant) {
        self.lock().retain_mut(|watched| {
            let pulse = watched.line.pulse();
            if watched.pulse != pulse {
                watched.pulse = pulse;
                watched.since = now;
            }
            let unchanged = now.saturating_duration_since(watched.since);
            match due(&watched.line, limits, stage, unchanged) {
                Order::None => {}
                order => watched.line.give(order),
            }
            !watched.line.is_closed()
        });
    }

    /// How many connections are open now, and how many requests are in flight on them.
    pub(super) fn count(&self) -> (usize, u64) {
        let watched = self.lock();
        let open = watched.iter().filter(|watched| !watched.line.is_closed());
        open.fold((0, 0), |(connections, requests), watched| {
            let in_flight = u64::from(watched.line.in_flight());
            (connections + 1, requests + in_flight)
        })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Watched>> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is to be done about a connection that has not changed for a while.
fn due(line: &Line, limits: &Limits, stage: Stage, unchanged: Duration) -> Order {
    if stage == Stage::Forced {
        return Order::Close;
    }
    let phase = line.phase();
    let (limit, at_limit) = match phase {
        Phase::Idle => (limits.keep_alive, Order::Drain),
        Phase::Choked => (limits.keep_alive, Order::Close),
        Phase::Head | Phase::Lingering => (limits.header_timeout, Order::Close),
        Phase::Busy => (Duration::MAX, Order::None),
    };
    if unchanged >= limit {
        return at_limit;
    }
    let goes_away = match stage {
        Stage::Open => false,
        // HTTP/2 can say goodbye without losing a request.
        Stage::Draining => line.is_multiplexed(),
        Stage::Closing | Stage::Forced => line.is_multiplexed() || phase == Phase::Idle,
    };
    if goes_away { Order::Drain } else { Order::None }
}

/// How often to look: four times within the shortest timeout, and often while draining, which somebody waits for.
pub(super) fn look_interval(limits: &Limits, stage: Stage) -> Duration {
    let shortest = limits.header_timeout.min(limits.keep_alive);
    let calm = (shortest / 4).clamp(Duration::from_millis(5), Duration::from_secs(5));
    match stage {
        Stage::Open => calm,
        _ => calm.min(Duration::from_millis(20)),
    }
}

#[cfg(test)]
mod tests {
    use std::task::Poll;

    use super::*;
    use crate::server::stage::Signal;

    fn line() -> Arc<Line> {
        Arc::new(Line::new(Arc::new(Signal::new())))
    }

    /// What is due for a connection that has not changed for longer than any timeout.
    #[track_caller]
    fn check(line: &Line, stage: Stage, expected: Order) {
        let limits = Limits::default();
        let for_ever = Duration::from_secs(1_000_000);
        assert_eq!(due(line, &limits, stage, for_ever), expected);
    }

    #[test]
    fn a_request_that_runs_is_left_alone() {
        let line = line();
        let _request = line.request();
        check(&line, Stage::Open, Order::None);
        check(&line, Stage::Draining, Order::None);
        check(&line, Stage::Closing, Order::None);
        check(&line, Stage::Forced, Order::Close);
    }

    #[test]
    fn half_a_head_is_closed() {
        let line = line();
        line.received(b"GET");
        check(&line, Stage::Open, Order::Close);
    }

    #[test]
    fn a_client_that_takes_no_response_is_closed() {
        let line = line();
        let _request = line.request();
        line.take_note_of(&Poll::<()>::Pending);
        check(&line, Stage::Open, Order::Close);
    }

    #[test]
    fn idle_connections_outlive_the_grace_of_a_drain() {
        let (line, limits) = (line(), Limits::default());
        let ordered = |stage| due(&line, &limits, stage, Duration::ZERO);
        assert_eq!(ordered(Stage::Open), Order::None);
        assert_eq!(ordered(Stage::Draining), Order::None);
        assert_eq!(ordered(Stage::Closing), Order::Drain);
    }

    #[test]
    fn http2_goes_away_at_once() {
        let (line, limits) = (line(), Limits::default());
        line.received(b"PRI * HTTP/2.0");
        let ordered = |stage| due(&line, &limits, stage, Duration::ZERO);
        assert_eq!(ordered(Stage::Open), Order::None);
        assert_eq!(ordered(Stage::Draining), Order::Drain);
    }

    #[test]
    fn closed_connections_are_forgotten() {
        let (yard, line) = (Yard::default(), line());
        yard.add(Arc::clone(&line));
        yard.sweep(&Limits::default(), Stage::Open, Instant::now());
        assert_eq!(yard.lock().len(), 1);
        line.close();
        yard.sweep(&Limits::default(), Stage::Open, Instant::now());
        assert!(yard.lock().is_empty());
    }
}
