//! The list of an application's routes.

use std::io::{self, Write};

use serde::Serialize;
use siding_runtime::Kind;

use super::App;

/// A route as it is declared.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Listed {
    /// Its methods: `GET`, `GET,POST`, or `*` for all.
    pub methods: String,
    /// Its path, as it was routed.
    pub path: String,
    /// `async` or `fn`.
    pub kind: Kind,
    /// The lane that it is declared for.
    pub lane: siding_runtime::LaneKind,
    /// Whether it stays there whatever it does.
    pub pinned: bool,
}

impl<S> App<S> {
    /// Every route whose handler is Siding's, in the order in which they were added. Those of axum's own routers are
    /// not known before they have answered a request.
    #[must_use]
    pub fn routes(&self) -> Vec<Listed> {
        let list = self.entries.iter().map(|entry| {
            let declaration = entry.stop.declaration();
            Listed {
                methods: entry.stop.methods().to_string(),
                path: entry.path.clone(),
                kind: declaration.kind,
                lane: declaration.lane,
                pinned: declaration.pinned,
            }
        });
        list.collect()
    }
}

/// Writes the list as a table.
pub(super) fn write_table(list: &[Listed], out: &mut impl Write) -> io::Result<()> {
    let methods = width(list.iter().map(|route| route.methods.len()), "METHOD");
    let path = width(list.iter().map(|route| route.path.len()), "PATH");
    writeln!(out, "{:methods$}  {:path$}  KIND   LANE", "METHOD", "PATH")?;
    for route in list {
        let pinned = if route.pinned { " (pinned)" } else { "" };
        writeln!(
            out,
            "{:methods$}  {:path$}  {:5}  {}{pinned}",
            route.methods,
            route.path,
            kind_name(route.kind),
            route.lane
        )?;
    }
    Ok(())
}

/// Writes the list as JSON.
pub(super) fn write_json(list: &[Listed], out: &mut impl Write) -> io::Result<()> {
    let routes = list.iter().map(WireRoute::from).collect();
    serde_json::to_writer_pretty(&mut *out, &Wire { version: 1, routes })?;
    writeln!(out)
}

/// The word for a kind in tables and JSON.
pub(crate) const fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Async => "async",
        Kind::Plain => "fn",
    }
}

fn width(lengths: impl Iterator<Item = usize>, heading: &str) -> usize {
    lengths.max().unwrap_or(0).max(heading.len())
}

#[derive(Serialize)]
struct Wire<'a> {
    version: u32,
    routes: Vec<WireRoute<'a>>,
}

#[derive(Serialize)]
struct WireRoute<'a> {
    methods: &'a str,
    path: &'a str,
    kind: &'static str,
    declared_lane: &'static str,
    pinned: bool,
}

impl<'a> From<&'a Listed> for WireRoute<'a> {
    fn from(route: &'a Listed) -> Self {
        Self {
            methods: &route.methods,
            path: &route.path,
            kind: kind_name(route.kind),
            declared_lane: route.lane.as_str(),
            pinned: route.pinned,
        }
    }
}
