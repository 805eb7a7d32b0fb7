//! Stacks of threads that are stuck, taken and named.
#![expect(unsafe_code, reason = "blocking a signal has no safe wrapper")]

use std::hint::black_box;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::ptr;
use std::sync::mpsc::Receiver;

use super::*;
use crate::inspect::activity::Syscall;
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

#[inline(never)]
fn waiting_for_a_peer(near: &mut TcpStream) -> io::Result<usize> {
    let read = io::Read::read(near, &mut [0]);
    black_box(());
    read
}

/// A thread that reads from a silent peer, with a time limit or without. What came of it is told to the receiver.
fn reader(limit: Option<Duration>) -> (Subject, TcpStream, Receiver<io::Result<usize>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (far, _) = listener.accept().unwrap();
    near.set_read_timeout(limit).unwrap();
    let (sender, receiver) = channel();
    let subject = Subject::doing(move || sender.send(waiting_for_a_peer(&mut near)).unwrap());
    (subject, far, receiver)
}

/// The call that it is blocked in, once it is.
#[track_caller]
fn blocked_in(subject: &Subject) -> Syscall {
    let probe = subject.probe();
    let look = || match probe.activity() {
        Ok(Activity::InSyscall(call)) if matches!(&*call.name(), "recvfrom" | "read") => Some(call),
        _ => None,
    };
    eventually(look, || "it does not read".to_owned())
}

#[test]
fn only_a_time_limit_makes_a_call_that_signals_cut_short() {
    for (limit, expected) in [(None, false), (Some(PATIENCE), true)] {
        let (subject, _far, _) = reader(limit);
        assert_eq!(blocked_in(&subject).is_cut_short_by_signals(), expected);
    }
}

/// Its stack as it is read from outside, and whether that is all of it.
fn walked(subject: &Subject, call: &Syscall) -> (Stack, bool) {
    let sampler = Sampler::install().unwrap();
    let (raw, is_whole) = match sampler.walk_blocked(subject.bounds, call).unwrap() {
        Walked::Whole(raw) => (raw, true),
        Walked::Part(raw) => (raw, false),
    };
    let (sender, receiver) = channel();
    let symbols = Symbols::new();
    symbols
        .resolve(raw, move |stack| sender.send(stack).unwrap())
        .unwrap();
    (receiver.recv().unwrap(), is_whole)
}

#[test]
fn a_stack_is_read_from_outside_without_cutting_the_call_short() {
    let (subject, far, outcome) = reader(Some(PATIENCE));
    let (stack, is_whole) = walked(&subject, &blocked_in(&subject));
    assert!(is_whole, "{stack}");
    let frame = stack.user_frame().unwrap_or_else(|| panic!("{stack}"));
    assert!(frame.function.ends_with("::waiting_for_a_peer"), "{stack}");
    drop(far);
    assert_eq!(outcome.recv_timeout(PATIENCE).unwrap().unwrap(), 0);
}

#[test]
fn a_stack_from_outside_is_whole_only_if_it_reaches_the_threads_first_function() {
    let (reader, _far, _) = reader(None);
    let sleeper = Subject::doing(sleeping_beauty);
    let asleep = || match sleeper.probe().activity() {
        Ok(Activity::InSyscall(call)) => (&*call.name() == "clock_nanosleep").then_some(call),
        _ => None,
    };
    let asleep = eventually(asleep, || "it does not sleep".to_owned());
    for (subject, call) in [(&sleeper, asleep), (&reader, blocked_in(&reader))] {
        let (stack, is_whole) = walked(subject, &call);
        let first = |frame: &Frame| frame.function.ends_with("::thread_start");
        assert_eq!(stack.frames.iter().any(first), is_whole, "{stack}");
    }
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
