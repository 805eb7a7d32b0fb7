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

/// Does what is asked.
pub(super) fn handle(panel: &Panel, method: &str, arguments: &Arguments) -> Answer {
    match method {
        "ping" => ok("pong"),
        "hello" => about::hello(panel, arguments),
        "clock" => about::clock(panel),
        "stats" => about::stats(panel),
        "conf" => about::conf(panel),
        "report" => about::report(panel),
        "active" => requests::active(panel, arguments),
        "reserved" => requests::reserved(panel),
        "scheduled" => requests::scheduled(panel),
        "query_task" => requests::query(panel, arguments),
        "registered" => requests::registered(panel, arguments),
        "revoked" => json(&panel.crew.revoked.ids()),
        "revoke" => revoke::revoke(panel, arguments),
        "terminate" => revoke::terminate(panel, arguments),
        "revoke_by_stamped_headers" => revoke::by_stamped_headers(panel, arguments),
        "rate_limit" => limits::rate(panel, arguments),
        "time_limit" => limits::time(panel, arguments),
        "pool_grow" => pool::grow(panel, arguments),
        "pool_shrink" => pool::shrink(panel, arguments),
        "active_queues" => queues::active(panel),
        "add_consumer" => queues::add(panel, arguments),
        "cancel_consumer" => queues::cancel(panel, arguments),
        "enable_events" => events::enable(panel),
        "disable_events" => events::disable(panel),
        "heartbeat" => events::heartbeat(panel),
        // It is for workers that gossip; this one stands for nothing.
        "election" => Ok(RawJson::null()),
        "shutdown" => {
            tracing::warn!(worker = panel.crew.name, "told to stop by remote control");
            panel.crew.stop();
            ok("shutting down")
        }
        "autoscale" => {
            Err("this worker does not autoscale: use pool_grow and pool_shrink".to_owned())
        }
        "pool_restart" => {
            Err("this worker has no pool to restart: its code is compiled in".to_owned())
        }
        "objgraph" | "memdump" | "memsample" => Err(format!(
            "{method} looks into Python, which this worker is not"
        )),
        _ => Err(format!("there is no method {method:?}")),
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
