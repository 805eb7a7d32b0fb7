//! [`Account`]: how a thread spent its life so far, by the kernel's own books.

use std::time::Duration;

/// Time that a thread spent on a CPU, and time that it was ready to run but had to wait for one. What is missing
/// from the wall clock is time spent blocked.
///
/// The kernel books waiting when it ends: a thread that waits for a CPU *now* shows none of it yet, while its
/// [`Activity`](super::Activity) is already `Running`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) on_cpu: Duration,
    pub(crate) waiting: Duration,
}

impl Account {
    /// What was booked after `earlier`.
    pub(crate) fn since(self, earlier: Self) -> Self {
        Self {
            on_cpu: self.on_cpu.saturating_sub(earlier.on_cpu),
            waiting: self.waiting.saturating_sub(earlier.waiting),
        }
    }

    /// Reads the text of a `schedstat` file: nanoseconds on a CPU, nanoseconds waiting, number of time slices.
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "no /proc there"))]
    pub(super) fn parse(schedstat: &str) -> Option<Self> {
        let mut nanos = schedstat.split_ascii_whitespace().map(str::parse);
        Some(Self {
            on_cpu: Duration::from_nanos(nanos.next()?.ok()?),
            waiting: Duration::from_nanos(nanos.next()?.ok()?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_first_two_figures() {
        let account = Account::parse("1520433 20117 9\n").unwrap();
        assert_eq!(account.on_cpu, Duration::from_nanos(1_520_433));
        assert_eq!(account.waiting, Duration::from_nanos(20_117));
    }

    #[test]
    fn refuses_other_text() {
        assert_eq!(Account::parse(""), None);
        assert_eq!(Account::parse("12"), None);
        assert_eq!(Account::parse("twelve 4 1"), None);
    }

    #[test]
    fn a_difference_never_underflows() {
        let earlier = Account::parse("10 10 1").unwrap();
        let later = Account::parse("25 4 2").unwrap();
        assert_eq!(later.since(earlier).on_cpu, Duration::from_nanos(15));
        assert_eq!(later.since(earlier).waiting, Duration::ZERO);
    }
}
