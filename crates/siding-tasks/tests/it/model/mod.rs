//! Random sequences of operations, on the store and on a machine that is small enough to be obviously right.

mod machine;
mod run;

use std::time::Duration;

use proptest::prelude::*;
use siding_tasks::Quota;

/// What can happen. Numbers choose among what is there at that moment.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Enqueue {
        id: usize,
        priority: u8,
        eta_ms: Option<u64>,
        expires_ms: Option<u64>,
        key: Option<usize>,
    },
    EnqueueChord(usize),
    Claim {
        limit: usize,
        /// Of tasks `tests.0`, and of `tests.1` and the parts of chords together.
        quotas: [Option<usize>; 2],
    },
    Succeed(usize),
    Fail(usize),
    Retry(usize, Option<u64>),
    Release(usize),
    Renew(usize),
    Revoke(usize),
    Replay(usize),
    Purge,
    Pass(Duration),
    Crash,
}

/// The quota that `task` stands in.
fn quota<'a>(quotas: &'a mut [Quota], task: &str) -> Option<&'a mut Quota> {
    quotas
        .iter_mut()
        .find(|quota| quota.tasks.iter().any(|name| name == task))
}

fn quota_limit() -> impl Strategy<Value = Option<usize>> {
    proptest::option::weighted(0.3, 0..3_usize)
}

fn step() -> impl Strategy<Value = Step> {
    let id = 0..8_usize;
    let which = 0..64_usize;
    let soon = || proptest::option::weighted(0.3, 1..20_000_u64);
    prop_oneof![
        6 => (id, 0..10_u8, soon(), soon(), proptest::option::weighted(0.3, 0..2_usize)).prop_map(
            |(id, priority, eta_ms, expires_ms, key)| Step::Enqueue { id, priority, eta_ms, expires_ms, key }
        ),
        2 => (1..4_usize).prop_map(Step::EnqueueChord),
        8 => (1..5_usize, quota_limit(), quota_limit())
            .prop_map(|(limit, one, two)| Step::Claim { limit, quotas: [one, two] }),
        6 => which.clone().prop_map(Step::Succeed),
        2 => which.clone().prop_map(Step::Fail),
        2 => (which.clone(), soon()).prop_map(|(which, eta)| Step::Retry(which, eta)),
        2 => which.clone().prop_map(Step::Release),
        2 => which.clone().prop_map(Step::Renew),
        2 => which.clone().prop_map(Step::Revoke),
        2 => which.prop_map(Step::Replay),
        1 => Just(Step::Purge),
        3 => (1..40_000_u64).prop_map(|ms| Step::Pass(Duration::from_millis(ms))),
        1 => Just(Step::Crash),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_store_does_what_the_machine_does(steps in proptest::collection::vec(step(), 1..60)) {
        crate::support::block_on(run::run(&steps))?;
    }
}
