//! Errors in words.

use std::error::Error;

/// An error and its causes, on one line. Many errors repeat their cause in their own text, and then it is said once.
pub(crate) fn cause(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        let words = error.to_string();
        if !text.contains(&words) {
            text = format!("{text}: {words}");
        }
        next = error.source();
    }
    text
}
