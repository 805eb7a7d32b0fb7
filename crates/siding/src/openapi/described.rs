//! Saying of a handler what its types cannot.

use std::fmt;
use std::sync::Arc;

use axum::extract::Request;
use axum::http::StatusCode;

use super::{Operation, Output, Signature};
use crate::handler::{Declaration, Handler, Prepare, Visit, via};

/// Has the document describe a handler by its types, and takes what these cannot say. See [`openapi`](super).
#[must_use]
pub fn described<F>(f: F) -> Described<F> {
    Described {
        handler: f,
        sheet: Arc::default(),
    }
}

/// Leaves a handler out of the document, whatever its types are.
#[must_use]
pub fn hidden<F>(f: F) -> Hidden<F> {
    Hidden(f)
}

/// A handler that the document describes; see [`described`].
#[derive(Clone, Debug)]
pub struct Described<F> {
    handler: F,
    /// Shared, because a handler is cloned for every request.
    sheet: Arc<Sheet>,
}

/// A handler that the document leaves out; see [`hidden`].
#[derive(Clone, Copy, Debug)]
pub struct Hidden<F>(F);

type Note = Arc<dyn Fn(&mut Operation<'_>) + Send + Sync>;

/// What is said of a handler beside its types.
#[derive(Clone, Default)]
pub(super) struct Sheet {
    pub(super) summary: Option<String>,
    pub(super) description: Option<String>,
    pub(super) tags: Vec<String>,
    pub(super) operation_id: Option<String>,
    pub(super) security: Vec<String>,
    pub(super) deprecated: bool,
    pub(super) notes: Vec<Note>,
}

/// What a handler says of itself for the document.
#[doc(hidden)]
#[derive(Clone)]
pub struct Description(pub(super) Told);

#[derive(Clone)]
pub(super) enum Told {
    /// Left out of the document.
    Hidden,
    /// What is said of it, and what its types say.
    Described(Arc<Sheet>, fn(&mut Operation<'_>)),
}

impl<F> Described<F> {
    /// What it does, in a few words.
    #[must_use]
    pub fn summary(self, summary: impl Into<String>) -> Self {
        self.change(|sheet| sheet.summary = Some(summary.into()))
    }

    /// What it does, at length, as CommonMark.
    #[must_use]
    pub fn description(self, description: impl Into<String>) -> Self {
        self.change(|sheet| sheet.description = Some(description.into()))
    }

    /// The group that it is shown in. It may have several.
    #[must_use]
    pub fn tag(self, tag: impl Into<String>) -> Self {
        self.change(|sheet| sheet.tags.push(tag.into()))
    }

    /// What generated clients call it. Unless set it is made of method and path: `get_users_by_id`.
    #[must_use]
    pub fn operation_id(self, id: impl Into<String>) -> Self {
        self.change(|sheet| sheet.operation_id = Some(id.into()))
    }

    /// Nobody should begin to use it.
    #[must_use]
    pub fn deprecated(self) -> Self {
        self.change(|sheet| sheet.deprecated = true)
    }

    /// The name of a security scheme, which [`OpenApi::customize`](super::OpenApi::customize) adds. Of several one is enough.
    #[must_use]
    pub fn security(self, scheme: impl Into<String>) -> Self {
        self.change(|sheet| sheet.security.push(scheme.into()))
    }

    /// It can fail with this status, and a [`Problem`](crate::Problem) says so.
    #[must_use]
    pub fn problem(self, status: StatusCode, description: &'static str) -> Self {
        self.with(move |operation| operation.problem(status, description))
    }

    /// It can fail with an `E`, which becomes an [`Error`](crate::Error) by `?`.
    #[must_use]
    pub fn fails<E: Output>(self) -> Self {
        self.with(|operation| operation.with_any_status(E::describe))
    }

    /// Describes it further: bodies, headers, answers.
    #[must_use]
    pub fn with(self, describe: impl Fn(&mut Operation<'_>) + Send + Sync + 'static) -> Self {
        self.change(|sheet| sheet.notes.push(Arc::new(describe)))
    }

    fn change(mut self, change: impl FnOnce(&mut Sheet)) -> Self {
        change(Arc::make_mut(&mut self.sheet));
        self
    }
}

#[diagnostic::do_not_recommend]
impl<F, T, S> Handler<(via::Wrapped, T), S> for Described<F>
where
    F: Signature<T, S>,
{
    type Future = F::Future;

    fn declaration() -> Declaration {
        F::declaration()
    }

    fn call(self, request: Request, state: S, visit: Visit<'_>) -> Self::Future {
        self.handler.call(request, state, visit)
    }

    fn in_child(self) -> Option<Prepare<S>> {
        self.handler.in_child()
    }

    fn description(&self) -> Option<Description> {
        let told = Told::Described(Arc::clone(&self.sheet), F::describe);
        Some(Description(told))
    }
}

#[diagnostic::do_not_recommend]
impl<F, T, S> Handler<(via::Wrapped, T), S> for Hidden<F>
where
    F: Handler<T, S>,
{
    type Future = F::Future;

    fn declaration() -> Declaration {
        F::declaration()
    }

    fn call(self, request: Request, state: S, visit: Visit<'_>) -> Self::Future {
        self.0.call(request, state, visit)
    }

    fn in_child(self) -> Option<Prepare<S>> {
        self.0.in_child()
    }

    fn description(&self) -> Option<Description> {
        Some(Description(Told::Hidden))
    }
}

impl fmt::Debug for Sheet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sheet")
            .field("summary", &self.summary)
            .field("tags", &self.tags)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Told::Hidden => f.write_str("Hidden"),
            Told::Described(sheet, _) => sheet.fmt(f),
        }
    }
}
