//! Instants at even distances, and a precise wait for each.
//!
//! The runtime's own timers are rounded up to whole milliseconds, which is more than the latencies
//! that are measured here. So on Linux the wait is a kernel timer behind a file descriptor.

use std::io;
use std::time::{Duration, Instant};

/// Hands out due times: one every `every`, none left out, however late anybody asks.
#[derive(Debug)]
pub(super) struct Pace {
    next: Instant,
    every: Duration,
    alarm: Alarm,
}

impl Pace {
    /// Starts with a due time `every` from now.
    ///
    /// # Errors
    ///
    /// When the kernel gives no timer.
    pub(super) fn new(every: Duration) -> io::Result<Self> {
        Ok(Self {
            next: Instant::now() + every,
            every,
            alarm: Alarm::new()?,
        })
    }

    /// Waits for the next due time, at once if it has passed, and returns it.
    ///
    /// Cancelling the wait loses no due time.
    ///
    /// # Errors
    ///
    /// When the kernel's timer fails.
    pub(super) async fn due(&mut self) -> io::Result<Instant> {
        loop {
            let wait = self.next.saturating_duration_since(Instant::now());
            if wait.is_zero() {
                let due = self.next;
                self.next += self.every;
                return Ok(due);
            }
            self.alarm.after(wait).await?;
        }
    }
}

#[cfg(target_os = "linux")]
mod alarm {
    use std::io;
    use std::time::Duration;

    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_settime,
    };
    use tokio::io::AsyncReadExt as _;
    use tokio::net::unix::pipe::Receiver;

    /// A one-shot kernel timer. It is read as a pipe is: eight bytes when it has expired.
    #[derive(Debug)]
    pub(super) struct Alarm(Receiver);

    impl Alarm {
        pub(super) fn new() -> io::Result<Self> {
            let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
            let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
            Receiver::from_owned_fd_unchecked(timer).map(Self)
        }

        pub(super) async fn after(&mut self, wait: Duration) -> io::Result<()> {
            let once = Itimerspec {
                it_interval: Timespec::default(),
                it_value: Timespec::try_from(wait).map_err(io::Error::other)?,
            };
            timerfd_settime(&self.0, TimerfdTimerFlags::empty(), &once)?;
            // The count of expirations is of no interest: the caller looks at the clock.
            self.0.read_u64_le().await.map(drop)
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod alarm {
    use std::io;
    use std::time::Duration;

    /// The runtime's timer, up to a millisecond late.
    #[derive(Debug)]
    pub(super) struct Alarm;

    impl Alarm {
        #[expect(
            clippy::unnecessary_wraps,
            reason = "the same signature as on Linux, where it can fail"
        )]
        pub(super) fn new() -> io::Result<Self> {
            Ok(Self)
        }

        pub(super) async fn after(&mut self, wait: Duration) -> io::Result<()> {
            tokio::time::sleep(wait).await;
            Ok(())
        }
    }
}

use alarm::Alarm;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn due_times_are_even_and_none_is_left_out() {
        let every = Duration::from_millis(1);
        let mut pace = Pace::new(every).unwrap();
        let first = pace.due().await.unwrap();
        for number in 1..5 {
            let due = pace.due().await.unwrap();
            assert_eq!(due, first + every * number);
            assert!(Instant::now() >= due);
        }
    }
}
