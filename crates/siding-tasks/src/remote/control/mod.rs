//! What others may ask of a worker, under Celery's names.
//!
//! Source: Celery 5.7, `celery/worker/control.py`. Answers have the same fields and texts, which programs look at.

mod about;
mod arguments;
mod events;
mod limits;
mod pool;
mod queues;
mod requests;
mod revoke;

use serde::Serialize;
use serde_json::{Map, Value};

pub(super) use arguments::Arguments;

use super::panel::Panel;
use crate::message::RawJson;

/// An answer, or why there is none.
type Answer = Result<RawJson, String>;

/// The name of a method that may have another one, from before Celery 3.1.
pub(super) fn name(method: &str) -> &str {
    match method {
        "dump_conf" => "conf",
        "dump_active" => "active",
        "dump_reserved" => "reserved",
        "dump_revoked" => "revoked",
        "dump_schedule" => "scheduled",
        "dump_tasks" => "registered",
        other => other,
    }
}

/// What does one method.
type Method = fn(&Panel, &Arguments) -> Answer;

/// All methods, by Celery's names.
const METHODS: &[(&str, Method)] = &[
    ("active", requests::active),
    ("active_queues", |panel, _| queues::active(panel)),
    ("add_consumer", queues::add),
    ("cancel_consumer", queues::cancel),
    ("clock", |panel, _| about::clock(panel)),
    ("conf", |panel, _| about::conf(panel)),
    ("disable_events", |panel, _| events::disable(panel)),
    // It is for workers that gossip; this one stands for nothing.
    ("election", |_, _| Ok(RawJson::null())),
    ("enable_events", |panel, _| events::enable(panel)),
    ("heartbeat", |panel, _| events::heartbeat(panel)),
    ("hello", about::hello),
    ("ping", |_, _| ok("pong")),
    ("pool_grow", pool::grow),
    ("pool_shrink", pool::shrink),
    ("query_task", requests::query),
    ("rate_limit", limits::rate),
    ("registered", requests::registered),
    ("report", |panel, _| about::report(panel)),
    ("reserved", |panel, _| requests::reserved(panel)),
    ("revoke", revoke::revoke),
    ("revoke_by_stamped_headers", revoke::by_stamped_headers),
    ("revoked", |panel, _| json(&panel.crew.revoked.ids())),
    ("scheduled", |panel, _| requests::scheduled(panel)),
    ("shutdown", |panel, _| shutdown(panel)),
    ("stats", |panel, _| about::stats(panel)),
    ("terminate", revoke::terminate),
    ("time_limit", limits::time),
];

/// The names of all methods.
pub(super) fn methods() -> impl Iterator<Item = &'static str> {
    METHODS.iter().map(|(name, _)| *name)
}

/// Does what is asked.
pub(super) fn handle(panel: &Panel, method: &str, arguments: &Arguments) -> Answer {
    match METHODS.iter().find(|(name, _)| *name == method) {
        Some((_, act)) => act(panel, arguments),
        None => Err(refusal(method)),
    }
}

fn shutdown(panel: &Panel) -> Answer {
    tracing::warn!(worker = panel.crew.name, "told to stop by remote control");
    panel.crew.stop();
    ok("shutting down")
}

/// Why something is no method here.
fn refusal(method: &str) -> String {
    match method {
        "autoscale" => "this worker does not autoscale: use pool_grow and pool_shrink".to_owned(),
        "pool_restart" => "this worker has no pool to restart: its code is compiled in".to_owned(),
        "objgraph" | "memdump" | "memsample" => {
            format!("{method} looks into Python, which this worker is not")
        }
        _ => format!("there is no method {method:?}"),
    }
}

fn json(value: &(impl Serialize + ?Sized)) -> Answer {
    RawJson::of(value).map_err(|error| error.to_string())
}

fn ok(text: &str) -> Answer {
    object("ok", text)
}

/// An object with one member.
pub(super) fn object(name: &str, value: &(impl Serialize + ?Sized)) -> Answer {
    json(&std::collections::BTreeMap::from([(name, value)]))
}

fn map<const N: usize>(fields: [(&str, Value); N]) -> Map<String, Value> {
    Map::from_iter(fields.map(|(name, value)| (name.to_owned(), value)))
}
