//! What the monitor remembers of the poll on one slot. No clock and no `/proc` in here.

use std::time::{Duration, Instant};

use super::slot::Word;

/// When the monitor looks closer at a poll, counted from when it first saw it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Looks {
    /// Here a poll becomes a stall.
    pub(super) threshold: Duration,
    /// Here a stall convicts: one look happens just then.
    pub(super) conviction: Duration,
}

impl Looks {
    /// Looks get rarer as a stall gets older, but never rarer than this.
    const GAP_MAX: Duration = Duration::from_secs(1);

    /// The thread's account is first read here, so that the first look has something to compare with.
    fn baseline(self) -> Duration {
        self.threshold / 2
    }

    fn after(self, look: Duration) -> Duration {
        let next = look + look.min(Self::GAP_MAX);
        match look < self.conviction {
            true => next.min(self.conviction),
            false => next,
        }
    }
}

/// What the monitor owes a poll that it has just seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Duty {
    /// Nothing.
    None,
    /// Read the thread's account: the poll may become a stall.
    Baseline,
    /// The poll is a stall, or still one: find out what it does.
    Look,
    /// The stall is over after so long. The thread already does something else.
    Over(Duration),
}

/// One poll, from when the monitor first saw it.
#[derive(Debug)]
pub(super) struct Watch {
    word: Word,
    since: Instant,
    next: Step,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Baseline,
    Look(Duration),
}

impl Watch {
    /// A watch that has seen `word` at `now`.
    pub(super) fn new(word: Word, now: Instant) -> Self {
        Self {
            word,
            since: now,
            next: Step::Baseline,
        }
    }

    /// What the slot said when it was last seen.
    pub(super) fn word(&self) -> Word {
        self.word
    }

    /// How long the poll has been seen to last.
    pub(super) fn age(&self, now: Instant) -> Duration {
        now.duration_since(self.since)
    }

    /// Whether the poll counts as a stall.
    pub(super) fn is_stall(&self, looks: Looks) -> bool {
        matches!(self.next, Step::Look(next) if next > looks.threshold)
    }

    /// Takes back time in which the whole machine stood still.
    pub(super) fn forgive(&mut self, late: Duration, now: Instant) {
        self.since = (self.since + late).min(now);
    }

    /// Takes note of what the slot says at `now`.
    pub(super) fn see(&mut self, word: Word, now: Instant, looks: Looks) -> Duty {
        if word != self.word {
            let over = self.is_stall(looks).then(|| self.age(now));
            *self = Self::new(word, now);
            return over.map_or(Duty::None, Duty::Over);
        }
        if word.route().is_none() {
            return Duty::None;
        }
        let age = self.age(now);
        match self.next {
            // ## Baseline => Look
            // A monitor that comes late for the baseline takes it late: the first look then has no account to compare.
            Step::Baseline if age >= looks.baseline() => {
                self.next = Step::Look(looks.threshold);
                Duty::Baseline
            }
            // ## Look => Look
            Step::Look(due) if age >= due => {
                self.next = Step::Look(looks.after(due.max(age.min(looks.conviction))));
                Duty::Look
            }
            Step::Baseline | Step::Look(_) => Duty::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::RouteId;

    const LOOKS: Looks = Looks {
        threshold: Duration::from_millis(10),
        conviction: Duration::from_millis(100),
    };
    const BUSY: Word = Word::new(1, Some(RouteId::BACKGROUND));
    const NEXT: Word = Word::new(3, Some(RouteId::BACKGROUND));

    /// Sees the given words at the given milliseconds and checks the duties.
    #[track_caller]
    fn check(seen: &[(u64, Word, Duty)]) {
        let start = Instant::now();
        let mut watch = Watch::new(Word::IDLE, start);
        for (ms, word, duty) in seen {
            assert_eq!(
                watch.see(*word, start + Duration::from_millis(*ms), LOOKS),
                *duty,
                "at {ms} ms"
            );
        }
    }

    #[test]
    fn an_idle_thread_owes_nothing() {
        check(&[(0, Word::IDLE, Duty::None), (1_000, Word::IDLE, Duty::None)]);
    }

    #[test]
    fn short_polls_are_never_looked_at() {
        let words = (0..50).map(|n| {
            (
                n * 2,
                Word::new(n as u32 + 1, Some(RouteId::BACKGROUND)),
                Duty::None,
            )
        });
        check(&words.collect::<Vec<_>>());
    }

    #[test]
    fn a_stall_is_looked_at_when_it_begins_when_it_convicts_and_ever_more_rarely() {
        check(&[
            (0, BUSY, Duty::None),
            (4, BUSY, Duty::None),
            (5, BUSY, Duty::Baseline),
            (9, BUSY, Duty::None),
            (10, BUSY, Duty::Look),
            (12, BUSY, Duty::None),
            (20, BUSY, Duty::Look),
            (40, BUSY, Duty::Look),
            (80, BUSY, Duty::Look),
            (99, BUSY, Duty::None),
            (100, BUSY, Duty::Look),
            (200, BUSY, Duty::Look),
            (210, NEXT, Duty::Over(Duration::from_millis(210))),
            (212, NEXT, Duty::None),
        ]);
    }

    #[test]
    fn a_poll_that_ends_before_the_threshold_was_no_stall() {
        check(&[
            (0, BUSY, Duty::None),
            (5, BUSY, Duty::Baseline),
            (9, NEXT, Duty::None),
        ]);
    }

    #[test]
    fn a_pause_of_the_machine_is_forgiven() {
        let start = Instant::now();
        let late = Duration::from_millis(500);
        let mut watch = Watch::new(BUSY, start);
        watch.forgive(late, start + late);
        assert_eq!(watch.see(BUSY, start + late, LOOKS), Duty::None);
    }
}
