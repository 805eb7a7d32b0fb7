//! Why a resource is not there.

use std::error::Error;
use std::fmt;

/// The error of whatever opens a resource.
pub(super) type BoxError = Box<dyn Error + Send + Sync>;

/// A resource could not be opened. It is shown with every cause underneath, on one line.
#[derive(Debug)]
pub struct ResourceError {
    resource: Option<String>,
    cause: BoxError,
}

impl ResourceError {
    /// An error of the application's own: a missing setting, say.
    pub fn new(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            resource: None,
            cause: cause.into(),
        }
    }

    pub(super) fn of(resource: &str, cause: BoxError) -> Self {
        Self {
            resource: Some(resource.to_owned()),
            cause,
        }
    }

    /// What a lifespan function ended with, which may be one of ours.
    pub(crate) fn from_lifespan(cause: BoxError) -> Self {
        match cause.downcast::<Self>() {
            Ok(error) => *error,
            Err(cause) => Self::new(cause),
        }
    }

    /// The name of the resource; none when the application itself gave up between two of them.
    #[must_use]
    pub fn resource(&self) -> Option<&str> {
        self.resource.as_deref()
    }
}

impl fmt::Display for ResourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.resource {
            Some(name) => write!(f, "failed to open {name}: {}", chain(&*self.cause)),
            None => f.write_str(&chain(&*self.cause)),
        }
    }
}

/// Without a source: it is part of what is shown.
impl Error for ResourceError {}

/// An error and its causes, on one line. Many errors repeat their cause in their own text, and then it is said once.
pub(super) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.contains(&next) {
            text = format!("{text}: {next}");
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("no answer")]
    struct NoAnswer(#[source] io::Error);

    #[test]
    fn causes_are_told_once() {
        let refused = || io::Error::new(io::ErrorKind::ConnectionRefused, "refused");
        assert_eq!(
            ResourceError::of("users", NoAnswer(refused()).into()).to_string(),
            "failed to open users: no answer: refused"
        );
        let repeats = io::Error::other(NoAnswer(refused()));
        assert_eq!(
            ResourceError::new(repeats).to_string(),
            "no answer: refused"
        );
    }

    #[test]
    fn an_error_of_ours_stays_what_it_is() {
        let inner = ResourceError::of("users", "refused".into());
        let error = ResourceError::from_lifespan(inner.into());
        assert_eq!(error.resource(), Some("users"));
    }
}
