//! The handle to a running runtime, and how a thread finds the runtime that it belongs to.

use std::any::Any;
use std::cell::RefCell;
use std::future::Future;
use std::sync::{Arc, OnceLock, Weak};

use tokio::task::JoinHandle;

use crate::background::Background;
use crate::config::Config;
use crate::context::{RouteId, WorkContext};
use crate::guard::{Guarded, Stall, StallLog};
use crate::lane::{Compute, LaneSnapshot, Lanes, Processes, Threads};
use crate::placement::Routes;
use crate::relief::{Relief, ReliefSnapshot};

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) routes: Arc<Routes>,
    pub(crate) lanes: Lanes,
    pub(crate) stalls: Arc<StallLog>,
    pub(crate) relief: Arc<Relief>,
    pub(crate) background: Background,
    pub(crate) tokio: tokio::runtime::Handle,
    pub(crate) attachment: Option<Box<dyn Any + Send + Sync>>,
}

/// A handle to a [`Runtime`](crate::Runtime). Clones are cheap and share it. It does not keep the runtime running.
#[derive(Clone, Debug)]
pub struct Handle(Arc<Shared>);

impl Handle {
    /// A handle, known from now on to every thread that settled at `home`.
    pub(crate) fn new(shared: Shared, home: &Home) -> Self {
        let handle = Self(Arc::new(shared));
        home.0
            .set(Arc::downgrade(&handle.0))
            .expect("a home is given one runtime");
        handle
    }

    /// The runtime that the calling thread belongs to: any thread of its lanes, or one inside
    /// [`Runtime::block_on`](crate::Runtime::block_on).
    ///
    /// # Panics
    /// On any other thread.
    #[must_use]
    pub fn current() -> Self {
        Self::try_current().expect("called from a thread that belongs to no Siding runtime")
    }

    /// Like [`current`](Self::current), but `None` on a thread that belongs to no runtime.
    #[must_use]
    pub fn try_current() -> Option<Self> {
        CURRENT
            .with_borrow(|home| home.as_ref()?.0.get()?.upgrade())
            .map(Self)
    }

    /// Makes this the current runtime of the calling thread until the returned value is dropped.
    pub fn enter(&self) -> EnterGuard {
        let home = Home(Arc::new(OnceLock::from(Arc::downgrade(&self.0))));
        EnterGuard {
            previous: CURRENT.replace(Some(home)),
        }
    }

    /// Spawns a task on the event loop, its polls guarded and accounted to the current route, if there is one.
    ///
    /// Dropping the returned handle lets the task go on; [`abort`](JoinHandle::abort) cancels it at its next `.await`.
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let route = WorkContext::current().map_or(RouteId::BACKGROUND, |context| context.route);
        self.spawn_as(route, future)
    }

    /// Like [`spawn`](Self::spawn), its polls accounted to `route`.
    pub fn spawn_as<F>(&self, route: RouteId, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.0
            .tokio
            .spawn(Guarded::new(WorkContext::new(route), future))
    }

    /// The thread lane.
    #[must_use]
    pub fn threads(&self) -> &Threads {
        &self.0.lanes.threads
    }

    /// The compute lane.
    #[must_use]
    pub fn compute(&self) -> &Compute {
        &self.0.lanes.compute
    }

    /// The process lane.
    #[must_use]
    pub fn processes(&self) -> &Processes {
        &self.0.lanes.processes
    }

    /// The routes.
    #[must_use]
    pub fn routes(&self) -> &Routes {
        &self.0.routes
    }

    /// The background work that has been accepted and has not ended.
    #[must_use]
    pub fn background(&self) -> &Background {
        &self.0.background
    }

    /// What the application attached to the runtime ([`Builder::attachment`](crate::Builder::attachment)), if it is a `T`.
    #[must_use]
    pub fn attachment<T: Any>(&self) -> Option<&T> {
        self.0.attachment.as_deref()?.downcast_ref()
    }

    /// The settings that the runtime was started with.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// Figures of the lanes that take jobs.
    #[must_use]
    pub fn lanes(&self) -> [LaneSnapshot; 3] {
        [
            self.threads().snapshot(),
            self.compute().snapshot(),
            self.processes().snapshot(),
        ]
    }

    /// The latest stalls of the event loop, at most 256, oldest first; those that still last included.
    #[must_use]
    pub fn stalls(&self) -> Vec<Stall> {
        self.0.stalls.recent()
    }

    /// Those of the latest stalls that began, changed or ended since `version`, oldest first, and the version to ask with the next
    /// time. With 0, all of them. Asking costs next to nothing while there are none.
    #[must_use]
    pub fn stalls_since(&self, version: u64) -> (u64, Vec<Stall>) {
        self.0.stalls.since(version)
    }

    /// How many relief workers are at work.
    #[must_use]
    pub fn relief(&self) -> ReliefSnapshot {
        self.0.relief.snapshot()
    }
}

thread_local! {
    static CURRENT: RefCell<Option<Home>> = const { RefCell::new(None) };
}

/// Where the threads of a runtime find it. Threads start before the runtime is complete, and must not keep it alive.
#[derive(Clone, Debug, Default)]
pub(crate) struct Home(Arc<OnceLock<Weak<Shared>>>);

impl Home {
    /// Makes this the home of the calling thread.
    pub(crate) fn settle(&self) {
        CURRENT.set(Some(self.clone()));
    }
}

/// The scope of [`Handle::enter`].
#[derive(Debug)]
#[must_use]
pub struct EnterGuard {
    previous: Option<Home>,
}

impl Drop for EnterGuard {
    fn drop(&mut self) {
        CURRENT.set(self.previous.take());
    }
}
