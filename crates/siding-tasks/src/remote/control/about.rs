//! What a worker tells of itself.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Answer, Arguments, Panel, json, map, ok};
use crate::message::{RawJson, TaskId};
use crate::remote::{BrokerInfo, RemoteControl, system, usage};

/// Another worker starts: it is told what was revoked, and tells what it knows.
pub(super) fn hello(panel: &Panel, arguments: &Arguments) -> Answer {
    if arguments.required::<String>("from_node")? == panel.crew.name {
        return Ok(RawJson::null());
    }
    for id in known_revoked(arguments)? {
        panel.crew.revoked.add(id);
    }
    json(&json!({
        "revoked": panel.crew.revoked.ids(),
        "clock": panel.reporter.clock.forward(),
    }))
}

/// Ids in a list; before Celery 5.7, the names of an object.
fn known_revoked(arguments: &Arguments) -> Result<Vec<TaskId>, String> {
    match arguments.optional::<BTreeMap<String, RawJson>>("revoked") {
        Ok(ids) => Ok(ids.into_iter().flatten().map(|(id, _)| id.into()).collect()),
        Err(_) => Ok(arguments.optional("revoked")?.unwrap_or_default()),
    }
}

pub(super) fn clock(panel: &Panel) -> Answer {
    json(&json!({ "clock": panel.reporter.clock.now() }))
}

pub(super) fn stats(panel: &Panel) -> Answer {
    let crew = &panel.crew;
    json(&json!({
        "total": panel.reporter.started(),
        "pid": std::process::id(),
        "clock": panel.reporter.clock.now().to_string(),
        "uptime": panel.begun.elapsed().as_secs(),
        "pool": {
            "implementation": "siding_runtime:Lanes",
            "max-concurrency": crew.slots.capacity(&crew.tasks),
            "processes": [std::process::id()],
        },
        "broker": broker(&panel.remote.info()),
        // A worker claims what it has slots for, and nothing before.
        "prefetch_count": 0,
        "rusage": usage::own().map_or_else(|| json!("N/A"), Value::Object),
    }))
}

/// The connection, in the words of kombu. What has no meaning here is as kombu has it unless set.
fn broker(info: &BrokerInfo) -> Value {
    json!({
        "transport": info.transport,
        "hostname": info.hostname,
        "port": info.port,
        "userid": info.userid,
        "virtual_host": info.virtual_host,
        "ssl": info.ssl,
        "insist": false,
        "connect_timeout": null,
        "transport_options": {},
        "login_method": null,
        "uri_prefix": null,
        "heartbeat": null,
        "failover_strategy": null,
        "alternates": info.alternates,
    })
}

pub(super) fn conf(panel: &Panel) -> Answer {
    json(&settings(panel))
}

/// What is set, under Celery's names. Never a secret.
fn settings(panel: &Panel) -> Map<String, Value> {
    let crew = &panel.crew;
    let remote_control = !matches!(panel.allowed, RemoteControl::Off);
    map([
        ("broker_url", json!(url(&panel.remote.info()))),
        ("enable_utc", json!(true)),
        ("task_acks_late", json!(true)),
        (
            "task_default_queue",
            json!(crate::message::Message::DEFAULT_QUEUE),
        ),
        ("task_serializer", json!("json")),
        ("task_track_started", json!(crew.track_started)),
        (
            "worker_concurrency",
            json!(crew.slots.capacity(&crew.tasks)),
        ),
        ("worker_enable_remote_control", json!(remote_control)),
        ("worker_lease_seconds", json!(crew.lease.as_secs_f64())),
        ("worker_queues", json!(crew.queues())),
        (
            "worker_send_task_events",
            json!(panel.reporter.is_enabled()),
        ),
    ])
}

/// Where the broker is, with nothing that lets anybody in.
fn url(info: &BrokerInfo) -> String {
    let (transport, host, port) = (info.transport, &info.hostname, info.port);
    let user = info.userid.iter().map(|user| format!("{user}:********@"));
    let user: String = user.collect();
    // What sentinels lead to may have TLS without a name of its own for that.
    let secure = if info.ssl && info.alternates.is_empty() {
        "s"
    } else {
        ""
    };
    let path = info.virtual_host.trim_start_matches('/');
    format!("{transport}{secure}://{user}{host}:{port}/{path}")
}

pub(super) fn report(panel: &Panel) -> Answer {
    let mut text = format!(
        "\nsoftware -> siding-tasks:{}\nplatform -> system:{} arch:{}\nsettings -> transport:{}\n",
        env!("CARGO_PKG_VERSION"),
        system::name(),
        std::env::consts::ARCH,
        panel.remote.info().transport,
    );
    for (name, value) in settings(panel) {
        text.push_str(&format!("\n{name}: {value}"));
    }
    text.push('\n');
    ok(&text)
}
