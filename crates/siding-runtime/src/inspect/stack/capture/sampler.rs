//! [`Sampler`]: takes the stack of another thread.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use super::super::super::activity::Syscall;
use super::super::super::{Tid, Unknown};
use super::super::{RawStack, StackBounds, Walked};
use super::registers::Registers;
use super::signal::{self, Desk};
use super::walker::Walker;

/// Takes stacks of threads of this process. A handle: copies share the one desk of the process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sampler {
    desk: &'static Desk,
}

impl Sampler {
    /// Collects the unwind tables and installs the signal handler, at the first call; the others get the same
    /// sampler, or the same reason why there is none.
    pub(crate) fn install() -> Result<Self, Unknown> {
        static INSTALLED: OnceLock<Result<Sampler, Unknown>> = OnceLock::new();
        INSTALLED
            .get_or_init(|| signal::install().map(|desk| Self { desk }))
            .clone()
    }

    /// Takes libraries into account that were loaded since. Call it when nothing is urgent: it waits for the
    /// loader's lock, and for new tables it takes milliseconds.
    pub(crate) fn refresh(self) {
        let mut lender = self.desk.walker.lender();
        if let Some(walker) = lender.reclaim()
            && !walker.is_current()
        {
            *walker = Walker::new();
        }
    }

    /// The stack of `thread`, which `bounds` were stored for when it registered, and which must not have ended
    /// since: its id and its stack might be another thread's by now.
    ///
    /// It waits for the thread's handler at most `limit`: a thread that blocks the signal, or gets no CPU, gives no
    /// stack. Captures by several threads wait for each other.
    pub(crate) fn capture(
        self,
        thread: Tid,
        bounds: StackBounds,
        limit: Duration,
    ) -> Result<RawStack, Unknown> {
        let deadline = Instant::now() + limit;
        let mut lender = self.desk.walker.lender();
        lender.reclaim().ok_or_else(still_walking)?.prepare(bounds);
        lender.offer(thread);
        signal::send(thread)?;
        loop {
            let rings = self.desk.bell.count();
            let left = deadline.saturating_duration_since(Instant::now());
            if lender.is_home() || left.is_zero() {
                break;
            }
            self.desk.bell.wait(rings, left);
        }
        let walker = lender.reclaim().ok_or_else(still_walking)?;
        walker
            .stack()
            .ok_or_else(|| Unknown::because("the thread did not answer its signal in time"))
    }

    /// The stack of a thread that is blocked in `call`, read from outside: it costs the thread nothing. Of a thread that has gone on
    /// meanwhile it makes no sense; whoever asks looks afterwards whether it is still there.
    pub(crate) fn walk_blocked(
        self,
        bounds: StackBounds,
        call: &Syscall,
    ) -> Result<Walked, Unknown> {
        let mut lender = self.desk.walker.lender();
        let walker = lender.reclaim().ok_or_else(still_walking)?;
        walker.prepare(bounds);
        walker
            .walk_from_outside(Registers::blocked(call))
            .ok_or_else(|| Unknown::because("the thread's stack cannot be read"))
    }
}

fn still_walking() -> Unknown {
    Unknown::because("a thread that was signalled is still walking its stack")
}
