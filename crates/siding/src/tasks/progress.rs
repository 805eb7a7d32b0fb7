//! Progress of long work, for a person at a terminal; elsewhere it is not drawn.

use indicatif::{ProgressBar, ProgressStyle};

/// Counts what is done when nobody knows how much there is.
pub(super) fn counter(done: &'static str) -> ProgressBar {
    styled(ProgressBar::new_spinner(), "{spinner} {pos} {msg}").with_message(done)
}

/// Shows how much of `total` is done.
pub(super) fn bar(total: u64) -> ProgressBar {
    styled(ProgressBar::new(total), "{bar:40} {pos}/{len} {eta}")
}

fn styled(progress: ProgressBar, template: &str) -> ProgressBar {
    let style =
        ProgressStyle::with_template(template).expect("the templates above are well formed");
    progress.with_style(style)
}
