//! What one connection is doing now, told by its own task and read by the sweeper.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Poll, Waker};

use super::launches::Launches;
use super::stage::Signal;
use crate::background::Launch;
use crate::metrics::Requests;

/// What a connection waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// The next request.
    Idle,
    /// The rest of a request's head.
    Head,
    /// The server's own answer.
    Busy,
    /// The client, to take a response.
    Choked,
    /// The client, to stop sending a body that was refused.
    Lingering,
}

/// What the sweeper has ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(super) enum Order {
    /// Carry on.
    None,
    /// Take no further requests.
    Drain,
    /// Close now.
    Close,
}

/// One connection.
///
/// Its own tasks write all of it but the order, which the sweeper writes. Everything is advisory: relaxed loads and
/// stores pair with nothing, the sweeper may see a change one look late, and it repeats an order at every look until
/// the connection has obeyed.
#[derive(Debug)]
pub(super) struct Line {
    signal: Arc<Signal>,
    /// Where its requests are counted, if they are.
    requests: Option<Arc<Requests>>,
    /// Counts changes of the phase, for the sweeper to see whether there was one.
    beat: AtomicU32,
    /// Requests between their complete head and the end of their response.
    in_flight: AtomicU32,
    /// Whether some bytes of a head have arrived.
    receiving: AtomicBool,
    /// Whether a request was ever complete.
    served: AtomicBool,
    /// Whether the client speaks HTTP/2, where heads and bodies of several requests mix.
    multiplexed: AtomicBool,
    /// Whether the socket would take no more of a response.
    choked: AtomicBool,
    /// Whether a request was refused before its body was read.
    body_unread: AtomicBool,
    closed: AtomicBool,
    launches: Launches,
    order: AtomicU8,
    /// Wakes the connection's task. A task's waker stays valid for its life, so it is left here at the first poll only.
    waker: OnceLock<Waker>,
}

impl Line {
    /// A connection without a request. `signal` is its server's.
    pub(super) fn new(signal: Arc<Signal>) -> Self {
        Self {
            signal,
            requests: None,
            beat: AtomicU32::default(),
            in_flight: AtomicU32::default(),
            receiving: AtomicBool::default(),
            served: AtomicBool::default(),
            multiplexed: AtomicBool::default(),
            choked: AtomicBool::default(),
            body_unread: AtomicBool::default(),
            closed: AtomicBool::default(),
            launches: Launches::default(),
            order: AtomicU8::default(),
            waker: OnceLock::new(),
        }
    }

    /// The same, whose requests are counted, if they are to be.
    pub(super) fn counting(self, requests: Option<Arc<Requests>>) -> Self {
        Self { requests, ..self }
    }

    /// Where its requests are counted.
    pub(super) fn requests(&self) -> Option<&Requests> {
        self.requests.as_deref()
    }

    /// Requests between their complete head and the end of their response.
    pub(super) fn in_flight(&self) -> u32 {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// Bytes arrived from the client.
    pub(super) fn received(&self, bytes: &[u8]) {
        if self.in_flight.load(Ordering::Relaxed) > 0 || self.receiving.load(Ordering::Relaxed) {
            return;
        }
        if bytes.starts_with(b"PRI * HTTP/2") {
            self.multiplexed.store(true, Ordering::Relaxed);
        }
        self.receiving.store(true, Ordering::Relaxed);
        self.beat();
    }

    /// Part of a response was given to the socket.
    pub(super) fn take_note_of<T>(&self, sent: &Poll<T>) {
        if self.choked.load(Ordering::Relaxed) != sent.is_pending() {
            self.choked.store(sent.is_pending(), Ordering::Relaxed);
            self.beat();
        }
    }

    /// The head of a request is complete.
    pub(super) fn request(self: &Arc<Self>) -> InFlight {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        self.receiving.store(false, Ordering::Relaxed);
        self.served.store(true, Ordering::Relaxed);
        self.beat();
        InFlight(Arc::clone(self))
    }

    /// A request is refused before its body was read: see [`Transport`](super::transport::Transport). HTTP/2 cancels
    /// such a body by itself.
    pub(super) fn leave_body_unread(&self) {
        if !self.is_multiplexed() {
            self.body_unread.store(true, Ordering::Relaxed);
        }
    }

    /// Whether a request was refused before its body was read.
    pub(super) fn is_body_unread(&self) -> bool {
        self.body_unread.load(Ordering::Relaxed)
    }

    /// The socket is closed.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
        self.launches.close();
    }

    /// A response was given to the connection; what follows it begins once it has been sent. A stream of HTTP/2 cannot
    /// know when that is, because its frames mix with those of others: there it begins now.
    pub(super) fn launch_once_sent(&self, launch: Launch) {
        if !self.is_multiplexed() {
            self.launches.hold(launch);
        }
    }

    /// The socket has taken everything that it was given.
    pub(super) fn flushed(&self) {
        self.launches.release();
    }

    /// Whether the socket is closed.
    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// Whether a request was ever complete.
    pub(super) fn has_served(&self) -> bool {
        self.served.load(Ordering::Relaxed)
    }

    /// Whether the connection takes no further requests after the present one.
    pub(super) fn is_ending(&self) -> bool {
        !self.signal.is_open() || self.is_body_unread() || self.order() > Order::None
    }

    /// Whether the client speaks HTTP/2.
    pub(super) fn is_multiplexed(&self) -> bool {
        self.multiplexed.load(Ordering::Relaxed)
    }

    /// What the connection waits for.
    pub(super) fn phase(&self) -> Phase {
        if self.in_flight.load(Ordering::Relaxed) > 0 {
            if self.choked.load(Ordering::Relaxed) {
                Phase::Choked
            } else {
                Phase::Busy
            }
        } else if self.is_body_unread() {
            Phase::Lingering
        } else if self.receiving.load(Ordering::Relaxed) && !self.is_multiplexed() {
            Phase::Head
        } else {
            Phase::Idle
        }
    }

    /// Has changed if the phase has.
    pub(super) fn pulse(&self) -> u32 {
        self.beat.load(Ordering::Relaxed)
    }

    /// What the sweeper has ordered.
    pub(super) fn order(&self) -> Order {
        match self.order.load(Ordering::Relaxed) {
            0 => Order::None,
            1 => Order::Drain,
            _ => Order::Close,
        }
    }

    /// Orders the connection's task to drain or to close. An order is never taken back.
    pub(super) fn give(&self, order: Order) {
        self.order.fetch_max(order as u8, Ordering::Relaxed);
        if let Some(waker) = self.waker.get() {
            waker.wake_by_ref();
        }
    }

    /// Leaves the waker of the connection's task.
    pub(super) fn attend(&self, waker: &Waker) {
        if self.waker.get().is_none() {
            self.waker.get_or_init(|| waker.clone());
        }
    }

    /// Only the connection's tasks count. Those of an HTTP/2 connection may run at once and then count two changes as
    /// one; the sweeper sees a change all the same.
    fn beat(&self) {
        let next = self.beat.load(Ordering::Relaxed).wrapping_add(1);
        self.beat.store(next, Ordering::Relaxed);
    }
}

/// A request, from its complete head to the end of its response, or until the client has left.
#[derive(Debug)]
pub(super) struct InFlight(Arc<Line>);

impl InFlight {
    /// The connection that it came on.
    pub(super) fn line(&self) -> &Line {
        &self.0
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
        self.0.beat();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line() -> Arc<Line> {
        Arc::new(Line::new(Arc::new(Signal::new())))
    }

    #[test]
    fn a_request_goes_through_the_phases() {
        let line = line();
        assert_eq!(line.phase(), Phase::Idle);
        line.received(b"GET / HT");
        assert_eq!(line.phase(), Phase::Head);
        let request = line.request();
        assert_eq!(line.phase(), Phase::Busy);
        line.take_note_of(&Poll::<()>::Pending);
        assert_eq!(line.phase(), Phase::Choked);
        line.take_note_of(&Poll::Ready(()));
        drop(request);
        assert_eq!(line.phase(), Phase::Idle);
    }

    #[test]
    fn more_of_the_same_head_is_no_progress() {
        let line = line();
        line.received(b"GET ");
        let pulse = line.pulse();
        line.received(b"/ HTTP/1.1\r\n");
        assert_eq!(line.pulse(), pulse);
    }

    #[test]
    fn an_order_is_never_taken_back() {
        let line = line();
        line.give(Order::Close);
        line.give(Order::Drain);
        assert_eq!(line.order(), Order::Close);
    }
}
