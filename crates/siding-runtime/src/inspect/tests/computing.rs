//! Threads that are blocked on nothing, and what their accounts show.

use super::*;

#[test]
fn a_thread_that_computes_runs() {
    let subject = Subject::computing();
    let probe = subject.probe();
    let activity = || probe.activity();
    eventually(
        || (activity() == Ok(Activity::Running)).then_some(()),
        || format!("{:?}", activity()),
    );
}

#[test]
fn computing_is_booked_while_it_lasts() {
    let subject = Subject::computing();
    let probe = subject.probe();
    let start = probe.account().unwrap();
    let booked = || probe.account().unwrap().since(start).on_cpu >= Duration::from_millis(20);
    eventually(
        || booked().then_some(()),
        || "no time on a CPU is booked".to_owned(),
    );
}

#[test]
fn a_blocked_thread_books_nothing() {
    let probe = Subject::doing(|| sleep(Duration::from_secs(60))).probe();
    let blocked = || matches!(probe.activity(), Ok(Activity::InSyscall(call)) if call.name() == "clock_nanosleep");
    eventually(
        || blocked().then_some(()),
        || format!("{:?}", probe.activity()),
    );
    let start = probe.account().unwrap();
    sleep(Duration::from_millis(20));
    assert_eq!(probe.account().unwrap().since(start), Account::default());
}
