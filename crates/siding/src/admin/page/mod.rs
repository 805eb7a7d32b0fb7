//! The files of the dashboard, embedded: a page, its styles and its modules, as they are written. Nothing builds them.
//!
//! They hold no data, so they are served without a token. The page asks `/api` for everything, and puts what it gets there on
//! the screen as text, never as markup.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::LazyLock;

/// One file of the page.
#[derive(Debug)]
pub(super) struct Asset {
    /// Its path below `/assets/`.
    pub(super) path: &'static str,
    pub(super) content_type: &'static str,
    pub(super) bytes: &'static [u8],
    /// A strong entity tag, with its quotation marks. It changes with the content.
    pub(super) etag: String,
}

/// The page itself, for `GET /`.
pub(super) fn index() -> &'static Asset {
    &INDEX
}

/// The file with this path below `/assets/`.
pub(super) fn asset(path: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.path == path)
}

static INDEX: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("index.html", include_bytes!("index.html")));

/// The files with these paths, which are the same here and below `/assets/`.
macro_rules! assets {
    ($($path:literal)*) => {
        LazyLock::new(|| vec![$(Asset::new($path, include_bytes!($path))),*])
    };
}

static ASSETS: LazyLock<Vec<Asset>> = assets! {
    "css/base.css"
    "css/frame.css"
    "css/parts.css"
    "css/table.css"
    "css/tokens.css"
    "css/views.css"
    "icon.svg"
    "js/advice.js"
    "js/api.js"
    "js/change.js"
    "js/clock.js"
    "js/concerns.js"
    "js/dialog.js"
    "js/dom.js"
    "js/format.js"
    "js/lanes.js"
    "js/live.js"
    "js/main.js"
    "js/overview/head.js"
    "js/overview/lane.js"
    "js/overview/latest.js"
    "js/overview/plots.js"
    "js/overview/upstreams.js"
    "js/parts.js"
    "js/plot.js"
    "js/rate.js"
    "js/router.js"
    "js/series.js"
    "js/stack.js"
    "js/store.js"
    "js/table.js"
    "js/tasks/page.js"
    "js/tasks/parts.js"
    "js/tasks/queues.js"
    "js/tasks/states.js"
    "js/views/overview.js"
    "js/views/route.js"
    "js/views/routes.js"
    "js/views/schedules.js"
    "js/views/session.js"
    "js/views/stalls.js"
    "js/views/task.js"
    "js/views/tasks.js"
    "js/views/workers.js"
    "vendor/uplot/uPlot.iife.min.js"
    "vendor/uplot/uPlot.min.css"
};

impl Asset {
    fn new(path: &'static str, bytes: &'static [u8]) -> Self {
        let mut hasher = DefaultHasher::new();
        bytes.hash(&mut hasher);
        Self {
            path,
            content_type: content_type(path),
            bytes,
            etag: format!("\"{:016x}\"", hasher.finish()),
        }
    }
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.') {
        Some((_, "html")) => "text/html; charset=utf-8",
        Some((_, "css")) => "text/css; charset=utf-8",
        Some((_, "js")) => "text/javascript; charset=utf-8",
        Some((_, "svg")) => "image/svg+xml",
        _ => "application/octet-stream",
    }
}
