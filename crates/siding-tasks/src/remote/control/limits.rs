//! How often tasks may start, and how long they may run.

use std::time::Duration;

use super::{Answer, Arguments, Panel, ok};
use crate::message::{RawJson, TimeLimits};
use crate::worker::Rate;

pub(super) fn rate(panel: &Panel, arguments: &Arguments) -> Answer {
    let task: String = arguments.required("task_name")?;
    let written: Option<RawJson> = arguments.optional("rate_limit")?;
    // A text or a number; nothing is no limit.
    let text = written.map_or_else(String::new, |written| {
        written.read().unwrap_or_else(|_| written.get().to_owned())
    });
    let rate = match text.as_str() {
        "" => Rate::Any,
        text => text
            .parse()
            .map_err(|error| format!("Invalid rate limit string: {error}"))?,
    };
    if panel.crew.tasks.definition(&task).is_none() {
        return Err("unknown task".to_owned());
    }
    panel.crew.rates.set(&task, &text, rate);
    tracing::info!(task, rate = text, "a rate limit was set by remote control");
    ok(match rate {
        Rate::Any => "rate limit disabled successfully",
        Rate::OnceIn(_) => "new rate limit set successfully",
    })
}

pub(super) fn time(panel: &Panel, arguments: &Arguments) -> Answer {
    let task: String = arguments.required("task_name")?;
    let limits = TimeLimits {
        hard: duration(arguments, "hard")?,
        soft: duration(arguments, "soft")?,
    };
    let Some(definition) = panel.crew.tasks.definition(&task) else {
        return Err("unknown task".to_owned());
    };
    definition.change(|options| options.time_limits = limits);
    tracing::info!(task, ?limits, "time limits were set by remote control");
    ok("time limits set successfully")
}

fn duration(arguments: &Arguments, name: &str) -> Result<Option<Duration>, String> {
    let Some(seconds) = arguments.optional(name)? else {
        return Ok(None);
    };
    Duration::try_from_secs_f64(seconds)
        .map(Some)
        .map_err(|error| format!("the argument {name:?} is no time in seconds: {error}"))
}
