//! What goes with a worker whose broker carries events and remote control.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::event::{Event, Sender};
use super::herald::{Herald, Outlet};
use super::panel::Panel;
use super::reporter::Reporter;
use super::{Remote, RemoteControl};
use crate::broker::Broker;
use crate::worker::{Crew, Observer};

/// How long a worker that has stopped takes to say so.
const FAREWELL: Duration = Duration::from_secs(5);

/// What goes with a worker: it sends events, and answers remote control. Nothing, where the broker carries no such messages.
#[derive(Debug)]
pub(crate) struct Companion(Option<Parts>);

#[derive(Debug)]
struct Parts {
    remote: Arc<dyn Remote>,
    reporter: Arc<Reporter>,
    events: mpsc::Receiver<Event>,
    sender: Sender,
    allowed: RemoteControl,
}

impl Companion {
    /// Of a worker `name`, which sends events of its tasks if `task_events`.
    pub(crate) fn new(
        broker: &dyn Broker,
        name: &str,
        task_events: bool,
        allowed: RemoteControl,
    ) -> Self {
        Self(broker.remote().map(|remote| {
            let (reporter, events) = Reporter::new(task_events);
            Parts {
                remote,
                reporter: Arc::new(reporter),
                events,
                sender: Sender::new(name.to_owned()),
                allowed,
            }
        }))
    }

    /// Who wants to hear of tasks.
    pub(crate) fn observers(&self) -> Vec<Arc<dyn Observer>> {
        let parts = self.0.iter();
        parts
            .map(|parts| Arc::clone(&parts.reporter) as _)
            .collect()
    }

    /// Goes with the worker from now on.
    pub(crate) fn join(self, crew: &Arc<Crew>) -> Joined {
        Joined(self.0.map(|parts| parts.join(crew)))
    }
}

impl Parts {
    fn join(self, crew: &Arc<Crew>) -> Running {
        let listener = match &self.allowed {
            RemoteControl::Off => None,
            RemoteControl::All | RemoteControl::Only(_) => {
                Some(self.remote.listen(crew.name.clone()))
            }
        };
        let panel = Panel {
            crew: Arc::clone(crew),
            remote: Arc::clone(&self.remote),
            reporter: Arc::clone(&self.reporter),
            allowed: self.allowed,
            begun: tokio::time::Instant::now(),
        };
        let herald = Herald {
            crew: Arc::clone(crew),
            reporter: self.reporter,
            outlet: Outlet {
                remote: self.remote,
                sender: self.sender,
                unsent: 0,
            },
            events: self.events,
        };
        let (stop, stopped) = watch::channel(());
        let listening = listener.map(|listener| panel.run(listener, stopped.clone()));
        Running {
            stop: Some(stop),
            panel: listening.map(|listening| crew.handle.spawn(listening)),
            herald: crew.handle.spawn(herald.run(stopped)),
        }
    }
}

/// A companion that goes with its worker, until it is dropped.
#[derive(Debug)]
pub(crate) struct Joined(Option<Running>);

#[derive(Debug)]
struct Running {
    /// Dropping it says that the worker has stopped.
    stop: Option<watch::Sender<()>>,
    panel: Option<JoinHandle<()>>,
    herald: JoinHandle<()>,
}

impl Joined {
    /// Gives the last answer, and says that the worker is gone.
    pub(crate) async fn leave(mut self) {
        let Some(running) = &mut self.0 else { return };
        running.stop = None;
        let left = async {
            if let Some(panel) = &mut running.panel {
                // Whatever became of it, it answers no more.
                let _ = panel.await;
            }
            let _ = (&mut running.herald).await;
        };
        if tokio::time::timeout(FAREWELL, left).await.is_err() {
            tracing::warn!("nobody could be told that the worker has stopped");
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.herald.abort();
        if let Some(panel) = &self.panel {
            panel.abort();
        }
    }
}
