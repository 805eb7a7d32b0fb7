//! What tests of workers share.

use std::sync::{Arc, mpsc};

use siding_runtime::{Builder, LaneKind};
use siding_tasks::{Broker, Call, Declaration, GetError, TaskFunction, Work};
use tokio::sync::mpsc as channel;

use super::app::App;
use super::faulty::{Asked, Faults, Faulty};

/// A task declared for the lane whose discriminant is `LANE`, as wrappers outside of this crate are.
#[derive(Clone)]
pub(super) struct On<const LANE: u8, F>(pub(super) F);

pub(super) const COMPUTE: u8 = LaneKind::Compute as u8;
pub(super) const PROCESSES: u8 = LaneKind::Processes as u8;

pub(super) struct Wrapped;

impl<const LANE: u8, F: TaskFunction<M>, M> TaskFunction<(Wrapped, M)> for On<LANE, F> {
    type Args = F::Args;
    type Output = F::Output;

    fn declaration() -> Declaration {
        Declaration {
            lane: match LANE {
                COMPUTE => LaneKind::Compute,
                PROCESSES => LaneKind::Processes,
                _ => panic!("no test needs this lane"),
            },
            ..F::declaration()
        }
    }

    fn call(&self, call: Call) -> Work {
        self.0.call(call)
    }
}

/// An application whose broker fails on demand.
pub(super) fn faulty() -> (App, Arc<Faults>, channel::UnboundedReceiver<Asked>) {
    faulty_on(|builder| builder)
}

/// An application whose broker fails on demand, on a runtime with other settings.
pub(super) fn faulty_on(
    settings: impl FnOnce(Builder) -> Builder,
) -> (App, Arc<Faults>, channel::UnboundedReceiver<Asked>) {
    let faults = Arc::new(Faults::default());
    let (asked, requests) = channel::unbounded_channel();
    let theirs = Arc::clone(&faults);
    let wrap = |inner| -> Arc<dyn Broker> {
        Arc::new(Faulty {
            inner,
            faults: theirs,
            asked,
        })
    };
    (App::with(wrap, settings), faults, requests)
}

/// A task that says that it has begun and then never ends by itself; it says when it is dropped.
pub(super) fn endless(app: &App) -> (siding_tasks::Task<(), ()>, mpsc::Receiver<&'static str>) {
    struct Farewell(mpsc::Sender<&'static str>);
    impl Drop for Farewell {
        fn drop(&mut self) {
            // The test may be over.
            let _ = self.0.send("dropped");
        }
    }
    let (said, heard) = mpsc::channel();
    let task = app.tasks.register("endless", move || {
        let said = said.clone();
        async move {
            said.send("began").unwrap();
            let _farewell = Farewell(said);
            std::future::pending::<()>().await;
        }
    });
    (task, heard)
}

#[track_caller]
pub(super) fn check_failed(error: &GetError, exc_type: &str) {
    let GetError::Failed { exception, .. } = error else {
        panic!("{error}");
    };
    assert_eq!(exception.exc_type, exc_type, "{}", exception.message);
}
