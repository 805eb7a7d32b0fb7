//! No spans.

use std::net::SocketAddr;

use axum::http::StatusCode;
use axum::http::request::Parts;
use siding_runtime::Route;
use siding_tasks::Tasks;

use super::SpanFigures;
use crate::app::TaskSettings;

/// The span of a request.
#[derive(Debug)]
pub(crate) struct RequestSpan;

#[expect(
    clippy::unused_self,
    reason = "with the feature there is a span to ask"
)]
impl RequestSpan {
    #[inline]
    pub(crate) fn begin(_head: &Parts, _peer: SocketAddr) -> Self {
        Self
    }

    #[inline]
    pub(crate) fn none() -> Self {
        Self
    }

    #[inline]
    pub(crate) fn is_none(&self) -> bool {
        true
    }

    #[inline]
    pub(crate) fn in_scope<R>(&self, f: impl FnOnce() -> R) -> R {
        f()
    }

    #[inline]
    pub(crate) fn answered(&self, _route: Option<&Route>, _status: StatusCode) {}
}

/// Where something comes from that goes on when its request has ended.
#[derive(Clone, Debug)]
pub(crate) struct Origin;

impl Origin {
    pub(crate) fn here() -> Self {
        Self
    }

    pub(crate) async fn follow<F: Future>(self, _name: &'static str, future: F) -> F::Output {
        future.await
    }
}

pub(crate) fn figures() -> Option<SpanFigures> {
    None
}

pub(crate) fn trace_tasks(_tasks: &Tasks, _settings: &TaskSettings) {}

pub(crate) fn finish() {}
