//! All connections of a server, and the sweeper that looks after them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

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

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Watched>> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is to be done about a connection that has not changed for a while.
fn due(line: &Line, limits: &Limits, stage: Stage, unchanged: Duration) -> Order {
    if stage == Stage::Forced {
        return Order::Close;
    }
    let limit = match line.phase() {
        Phase::Idle | Phase::Choked => limits.keep_alive,
        Phase::Head | Phase::Lingering => limits.header_timeout,
        Phase::Busy => Duration::MAX,
    };
    let goes_away = match stage {
        Stage::Open => false,
        // HTTP/2 can say goodbye without losing a request.
        Stage::Draining => line.is_multiplexed(),
        Stage::Closing | Stage::Forced => line.is_multiplexed() || line.phase() == Phase::Idle,
    };
    if unchanged >= limit {
        Order::Close
    } else if goes_away {
        Order::Drain
    } else {
        Order::None
    }
}

/// How often to look: eight times within the shortest timeout, and at least once a second.
pub(super) fn look_interval(limits: &Limits, stage: Stage) -> Duration {
    let shortest = limits.header_timeout.min(limits.keep_alive);
    let calm = (shortest / 8).clamp(Duration::from_millis(5), Duration::from_secs(1));
    match stage {
        Stage::Open => calm,
        _ => calm.min(Duration::from_millis(20)),
    }
}
