//! Routes whose state is there only once the application starts.

use std::future::Future;
use std::pin::Pin;

use axum::Router;

use crate::lifespan::{Lifespan, ResourceError};

type Opening<T> = Pin<Box<dyn Future<Output = Result<T, ResourceError>> + Send>>;

/// Routes that wait for their state: a lifespan function, and what becomes of the routes once it has returned.
pub(super) struct Late {
    open: Box<dyn FnOnce(Lifespan) -> Opening<LateRouters> + Send>,
    in_child: InChild,
}

/// Whether children answer for some of the routes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum InChild {
    None,
    Some,
}

/// The routers of an [`App`](super::App), once they have their state.
#[derive(Debug, Default)]
pub(super) struct LateRouters {
    pub(super) public: Router,
    pub(super) in_child: Router,
}

impl Late {
    /// Routers whose state `open` returns.
    pub(super) fn new<S, Fut, E>(
        public: Router<S>,
        (in_child, some): (Router<S>, InChild),
        open: impl FnOnce(Lifespan) -> Fut + Send + 'static,
    ) -> Self
    where
        S: Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<S, E>> + Send + 'static,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let open = move |lifespan| -> Opening<LateRouters> {
            Box::pin(async move {
                let state = open(lifespan).await;
                let state = state.map_err(|error| ResourceError::from_lifespan(error.into()))?;
                Ok(LateRouters {
                    public: public.with_state(state.clone()),
                    in_child: in_child.with_state(state),
                })
            })
        };
        Self {
            open: Box::new(open),
            in_child: some,
        }
    }

    /// Whether a child needs the state.
    pub(super) fn is_in_child(&self) -> bool {
        self.in_child == InChild::Some
    }

    /// Changes the routers once they are there.
    pub(super) fn map(
        self,
        change: impl FnOnce(LateRouters) -> LateRouters + Send + 'static,
    ) -> Self {
        let open = self.open;
        Self {
            open: Box::new(move |lifespan| {
                let opening = open(lifespan);
                Box::pin(async move { opening.await.map(change) })
            }),
            ..self
        }
    }

    /// Opens the state.
    pub(super) async fn open(self, lifespan: Lifespan) -> Result<LateRouters, ResourceError> {
        (self.open)(lifespan).await
    }
}

impl LateRouters {
    /// The same routes under a prefix.
    pub(super) fn nested(self, prefix: &str) -> Self {
        Self {
            public: Router::new().nest(prefix, self.public),
            in_child: Router::new().nest(prefix, self.in_child),
        }
    }

    /// Opens all, in order, and adds their routes to these.
    pub(super) async fn with_all(
        mut self,
        late: Vec<Late>,
        lifespan: &Lifespan,
    ) -> Result<Self, ResourceError> {
        for late in late {
            let opened = late.open(lifespan.clone()).await?;
            self.public = self.public.merge(opened.public);
            self.in_child = self.in_child.merge(opened.in_child);
        }
        // axum makes its services once a state is there, and with every request before.
        self.public = self.public.with_state(());
        self.in_child = self.in_child.with_state(());
        Ok(self)
    }
}
