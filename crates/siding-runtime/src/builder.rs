//! Starts a runtime.

use std::any::Any;
use std::ffi::OsString;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use crate::background::Background;
use crate::config::{ComputeConfig, Config, PlacementConfig, ProcessesConfig, ThreadsConfig};
use crate::event::{Observer, Observers};
use crate::guard::{self, Parts, Slots, StallLog};
use crate::handle::{Handle, Home, Shared};
use crate::lane::{Compute, Functions, Lanes, Processes, Threads, is_child};
use crate::placement::{Court, Routes};
use crate::priority;
use crate::relief::Relief;
use crate::runtime::Runtime;

/// The spare workers are occupied before the runtime is handed out; a machine too busy to do that in time starts with
/// some of them still on their way.
const RELIEF_START_LIMIT: Duration = Duration::from_secs(5);

/// Builds a [`Runtime`].
///
/// ```
/// use std::time::Duration;
///
/// let runtime = siding_runtime::Builder::new()
///     .event_loop_threads(2)
///     .stall_threshold(Duration::from_millis(20))
///     .build()?;
/// let sum = runtime.block_on(async {
///     siding_runtime::compute(|| (1..=10).sum::<u32>()).await
/// });
/// assert_eq!(sum, Ok(55));
/// runtime.shut_down(Duration::from_secs(1));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Default)]
pub struct Builder {
    config: Config,
    observers: Vec<Box<dyn Observer>>,
    functions: Functions,
    child_args: Option<Vec<OsString>>,
    attachment: Option<Box<dyn Any + Send + Sync>>,
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

    /// Sets how many event-loop threads run at the same time; one a core unless set.
    #[must_use]
    pub fn event_loop_threads(mut self, threads: usize) -> Self {
        self.config.event_loop_threads = threads;
        self
    }

    /// Sets how many spare event-loop threads stand by; 40 unless set. Each costs a parked thread. With 0, nobody takes
    /// over for a stalled thread.
    #[must_use]
    pub fn relief_threads(mut self, threads: usize) -> Self {
        self.config.relief_threads = threads;
        self
    }

    /// Sets how long a poll may hold an event-loop thread before it counts as a stall; 10 ms unless set.
    #[must_use]
    pub fn stall_threshold(mut self, threshold: Duration) -> Self {
        self.config.stall_threshold = threshold;
        self
    }

    /// Sets the thread lane's limits.
    #[must_use]
    pub fn threads(mut self, config: ThreadsConfig) -> Self {
        self.config.threads = config;
        self
    }

    /// Sets the compute lane's limits.
    #[must_use]
    pub fn compute(mut self, config: ComputeConfig) -> Self {
        self.config.compute = config;
        self
    }

    /// Sets the process lane's limits.
    #[must_use]
    pub fn processes(mut self, config: ProcessesConfig) -> Self {
        self.config.processes = config;
        self
    }

    /// Sets the functions that the process lane can run. The children are this same program: its `main` must give the same
    /// functions to [`serve_child`](crate::serve_child), first of all.
    #[must_use]
    pub fn functions(mut self, functions: Functions) -> Self {
        self.functions = functions;
        self
    }

    /// Sets the arguments that children are started with; unless set they are those of this process, so that a child's
    /// `main` takes the same way. For programs that reach [`serve_child`](crate::serve_child) only with certain arguments:
    /// a test, for example, is its own child with `--exact` and its name.
    #[must_use]
    pub fn child_args(mut self, args: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        self.child_args = Some(args.into_iter().map(Into::into).collect());
        self
    }

    /// Sets when routes are moved and when they come back.
    #[must_use]
    pub fn placement(mut self, config: PlacementConfig) -> Self {
        self.config.placement = config;
        self
    }

    /// Sets how many pieces of background work may have been accepted and not ended; 65,536 unless set.
    #[must_use]
    pub fn background_max(mut self, pieces: usize) -> Self {
        self.config.background_max = pieces;
        self
    }

    /// Attaches a value of the application's, for [`Handle::attachment`] to find from any thread of the runtime. There is one at
    /// most.
    #[must_use]
    pub fn attachment(mut self, value: impl Any + Send + Sync) -> Self {
        self.attachment = Some(Box::new(value));
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
    /// When the operating system refuses a thread or an event queue, or [`Config::check`] fails, or this process is a child
    /// of the process lane whose `main` has not given it to [`serve_child`](crate::serve_child).
    pub fn build(self) -> io::Result<Runtime> {
        self.config
            .check()
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        if is_child() {
            return Err(io::Error::other(
                "this process is a child of the process lane; `main` must call `serve_child`, or `App::run`, before it starts a runtime",
            ));
        }
        let (config, observers) = (self.config, Observers::new(self.observers));
        let (slots, home) = (Arc::new(Slots::new()), Home::default());
        let tokio = start_event_loop(&config, &slots, &home)?;
        let relief = Arc::new(Relief::new(
            tokio.handle().clone(),
            config.relief_threads,
            guard::is_rested,
        ));
        let processes = Processes::new(
            config.processes,
            observers.clone(),
            self.functions,
            self.child_args,
        );
        let lanes = start_lanes(&config, &observers, &home, processes)?;
        let routes = Arc::new(Routes::new(Arc::new(Court {
            lanes: lanes.clone(),
            rules: config.placement,
            stall_threshold: config.stall_threshold,
            observers: observers.clone(),
            moves: AtomicU64::new(0),
            tokio: tokio.handle().clone(),
        })));
        let stalls = Arc::new(StallLog::default());
        let parts = Parts {
            slots,
            relief: Arc::clone(&relief),
            routes: Arc::clone(&routes),
            observers,
            stalls: Arc::clone(&stalls),
        };
        let monitor = guard::start(&config, parts)?;
        if !relief.wait_engaged(RELIEF_START_LIMIT) {
            tracing::warn!("the machine is busy: not every relief worker is standing by yet");
        }
        let handle = Handle::new(
            Shared {
                config,
                routes,
                lanes,
                stalls,
                relief: Arc::clone(&relief),
                background: Background::new(config.background_max),
                tokio: tokio.handle().clone(),
                attachment: self.attachment,
            },
            &home,
        );
        Ok(Runtime::new(tokio, handle, relief, monitor))
    }
}

fn start_event_loop(
    config: &Config,
    slots: &Arc<Slots>,
    home: &Home,
) -> io::Result<tokio::runtime::Runtime> {
    let (slots, home) = (Arc::clone(slots), home.clone());
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder
        .worker_threads(config.event_loop_threads + config.relief_threads)
        .thread_name("siding-event-loop")
        .enable_all()
        .on_thread_start(move || {
            guard::attach(&slots);
            // Tokio's own blocking threads start here too; a short slice does not change their share.
            priority::run_soon();
            home.settle();
        })
        .on_thread_unpark(guard::note_rest);
    // A task in a stalled worker's LIFO slot cannot be stolen; only unstable tokio can do without the slot.
    #[cfg(tokio_unstable)]
    builder.disable_lifo_slot();
    builder.build()
}

fn start_lanes(
    config: &Config,
    observers: &Observers,
    home: &Home,
    processes: Processes,
) -> io::Result<Lanes> {
    let (threads_home, compute_home) = (home.clone(), home.clone());
    Ok(Lanes {
        threads: Threads::new(config.threads, observers.clone(), move || {
            threads_home.settle()
        }),
        compute: Compute::new(config.compute, observers.clone(), move || {
            compute_home.settle()
        })?,
        processes,
    })
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}
