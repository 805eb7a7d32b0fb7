//! The error of a handler, whatever its type.

use std::error::Error as StdError;
use std::fmt;

use axum::response::{IntoResponse, Response};

use super::handlers::ErrorHandlers;
use super::known::known;
use crate::Problem;

/// Any error, on its way to become a response.
///
/// `?` turns every error into it: an application's own, those of the libraries that it calls, a [`Problem`]. What the client is
/// told of each type is said once, with [`App::on_error`](crate::App::on_error).
///
/// ```
/// use siding::extract::Path;
/// use siding::{App, Error, Problem, StatusCode, get};
///
/// #[derive(Debug, thiserror::Error)]
/// enum UserError {
///     #[error("there is no user {0}")]
///     Unknown(u64),
///     #[error("failed to read the list of users")]
///     List(#[from] std::io::Error),
/// }
///
/// async fn show(Path(id): Path<u64>) -> Result<String, Error> {
///     match id {
///         1 => Ok("Ann".to_owned()),
///         id => Err(UserError::Unknown(id).into()),
///     }
/// }
///
/// fn list() -> Result<String, Error> {
///     Ok(std::fs::read_to_string("users")?)
/// }
///
/// let app: App = App::new("users")
///     .route("/users", get(list))
///     .route("/users/{id}", get(show))
///     .on_error(|error: &UserError| match error {
///         UserError::Unknown(_) => Problem::new(StatusCode::NOT_FOUND).with_detail(error.to_string()),
///         UserError::List(_) => Problem::internal(error),
///     });
/// ```
///
/// # How it becomes a response
///
/// [`into_response`](IntoResponse::into_response) looks at the error, then at its source, at the source of that, and so on, for the
/// first that has a handler in the application, or that Siding itself has an answer to: [`Problem`], [`Invalid`](crate::Invalid),
/// axum's rejections, [`JobError`](crate::JobError), [`CallError`](crate::CallError) and the errors of [tasks](crate::tasks). The
/// application's handlers come first. Where there is none the answer is 500; the error with all its sources is logged once, under a
/// correlation id, and the client gets only the id.
///
/// It happens where the handler returned, on its lane and inside of all layers, so that every layer sees the response as it will
/// be; in a child process too, and in the handlers and middleware of axum. Outside of an application, in a unit test for one, there
/// are Siding's own answers.
///
/// An error of a `#[error(transparent)]` variant is not a source of the outer error, so a handler of its type does not see it there.
///
/// It is no [`std::error::Error`], which is what lets `?` turn all of those into it. A type of your own that is to be the error
/// of handlers by itself implements `IntoResponse` with `Error::from(self).into_response()`.
pub struct Error(Box<dyn StdError + Send + Sync>);

impl Error {
    /// An error that has lost its type: a `Box<dyn Error + Send + Sync>`, an `anyhow::Error`, a text for the log.
    ///
    /// ```
    /// use siding::Error;
    ///
    /// fn parse(text: &str) -> Result<u32, Box<dyn std::error::Error + Send + Sync>> {
    ///     Ok(text.parse()?)
    /// }
    ///
    /// fn handler() -> Result<String, Error> {
    ///     Ok(parse("7").map_err(Error::boxed)?.to_string())
    /// }
    /// # assert_eq!(handler().unwrap(), "7");
    /// ```
    #[must_use]
    pub fn boxed(error: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self(error.into())
    }

    /// The error.
    #[must_use]
    pub fn get(&self) -> &(dyn StdError + Send + Sync + 'static) {
        &*self.0
    }

    /// The error, if it is an `E`.
    #[must_use]
    pub fn downcast_ref<E: StdError + 'static>(&self) -> Option<&E> {
        self.0.downcast_ref()
    }
}

impl<E> From<E> for Error
where
    E: StdError + Send + Sync + 'static,
{
    fn from(error: E) -> Self {
        Self(Box::new(error))
    }
}

/// For [background work](crate::background), and whoever else takes any error.
impl From<Error> for Box<dyn StdError + Send + Sync> {
    fn from(error: Error) -> Self {
        error.0
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let handlers = ErrorHandlers::current();
        let own = |error| handlers.as_ref()?.answer(error);
        let answer = |error| own(error).or_else(|| known(error).map(Problem::into_response));
        let answer = with_sources(&*self.0).find_map(answer);
        answer.unwrap_or_else(|| Problem::internal(&Chain(&*self.0)).into_response())
    }
}

/// An error, its source, the source of that, and so on.
pub(super) fn with_sources<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

/// The text of an error and of its sources.
pub(crate) struct Chain<'a>(pub(crate) &'a (dyn StdError + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        with_sources(self.0)
            .skip(1)
            .try_for_each(|source| write!(f, ": {source}"))
    }
}
