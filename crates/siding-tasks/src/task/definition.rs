//! What is known of a registered task, without its types.

use std::fmt;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use siding_runtime::{Kind, LaneKind, Route, RouteSpec, Routes};

use super::arguments::ReadArguments;
use super::{Call, Declaration, Options, TaskFunction, Work};
use crate::canvas::NEUTRAL_PRIORITY;
use crate::message::{Message, Signature};

/// A registered task: its function, its options, and its route once a worker has one.
pub(crate) struct Definition {
    name: String,
    declaration: Declaration,
    arguments: usize,
    options: RwLock<Arc<Options>>,
    function: Box<dyn Fn(Call) -> Work + Send + Sync>,
    route: OnceLock<Arc<Route>>,
}

impl Definition {
    /// # Panics
    /// When `function` returns a `Result` whose errors would be taken for successes, or is an `async fn` that is declared for
    /// the process lane.
    pub(crate) fn new<F, M>(name: String, function: F) -> Self
    where
        F: TaskFunction<M>,
    {
        let declaration = F::declaration();
        assert!(
            !declaration.hides_errors,
            "the task {name:?} returns a `Result` whose error is no error: let it implement `std::error::Error`, or be a \
             `TaskError`"
        );
        assert!(
            (declaration.kind, declaration.lane) != (Kind::Async, LaneKind::Processes),
            "the task {name:?} is an `async fn`, and children of the process lane run plain functions only"
        );
        Self {
            name,
            declaration,
            arguments: F::Args::COUNT,
            options: RwLock::default(),
            function: Box::new(move |call| function.call(call)),
            route: OnceLock::new(),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn declaration(&self) -> Declaration {
        self.declaration
    }

    /// How many arguments it takes.
    pub(crate) fn arguments(&self) -> usize {
        self.arguments
    }

    pub(crate) fn options(&self) -> Arc<Options> {
        let options = self.options.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&options)
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut Options)) {
        let mut options = self.options.write().unwrap_or_else(PoisonError::into_inner);
        change(Arc::make_mut(&mut options));
    }

    pub(crate) fn call(&self, call: Call) -> Work {
        (self.function)(call)
    }

    /// A message for it with its options, but for the priority, whose number is the broker's to say.
    pub(crate) fn message(&self) -> Message {
        let options = self.options();
        Message {
            queue: options.queue.clone(),
            time_limits: options.time_limits,
            ignore_result: options.ignore_result,
            ..Message::new(&*self.name)
        }
    }

    /// A signature of it with its options, without arguments.
    pub(crate) fn signature(&self) -> Signature {
        let options = self.options();
        let mut signature = Signature::new(&*self.name);
        if options.queue != Message::DEFAULT_QUEUE {
            signature.set("queue", &options.queue);
        }
        if let Some(priority) = options.priority {
            signature.set(NEUTRAL_PRIORITY, &priority.get());
        }
        if let Some(limit) = options.time_limits.hard {
            signature.set("time_limit", &limit.as_secs_f64());
        }
        if let Some(limit) = options.time_limits.soft {
            signature.set("soft_time_limit", &limit.as_secs_f64());
        }
        if options.ignore_result {
            signature.set("ignore_result", &true);
        }
        signature
    }

    /// Its route among those of the runtime that runs it, which is the first that asked.
    pub(crate) fn route(&self, routes: &Routes) -> &Arc<Route> {
        self.route.get_or_init(|| {
            routes.register(RouteSpec {
                name: format!("task {}", self.name),
                kind: self.declaration.kind,
                declared: self.declaration.lane,
                pinned: self.declaration.pinned,
            })
        })
    }
}

impl fmt::Debug for Definition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Definition")
            .field("name", &self.name)
            .field("declaration", &self.declaration)
            .field("options", &self.options())
            .finish_non_exhaustive()
    }
}
