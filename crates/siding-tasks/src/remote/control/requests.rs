//! Which tasks a worker holds, and which it knows.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Answer, Arguments, Panel, json};
use crate::message::{Message, RawJson};
use crate::remote::{shown, system};
use crate::task::{Definition, TaskContext};
use crate::worker::Stage;

/// A task that a worker holds, as Celery tells it.
#[derive(Serialize)]
struct Request<'a> {
    id: &'a str,
    name: &'a str,
    args: Shown<'a, [RawJson]>,
    kwargs: Shown<'a, BTreeMap<String, RawJson>>,
    #[serde(rename = "type")]
    kind: &'a str,
    hostname: &'a str,
    /// Seconds since 1970.
    time_start: Option<f64>,
    acknowledged: bool,
    delivery_info: DeliveryInfo<'a>,
    worker_pid: Option<u32>,
}

/// Arguments, or how they look.
#[derive(Serialize)]
#[serde(untagged)]
enum Shown<'a, T: ?Sized> {
    Value(&'a T),
    Text(String),
}

#[derive(Serialize)]
struct DeliveryInfo<'a> {
    exchange: &'static str,
    routing_key: &'a str,
    priority: u8,
    redelivered: bool,
}

/// A task that waits for its time, as Celery tells it.
#[derive(Serialize)]
struct Scheduled<'a> {
    eta: String,
    priority: u8,
    request: Request<'a>,
}

impl<'a> Request<'a> {
    /// With arguments as they look, if `safe`.
    fn new(context: &'a TaskContext, safe: bool) -> Self {
        let message = context.message();
        let began = context.began_at();
        Self {
            id: message.id.as_str(),
            name: &message.task,
            args: match safe {
                true => Shown::Text(shown::args(message)),
                false => Shown::Value(&message.args),
            },
            kwargs: match safe {
                true => Shown::Text(shown::kwargs(message)),
                false => Shown::Value(&message.kwargs),
            },
            kind: &message.task,
            hostname: context.worker(),
            time_start: began.map(|at| system::unix_seconds() - at.elapsed().as_secs_f64()),
            acknowledged: false,
            delivery_info: delivery_info(message, context.deliveries()),
            worker_pid: began.map(|_| std::process::id()),
        }
    }
}

fn delivery_info(message: &Message, deliveries: u32) -> DeliveryInfo<'_> {
    DeliveryInfo {
        exchange: "",
        routing_key: &message.queue,
        priority: message.priority.get(),
        redelivered: deliveries > 1,
    }
}

/// The tasks that are at `stage`, the oldest id first.
fn at(panel: &Panel, stage: Stage) -> Vec<TaskContext> {
    let held = panel.crew.held.all().into_iter();
    let held = held.filter(|(at, _)| *at == stage);
    let mut held: Vec<_> = held.map(|(_, context)| context).collect();
    held.sort_by(|a, b| a.id().cmp(b.id()));
    held
}

fn requests(panel: &Panel, stage: Stage, safe: bool) -> Answer {
    let held = at(panel, stage);
    let requests = held.iter().map(|context| Request::new(context, safe));
    json(&requests.collect::<Vec<_>>())
}

pub(super) fn active(panel: &Panel, arguments: &Arguments) -> Answer {
    requests(panel, Stage::Active, arguments.flag("safe"))
}

pub(super) fn reserved(panel: &Panel) -> Answer {
    requests(panel, Stage::Reserved, false)
}

pub(super) fn scheduled(panel: &Panel) -> Answer {
    let held = at(panel, Stage::Scheduled);
    let scheduled = held.iter().filter_map(|context| {
        Some(Scheduled {
            eta: context.message().eta?.to_string(),
            // That of the timer of a Celery worker, always.
            priority: 6,
            request: Request::new(context, false),
        })
    });
    json(&scheduled.collect::<Vec<_>>())
}

/// How far tasks are, by their ids.
pub(super) fn query(panel: &Panel, arguments: &Arguments) -> Answer {
    let ids = arguments.texts("ids")?;
    let held = panel.crew.held.all();
    let wanted = held
        .iter()
        .filter(|(_, context)| ids.iter().any(|id| id == context.id().as_str()));
    let found = wanted.map(|(stage, context)| {
        let stage = match stage {
            Stage::Active => "active",
            Stage::Reserved => "reserved",
            Stage::Scheduled => "scheduled",
        };
        let request = Request::new(context, false);
        (context.id().as_str(), (stage, request))
    });
    json(&found.collect::<BTreeMap<_, _>>())
}

/// The tasks that it knows, each with what is asked of it.
pub(super) fn registered(panel: &Panel, arguments: &Arguments) -> Answer {
    let items: Vec<String> = arguments.optional("taskinfoitems")?.unwrap_or_default();
    let items = match items.is_empty() {
        true => vec!["rate_limit".to_owned()],
        false => items,
    };
    let definitions = panel.crew.tasks.definitions();
    let tasks = definitions.iter().map(|task| {
        let items = items.iter().filter_map(|item| {
            let value = item_of(panel, task, item)?;
            Some(format!("{item}={value}"))
        });
        let items: Vec<_> = items.collect();
        match items.is_empty() {
            true => task.name().to_owned(),
            false => format!("{} [{}]", task.name(), items.join(" ")),
        }
    });
    json(&tasks.collect::<Vec<_>>())
}

/// What a task says about all of its calls, as Python shows it.
fn item_of(panel: &Panel, task: &Definition, item: &str) -> Option<String> {
    let options = task.options();
    let seconds =
        |limit: Option<std::time::Duration>| limit.map(|limit| limit.as_secs_f64().to_string());
    let truth = |value: bool| Some(if value { "True" } else { "False" }.to_owned());
    match item {
        "rate_limit" => panel.crew.rates.written(task.name()),
        "time_limit" => seconds(options.time_limits.hard),
        "soft_time_limit" => seconds(options.time_limits.soft),
        "max_retries" => Some(options.retry.max.to_string()),
        "queue" => Some(options.queue.clone()),
        "priority" => options.priority.map(|priority| priority.get().to_string()),
        "ignore_result" => truth(options.ignore_result),
        "track_started" => truth(options.track_started || panel.crew.track_started),
        "acks_late" => truth(true),
        "name" => Some(task.name().to_owned()),
        _ => None,
    }
}
