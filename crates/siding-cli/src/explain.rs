//! An error and its causes as one sentence.

use std::error::Error;
use std::fmt::Write as _;

/// Joins the messages of `error` and of all its sources with colons.
///
/// Errors in this crate never repeat their source in their own message, so the result says
/// everything once.
#[must_use]
pub fn explain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        // Writing into a String cannot fail.
        let _ = write!(text, ": {source}");
        cause = source.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    #[derive(Debug, thiserror::Error)]
    #[error("failed to connect")]
    struct Outer(#[source] io::Error);

    #[test]
    fn names_every_cause_once() {
        let error = Outer(io::Error::other("no route"));
        assert_eq!(explain(&error), "failed to connect: no route");
    }
}
