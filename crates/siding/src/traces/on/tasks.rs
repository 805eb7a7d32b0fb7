//! The spans of tasks, named and carried as `opentelemetry-instrumentation-celery` does, so that a Python worker's span and one of
//! Siding have their places in one trace.
//!
//! Source: opentelemetry-instrumentation-celery 0.66b2. What is sent has a span `apply_async/TASK`, whose context is in the headers
//! `traceparent`, `tracestate` and `baggage` of the message; what runs has a span `run/TASK` below that.

use std::sync::Arc;

use opentelemetry::propagation::{Extractor, Injector};
use opentelemetry::trace::Status;
use siding_tasks::{BrokerUrl, Message, RawJson, Settlement, Tasks, Tracer};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use super::{propagation, start};
use crate::app::TaskSettings;

/// Opens spans for `tasks`, if spans are collected.
pub(crate) fn trace_tasks(tasks: &Tasks, settings: &TaskSettings) {
    if !start::is_on() {
        return;
    }
    let system = match settings.broker {
        None => "siding",
        Some(BrokerUrl::Redis(_)) => "redis",
        Some(BrokerUrl::Amqp(_)) => "rabbitmq",
        Some(_) => "celery",
    };
    tasks.trace(Arc::new(TaskSpans { system }));
}

#[derive(Debug)]
struct TaskSpans {
    /// OpenTelemetry's word for the broker.
    system: &'static str,
}

impl TaskSpans {
    fn describe(&self, span: &Span, action: &'static str, kind: &'static str, message: &Message) {
        span.set_attribute("messaging.system", self.system);
        span.set_attribute("messaging.operation.name", action);
        span.set_attribute("messaging.operation.type", kind);
        span.set_attribute("messaging.destination.name", message.queue.clone());
        span.set_attribute("messaging.message.id", message.id.to_string());
        span.set_attribute("celery.action", action);
        span.set_attribute("celery.task_name", message.task.clone());
    }
}

impl Tracer for TaskSpans {
    fn send(&self, messages: &mut [Message]) -> Span {
        let Some(first) = messages.first() else {
            return Span::none();
        };
        let span = tracing::trace_span!(
            target: "siding::task",
            "send",
            otel.kind = "producer",
            otel.name = format!("apply_async/{}", first.task)
        );
        self.describe(&span, "apply_async", "send", first);
        if messages.len() > 1 {
            let count = i64::try_from(messages.len()).unwrap_or(i64::MAX);
            span.set_attribute("messaging.batch.message_count", count);
        }
        self.pass_on(&span, messages);
        span
    }

    fn run(&self, message: &Message) -> Span {
        let span = tracing::trace_span!(
            target: "siding::task",
            parent: None,
            "run",
            otel.kind = "consumer",
            otel.name = format!("run/{}", message.task)
        );
        // It fails where nothing collects the span after all.
        let _ = span.set_parent(propagation::extract(&Headers::of(message)));
        self.describe(&span, "run", "process", message);
        if message.retries > 0 {
            span.set_attribute("celery.retries", i64::from(message.retries));
        }
        span
    }

    fn ended(&self, span: &Span, settlement: &Settlement) {
        match settlement {
            Settlement::Success { .. } => span.set_attribute("celery.state", "SUCCESS"),
            Settlement::Failure { exception, .. } => {
                span.set_attribute("celery.state", "FAILURE");
                span.set_attribute("error.type", exception.exc_type.clone());
                span.set_status(Status::error(exception.message.clone()));
            }
            Settlement::Retry { exception, .. } => {
                span.set_attribute("celery.state", "RETRY");
                span.set_attribute("error.type", exception.exc_type.clone());
                span.set_attribute("celery.retry.reason", exception.message.clone());
            }
            Settlement::Revoked { reason, .. } => {
                span.set_attribute("celery.state", "REVOKED");
                span.set_attribute("celery.revoked.reason", reason.clone());
            }
        }
    }

    fn pass_on(&self, span: &Span, messages: &mut [Message]) {
        let context = span.context();
        for message in messages {
            propagation::inject(&context, &mut Carrier(message));
        }
    }
}

/// A message's headers, read: those that are text, which only these three are asked for.
struct Headers(Vec<(&'static str, String)>);

const CARRIED: [&str; 3] = ["traceparent", "tracestate", "baggage"];

impl Headers {
    fn of(message: &Message) -> Self {
        let text = |name| message.headers.get(name)?.read::<String>().ok();
        let known = CARRIED.into_iter();
        Self(known.filter_map(|name| Some((name, text(name)?))).collect())
    }
}

impl Extractor for Headers {
    fn get(&self, key: &str) -> Option<&str> {
        let found = self.0.iter().find(|(name, _)| *name == key)?;
        Some(&found.1)
    }

    fn keys(&self) -> Vec<&str> {
        self.0.iter().map(|(name, _)| *name).collect()
    }
}

/// A message's headers, written.
struct Carrier<'a>(&'a mut Message);

impl Injector for Carrier<'_> {
    fn set(&mut self, key: &str, value: String) {
        // An empty one says nothing, and some readers refuse it.
        if value.is_empty() {
            self.0.headers.remove(key);
        } else if let Ok(value) = RawJson::of(&value) {
            self.0.headers.insert(key.to_owned(), value);
        }
    }
}
