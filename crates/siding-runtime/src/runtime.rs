//! The runtime: one tokio event loop with relief workers, the lanes, the guard.

use std::cell::RefCell;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use crate::config::Config;
use crate::context::{RouteId, WorkContext};
use crate::event::{Observer, Observers};
use crate::guard::{self, Guarded, Slots};
use crate::lane::{Compute, LaneKind, LaneSnapshot, Threads};
use crate::placement::Routes;

/// The lanes that take jobs.
#[derive(Debug)]
pub(crate) struct Lanes {
    pub(crate) threads: Threads,
    pub(crate) compute: Compute,
}

/// Builds a [`Runtime`].
#[derive(Default)]
pub struct Builder {
    config: Config,
    observers: Vec<Box<dyn Observer>>,
}

impl Builder {
    /// A builder with every default.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Replaces every setting.
    #[must_use]
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// Adds an observer of the runtime's events.
    #[must_use]
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.observers.push(Box::new(observer));
        self
    }

    /// Starts the runtime.
    ///
    /// # Errors
    /// When the operating system refuses a thread or an event queue.
    pub fn build(self) -> io::Result<Runtime> {
        let slots = Arc::new(Slots::default());
        let observers = Observers::new(self.observers);
        let lanes = Arc::new(Lanes {
            threads: Threads::new(self.config.threads, Arc::clone(&slots), observers.clone()),
            compute: Compute::new(self.config.compute, Arc::clone(&slots), observers.clone()),
        });
        let on_start = Arc::clone(&slots);
        let tokio = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(self.config.event_loop_threads)
            .enable_all()
            .on_thread_start(move || guard::attach(&on_start, LaneKind::EventLoop))
            .build()?;
        let handle = Handle(Arc::new(Shared {
            config: self.config,
            routes: Routes::new(Arc::clone(&lanes)),
            lanes,
            tokio: tokio.handle().clone(),
        }));
        Ok(Runtime { tokio, handle })
    }
}

#[derive(Debug)]
struct Shared {
    config: Config,
    routes: Routes,
    lanes: Arc<Lanes>,
    tokio: tokio::runtime::Handle,
}

/// A running runtime. Dropping it shuts it down without waiting for work that is still running.
#[derive(Debug)]
pub struct Runtime {
    tokio: tokio::runtime::Runtime,
    handle: Handle,
}

impl Runtime {
    /// A handle to this runtime.
    #[must_use]
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Runs `future` on the calling thread until it completes; what it spawns runs on the event loop.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        let _current = self.handle.enter();
        self.tokio.block_on(future)
    }

    /// Shuts down: waits up to `limit` for what runs in the lanes, then leaves.
    pub fn shut_down(self, limit: Duration) {
        self.handle.0.lanes.threads.shut_down(limit);
        self.handle.0.lanes.compute.shut_down(limit);
        self.tokio.shutdown_timeout(limit);
    }
}

thread_local! {
    static CURRENT: RefCell<Option<Handle>> = const { RefCell::new(None) };
}

/// A handle to a [`Runtime`]. Clones are cheap and share it.
#[derive(Clone, Debug)]
pub struct Handle(Arc<Shared>);

/// Until it is dropped, its runtime is the current one of this thread.
#[derive(Debug)]
#[must_use]
pub struct EnterGuard {
    previous: Option<Handle>,
}

impl Drop for EnterGuard {
    fn drop(&mut self) {
        CURRENT.set(self.previous.take());
    }
}

impl Handle {
    /// The runtime that the calling thread belongs to: any thread of its lanes, or inside [`Runtime::block_on`].
    ///
    /// # Panics
    /// On any other thread.
    #[must_use]
    pub fn current() -> Self {
        Self::try_current().expect("called from a thread that belongs to no Siding runtime")
    }

    /// Like [`current`](Self::current), `None` on a thread that belongs to no runtime.
    #[must_use]
    pub fn try_current() -> Option<Self> {
        CURRENT.with_borrow(Clone::clone)
    }

    /// Makes this the current runtime of the calling thread.
    pub fn enter(&self) -> EnterGuard {
        EnterGuard {
            previous: CURRENT.replace(Some(self.clone())),
        }
    }

    /// Spawns a task on the event loop, its polls guarded and accounted to the current route, if any.
    pub fn spawn<F>(&self, future: F) -> tokio::task::JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let route = WorkContext::current().map_or(RouteId::BACKGROUND, |context| context.route);
        self.spawn_as(route, future)
    }

    /// Spawns a task whose polls are accounted to `route`.
    pub fn spawn_as<F>(&self, route: RouteId, future: F) -> tokio::task::JoinHandle<F::Output>
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

    /// The routes.
    #[must_use]
    pub fn routes(&self) -> &Routes {
        &self.0.routes
    }

    /// The settings that the runtime was started with.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// Figures of the lanes that take jobs.
    #[must_use]
    pub fn lanes(&self) -> Vec<LaneSnapshot> {
        vec![self.threads().snapshot(), self.compute().snapshot()]
    }
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}
