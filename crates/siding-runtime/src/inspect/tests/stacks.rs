//! Stacks of threads that are stuck, taken and named.
#![expect(unsafe_code, reason = "blocking a signal has no safe wrapper")]

use std::hint::black_box;
use std::ptr;

use super::*;
use crate::inspect::stack::RawStack;

impl Subject {
    fn stack(&self, limit: Duration) -> Result<RawStack, Unknown> {
        Sampler::install()
            .unwrap()
            .capture(self.tid, self.bounds, limit)
    }

    /// The stack with its names, captured until it has the function named: the thread may not be there yet.
    #[track_caller]
    fn stack_with(&self, function: &str) -> Stack {
        let symbols = Symbols::new();
        let look = || {
            let raw = self.stack(PATIENCE).unwrap();
            let (sender, receiver) = channel();
            symbols
                .resolve(raw, move |stack| sender.send(stack).unwrap())
                .unwrap();
            let stack = receiver.recv().unwrap();
            stack
                .frames
                .iter()
                .any(|frame| frame.function.ends_with(function))
                .then_some(stack)
        };
        eventually(look, || format!("no frame of {function}"))
    }
}

#[inline(never)]
#[expect(
    clippy::disallowed_methods,
    reason = "a thread that sleeps is what is looked at"
)]
fn sleeping_beauty() {
    thread::sleep(Duration::from_secs(60));
    black_box(());
}

#[track_caller]
fn check_user_frame(subject: &Subject, function: &str, file: &str) {
    let stack = subject.stack_with(function);
    let frame = stack.user_frame().unwrap();
    assert!(
        frame
            .function
            .starts_with("siding_runtime::inspect::tests::"),
        "{frame}"
    );
    assert!(frame.function.ends_with(function), "{frame}");
    assert!(frame.file.as_ref().unwrap().ends_with(file), "{frame}");
    assert!(frame.line.is_some());
}

#[test]
fn the_stack_of_a_blocked_thread_leads_to_the_developers_function() {
    let subject = Subject::doing(sleeping_beauty);
    check_user_frame(&subject, "::sleeping_beauty", "inspect/tests/stacks.rs");
}

#[test]
fn the_stack_of_a_computing_thread_leads_to_the_developers_function() {
    check_user_frame(
        &Subject::computing(),
        "::compute_until",
        "inspect/tests/mod.rs",
    );
}

#[test]
fn a_stack_reaches_the_threads_first_function() {
    let stack = Subject::doing(sleeping_beauty).stack_with("::sleeping_beauty");
    let outer = stack
        .frames
        .iter()
        .any(|frame| frame.function.ends_with("::thread_start"));
    assert!(outer, "{stack}");
}

#[test]
fn a_sleep_goes_on_after_its_stack_was_taken() {
    let (sender, receiver) = channel();
    let subject = Subject::doing(move || {
        sleep(Duration::from_millis(200));
        sender.send(()).unwrap();
    });
    subject.stack(PATIENCE).unwrap();
    receiver.recv_timeout(PATIENCE).unwrap();
}

#[test]
fn a_late_signal_is_harmless() {
    let (unblock, unblocked) = channel::<()>();
    let (is_unblocked, unblocking) = channel();
    let deaf = Subject::doing(move || {
        change_mask(libc::SIG_BLOCK);
        let _ = unblocked.recv();
        // The signal that is pending since arrives here.
        change_mask(libc::SIG_UNBLOCK);
        is_unblocked.send(()).unwrap();
        sleeping_beauty();
    });
    // The first capture may come before the mask, so it is the second that must fail.
    let _ = deaf.stack(Duration::from_millis(20));
    let look = || deaf.stack(Duration::from_millis(20)).err();
    let unknown = eventually(look, || "the thread never blocked the signal".to_owned());
    assert_eq!(
        unknown.reason(),
        "the thread did not answer its signal in time"
    );

    let other = Subject::computing();
    assert!(other.stack(PATIENCE).unwrap().depth() > 1);
    unblock.send(()).unwrap();
    unblocking.recv_timeout(PATIENCE).unwrap();
    assert!(deaf.stack(PATIENCE).unwrap().depth() > 1);
}

#[test]
fn a_thread_that_has_ended_has_no_stack() {
    let subject = Subject::doing(|| {});
    let look = || subject.stack(Duration::from_millis(20)).err();
    let unknown = eventually(look, || "the thread lives on".to_owned());
    assert!(!unknown.reason().is_empty());
}

#[test]
fn a_refresh_without_new_libraries_keeps_captures_working() {
    Sampler::install().unwrap().refresh();
    assert!(Subject::computing().stack(PATIENCE).unwrap().depth() > 1);
}

/// Blocks or unblocks the sampler's signal for the calling thread.
fn change_mask(how: libc::c_int) {
    // SAFETY: zeroes are a valid signal set, `sigemptyset` makes it an empty one, and both calls get pointers to it.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        libc::sigaddset(&raw mut set, libc::SIGURG);
        assert_eq!(
            libc::pthread_sigmask(how, &raw const set, ptr::null_mut()),
            0
        );
    }
}
