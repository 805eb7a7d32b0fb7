//! Tasks, queues and the broker.

use std::fmt;

use siding_tasks::{State, TaskFigures};

use super::Page;
use super::writer::{Labels, Writer, label};
use crate::metrics::catalogue as names;

impl Page {
    pub(super) fn tasks(&self, out: &mut Writer<'_>) -> fmt::Result {
        let Some(tasks) = &self.sources.tasks else {
            return Ok(());
        };
        let figures = tasks.figures();
        let each = |value: fn(&TaskFigures) -> u64| {
            let series = figures
                .iter()
                .map(|(name, figures)| (of(name), value(figures)));
            series.collect::<Vec<_>>()
        };
        out.counters(names::TASKS_SENT, each(|task| task.sent))?;
        out.counters(names::TASKS_RECEIVED, each(|task| task.received))?;
        out.counters(names::TASKS_STARTED, each(|task| task.started))?;
        out.counters(names::TASKS_RELEASED, each(|task| task.released))?;
        let ended = figures.iter().flat_map(|(name, task)| {
            let states = [
                (State::Success, task.succeeded),
                (State::Failure, task.failed),
                (State::Retry, task.retried),
                (State::Revoked, task.revoked),
            ];
            states.map(|(state, count)| {
                let labels = [of(name), vec![label("state", state.as_str())]].concat();
                (labels, count)
            })
        });
        out.counters(names::TASKS_ENDED, ended)?;
        let queued = figures.iter().map(|(name, task)| (of(name), task.queued));
        out.histograms(names::TASK_QUEUE_TIME, queued)?;
        let runs = figures.iter().map(|(name, task)| (of(name), task.runs));
        out.histograms(names::TASK_RUN_TIME, runs)
    }

    pub(super) fn queues(&self, out: &mut Writer<'_>) -> fmt::Result {
        let Some(answer) = &self.queues else {
            return Ok(());
        };
        out.gauge(names::BROKER_UP, u64::from(answer.is_some()))?;
        let counts = answer.iter().flatten().map(|count| {
            let labels = vec![
                label("queue", count.queue.as_str()),
                label("state", count.state.as_str()),
            ];
            (labels, count.tasks)
        });
        out.gauges(names::QUEUE_TASKS, counts)
    }
}

fn of(task: &str) -> Labels {
    vec![label("task", task)]
}
