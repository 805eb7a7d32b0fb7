//! [`Loan`]: a value that its owner lends to the signal handler of one thread at a time.
//!
//! # States
//!
//! One word, which is the whole truth about who may touch the value:
//!
//! | word | meaning | who may touch the value |
//! | --- | --- | --- |
//! | `HOME` | not lent | the owner, that is the holder of the mutex |
//! | `offered(tid)` | thread `tid`'s handler may take it | nobody |
//! | `TAKEN` | a handler is at work on it | that handler |
//!
//! # Protocol
//!
//! 1. The owner prepares the value and [offers](Lender::offer) it: `HOME => offered(tid)`. It then signals `tid`.
//! 2. The handler [takes](Loan::take) it: `offered(own tid) => TAKEN`, in one compare-and-swap. A handler that
//!    finds any other word does nothing: its signal was late, or a stray.
//! 3. The handler is done: `TAKEN => HOME`, when [`Borrowed`] is dropped.
//! 4. The owner that waited long enough [reclaims](Lender::reclaim): `offered(tid) => HOME`. If that fails, the
//!    handler was first. At `TAKEN` the owner must leave the value alone; whoever owns it next tries again.
//!
//! # Why a late handler does no harm
//!
//! A signal can arrive long after its offer was withdrawn: its thread had it masked, or got no CPU. Its handler
//! then compares the word with an offer to *its own* thread. `HOME`, `TAKEN` and offers to other threads all
//! differ. An offer to the same thread is one that it may take, whichever of the signals brought it here, so the
//! word needs no generation counter. A taken value is reclaimed by nobody, so a handler that lost its CPU halfway
//! keeps the value for itself, and captures are refused until it has finished.
//!
//! # What a handler may do
//!
//! `take` and the drop of `Borrowed` are one atomic operation each: no lock, no allocation, no thread-local. The
//! mutex is the owners' alone.
#![expect(
    unsafe_code,
    reason = "the word in front of the cell says who may touch it"
)]

use std::ops::{Deref, DerefMut};
use std::sync::PoisonError;

use super::super::super::Tid;
use super::sync::{AtomicU32, Mutex, MutexGuard, Ordering, UnsafeCell};

const HOME: u32 = 0;
const TAKEN: u32 = 1;

/// The word of an offer to `thread`. Thread ids stay below 2^22, so the shift loses nothing; the low bits keep
/// offers apart from the other two words.
const fn offered(thread: Tid) -> u32 {
    thread.as_raw() << 2 | 2
}

/// See the [module's description](self).
#[derive(Debug)]
pub(super) struct Loan<T> {
    word: AtomicU32,
    value: UnsafeCell<T>,
    owner: Mutex<()>,
}

// SAFETY: the word grants access to the value to one party at a time, and each change of hands synchronises (see
// the orderings below), so sharing a loan only ever moves the value between threads.
unsafe impl<T: Send> Sync for Loan<T> {}

impl<T> Loan<T> {
    pub(super) fn new(value: T) -> Self {
        Self {
            word: AtomicU32::new(HOME),
            value: UnsafeCell::new(value),
            owner: Mutex::new(()),
        }
    }

    /// Becomes the owner; waits for the owner before.
    pub(super) fn lender(&self) -> Lender<'_, T> {
        Lender {
            loan: self,
            _owner: self.owner.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// Takes the value if it is offered to `thread`, which must be the caller's own. For signal handlers.
    pub(super) fn take(&self, thread: Tid) -> Option<Borrowed<'_, T>> {
        // Acquire pairs with the Release in `offer`: the handler sees the value as it was prepared.
        self.word
            .compare_exchange(offered(thread), TAKEN, Ordering::Acquire, Ordering::Relaxed)
            .ok()
            // Only now: dropping a `Borrowed` gives the value back.
            .map(|_| Borrowed { loan: self })
    }
}

/// The owner's side, of which there is one at a time.
#[derive(Debug)]
pub(super) struct Lender<'l, T> {
    loan: &'l Loan<T>,
    _owner: MutexGuard<'l, ()>,
}

impl<T> Lender<'_, T> {
    /// The value, with any open offer withdrawn, or `None` while a handler is at work on it.
    pub(super) fn reclaim(&mut self) -> Option<&mut T> {
        // Acquire pairs with the Release in `Borrowed::drop`: the owner sees what the handler wrote.
        let word = self.loan.word.load(Ordering::Acquire);
        let home = match word {
            HOME => true,
            TAKEN => false,
            // If the handler was first after all and has finished, Acquire on failure pairs as above. Success
            // brings nothing new: nobody has touched the value since this or an earlier owner offered it.
            offer => match self.loan.word.compare_exchange(
                offer,
                HOME,
                Ordering::Relaxed,
                Ordering::Acquire,
            ) {
                Ok(_) => true,
                Err(word) => word == HOME,
            },
        };
        // SAFETY: the word is HOME, and only an owner's offer changes that. We are the one owner, borrowed mutably
        // for as long as the reference lives.
        home.then(|| self.loan.value.with_mut(|value| unsafe { &mut *value }))
    }

    /// Offers the value to `thread`'s handler. To be called with the value at home: elsewhere it does nothing.
    pub(super) fn offer(&mut self, thread: Tid) {
        // Release pairs with the Acquire in `take`. Only an owner leaves HOME, so comparing loses no race; it keeps
        // a misuse from overwriting TAKEN.
        let _ = self.loan.word.compare_exchange(
            HOME,
            offered(thread),
            Ordering::Release,
            Ordering::Relaxed,
        );
    }

    /// Whether the handler has come and gone, or nothing was offered.
    pub(super) fn is_home(&self) -> bool {
        // Relaxed: no access follows from it. `reclaim` synchronises.
        self.loan.word.load(Ordering::Relaxed) == HOME
    }
}

/// An offer does not outlive its owner's interest in it.
impl<T> Drop for Lender<'_, T> {
    fn drop(&mut self) {
        self.reclaim();
    }
}

/// The value in a handler's hands; dropping it gives it back.
#[derive(Debug)]
pub(super) struct Borrowed<'l, T> {
    loan: &'l Loan<T>,
}

impl<T> Deref for Borrowed<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the word is TAKEN by us from `take` until our drop, and neither an owner nor another handler
        // touches the value meanwhile.
        self.loan.value.with_mut(|value| unsafe { &*value })
    }
}

impl<T> DerefMut for Borrowed<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as in `deref`.
        self.loan.value.with_mut(|value| unsafe { &mut *value })
    }
}

impl<T> Drop for Borrowed<'_, T> {
    fn drop(&mut self) {
        // Release pairs with the Acquire in `reclaim`.
        self.loan.word.store(HOME, Ordering::Release);
    }
}

#[cfg(test)]
#[cfg(siding_model)]
mod model {
    use loom::sync::Arc;
    use loom::thread;

    use super::*;

    const THREAD: Tid = Tid::from_raw(7);
    const OTHER: Tid = Tid::from_raw(8);

    /// A signal handler on `thread`. Loom sees whether anybody else may touch the value meanwhile.
    fn handler(loan: &Loan<u32>, thread: Tid) {
        if let Some(mut value) = loan.take(thread) {
            *value += 1;
        }
    }

    /// A capture that gives up at once, as one whose time has run out.
    fn capture(loan: &Loan<u32>, thread: Tid) {
        let mut lender = loan.lender();
        let Some(value) = lender.reclaim() else {
            return;
        };
        *value = 0;
        lender.offer(thread);
        if let Some(value) = lender.reclaim() {
            assert!(*value <= 1, "one offer is taken once");
        }
    }

    /// Every interleaving of `handlers` with `captures`, one after the other, that takes the CPU from a thread at
    /// most three times against its will: more find no more and take a minute.
    fn check(handlers: &'static [&'static [Tid]], captures: &'static [Tid]) {
        let mut model = loom::model::Builder::new();
        model.preemption_bound = Some(3);
        model.check(move || {
            let loan = Arc::new(Loan::new(0));
            let handlers: Vec<_> = handlers
                .iter()
                .map(|signals| {
                    let loan = Arc::clone(&loan);
                    thread::spawn(move || signals.iter().for_each(|&thread| handler(&loan, thread)))
                })
                .collect();
            for &thread in captures {
                capture(&loan, thread);
            }
            for handler in handlers {
                handler.join().unwrap();
            }
            assert!(
                loan.lender().reclaim().is_some(),
                "every handler has finished"
            );
        });
    }

    #[test]
    fn handlers_of_two_threads_never_share_the_value() {
        check(&[&[THREAD], &[OTHER]], &[THREAD, OTHER]);
    }

    #[test]
    fn a_late_signal_and_the_next_to_one_thread_do_no_harm() {
        check(&[&[THREAD, THREAD]], &[THREAD, THREAD]);
    }

    #[test]
    fn owners_wait_for_each_other() {
        loom::model(|| {
            let loan = Arc::new(Loan::new(0));
            let owner = {
                let loan = Arc::clone(&loan);
                thread::spawn(move || capture(&loan, OTHER))
            };
            handler(&loan, OTHER);
            capture(&loan, THREAD);
            owner.join().unwrap();
            assert!(loan.lender().reclaim().is_some());
        });
    }
}

#[cfg(test)]
#[cfg(not(siding_model))]
mod tests {
    use super::*;

    const THREAD: Tid = Tid::from_raw(7);
    const OTHER: Tid = Tid::from_raw(8);

    #[test]
    fn only_the_thread_that_was_offered_it_takes_the_value() {
        let loan = Loan::new(0);
        assert!(loan.take(THREAD).is_none());
        let mut lender = loan.lender();
        lender.offer(THREAD);
        assert!(loan.take(OTHER).is_none());
        *loan.take(THREAD).unwrap() = 5;
        assert!(lender.is_home());
        assert_eq!(lender.reclaim(), Some(&mut 5));
    }

    #[test]
    fn a_withdrawn_offer_is_gone() {
        let loan = Loan::new(0);
        let mut lender = loan.lender();
        lender.offer(THREAD);
        assert!(lender.reclaim().is_some());
        assert!(loan.take(THREAD).is_none());
    }

    #[test]
    fn an_offer_ends_with_its_owner() {
        let loan = Loan::new(0);
        loan.lender().offer(THREAD);
        assert!(loan.take(THREAD).is_none());
    }

    #[test]
    fn a_value_at_work_stays_there() {
        let loan = Loan::new(0);
        let mut lender = loan.lender();
        lender.offer(THREAD);
        let at_work = loan.take(THREAD).unwrap();
        assert_eq!(lender.reclaim(), None);
        lender.offer(OTHER);
        assert!(loan.take(OTHER).is_none());
        drop(at_work);
        assert!(lender.reclaim().is_some());
    }
}
