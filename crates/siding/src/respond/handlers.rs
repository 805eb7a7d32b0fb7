//! What an application answers to errors, by their types.

use std::any::{TypeId, type_name};
use std::cell::RefCell;
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use siding_runtime::Handle;

use crate::Problem;

type Answer = Arc<dyn Fn(&(dyn StdError + 'static)) -> Option<Response> + Send + Sync>;

/// What an application answers to errors, by their types. An application has one such list, and its runtime carries it.
#[derive(Clone, Default)]
pub(crate) struct ErrorHandlers(Vec<ErrorHandler>);

#[derive(Clone)]
struct ErrorHandler {
    /// The type of the errors that it answers.
    id: TypeId,
    name: &'static str,
    answer: Answer,
}

impl ErrorHandlers {
    /// Adds a handler for errors of type `E`.
    ///
    /// # Panics
    /// When there is one, or `E` is a [`Problem`].
    #[track_caller]
    pub(crate) fn add<E, R>(&mut self, answer: impl Fn(&E) -> R + Send + Sync + 'static)
    where
        E: StdError + 'static,
        R: IntoResponse,
    {
        assert!(
            TypeId::of::<E>() != TypeId::of::<Problem>(),
            "a `Problem` is an answer already, and has no error handler"
        );
        self.push(ErrorHandler {
            id: TypeId::of::<E>(),
            name: type_name::<E>(),
            answer: Arc::new(move |error| error.downcast_ref().map(&answer).map(R::into_response)),
        });
    }

    /// Adds the handlers of an application that becomes a part of this one.
    ///
    /// # Panics
    /// When both have one for the same type.
    #[track_caller]
    pub(crate) fn merge(&mut self, others: Self) {
        for handler in others.0 {
            self.push(handler);
        }
    }

    #[track_caller]
    fn push(&mut self, handler: ErrorHandler) {
        assert!(
            self.0.iter().all(|other| other.id != handler.id),
            "`{}` has an error handler already; an application, with all that is merged into it, has one for each type",
            handler.name
        );
        self.0.push(handler);
    }

    /// The response to an error that has a handler here.
    pub(super) fn answer(&self, error: &(dyn StdError + 'static)) -> Option<Response> {
        self.0.iter().find_map(|handler| (handler.answer)(error))
    }

    /// Those of the application that the thread works for.
    pub(super) fn current() -> Option<Arc<Self>> {
        let attached = || Handle::try_current()?.attachment::<Arc<Self>>().cloned();
        IN_CHILD.with_borrow(Clone::clone).or_else(attached)
    }

    /// Makes these the current ones of the thread while `f` runs: in a child process there is no runtime to carry them.
    pub(crate) fn during<R>(self: &Arc<Self>, f: impl FnOnce() -> R) -> R {
        let _scope = Scope(IN_CHILD.replace(Some(Arc::clone(self))));
        f()
    }
}

thread_local! {
    static IN_CHILD: RefCell<Option<Arc<ErrorHandlers>>> = const { RefCell::new(None) };
}

/// Puts the outer handlers back, also after a panic.
struct Scope(Option<Arc<ErrorHandlers>>);

impl Drop for Scope {
    fn drop(&mut self) {
        IN_CHILD.set(self.0.take());
    }
}

impl fmt::Debug for ErrorHandlers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set()
            .entries(self.0.iter().map(|handler| handler.name))
            .finish()
    }
}
