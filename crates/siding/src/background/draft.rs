//! Who decides whether a list's work runs: the handler, until it returns; then the response, until it has been sent.

use std::sync::Arc;

use axum::response::Response;

use super::list::List;
use super::scope;

/// The list of a handler that has not returned. Dropping it drops the work: the handler did not return.
#[derive(Debug)]
pub(crate) struct Draft(Option<Arc<List>>);

impl Draft {
    pub(super) fn new(list: Arc<List>) -> Self {
        Self(Some(list))
    }

    pub(super) fn list(&self) -> &Arc<List> {
        self.0.as_ref().expect("present until it is attached")
    }

    /// The handler has returned `response`: its work begins when that has been sent, or dropped.
    pub(crate) fn attach(mut self, response: &mut Response) {
        let list = self.0.take().expect("present until it is attached");
        let extensions = response.extensions_mut();
        let first = extensions.remove::<Launch>();
        let _begin = Arc::new(Begin {
            list,
            _first: first,
        });
        extensions.insert(Launch { _begin });
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if let Some(list) = self.0.take() {
            list.discard("its handler did not return");
        }
    }
}

/// A response's background work. The work begins when the last clone is dropped, so that whatever becomes of the response,
/// it is not lost.
#[derive(Clone, Debug)]
pub(crate) struct Launch {
    _begin: Arc<Begin>,
}

#[derive(Debug)]
struct Begin {
    list: Arc<List>,
    /// That of a handler which this one called.
    _first: Option<Launch>,
}

impl Drop for Begin {
    fn drop(&mut self) {
        self.list.begin();
    }
}

/// Takes the list of the handler that runs on this thread, if it has asked for one.
pub(crate) fn take() -> Option<Draft> {
    scope::take()
}

/// Attaches the list of the handler that runs on this thread, if it has asked for one, to its response.
pub(crate) fn attach(mut response: Response) -> Response {
    if let Some(draft) = take() {
        draft.attach(&mut response);
    }
    response
}
