//! Tasks of the process lane: a call and its end as bytes.
//!
//! Parent and child are one program, so both know the task. The child gets the message and the limits; it says how the
//! function ended, and whether its options want another try, for only there the error is whole.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use siding_runtime::{FunctionErrorKind, Functions};

use super::error::Retry;
use super::{Call, Definition, Ended, TaskContext, TaskError, Work, scoped};
use crate::message::{Exception, RawJson, TimeLimits, wire};

/// The name of a task's function in the process lane.
pub(crate) fn function_name(task: &str) -> String {
    format!("task {task}")
}

#[derive(Serialize, Deserialize)]
struct Order {
    message: RawJson,
    worker: String,
    deliveries: u32,
    soft: Option<Duration>,
    hard: Option<Duration>,
}

#[derive(Serialize, Deserialize)]
enum Answer {
    Ok(RawJson),
    Err {
        exc_type: String,
        exc_module: String,
        message: String,
        traceback: Option<String>,
        retry: Wish,
    },
}

#[derive(Serialize, Deserialize)]
enum Wish {
    None,
    ByOptions,
    In(Duration),
}

/// A call as bytes.
///
/// # Errors
/// When the message has no form in JSON.
pub(crate) fn order(context: &TaskContext) -> Result<Vec<u8>, serde_json::Error> {
    let order = Order {
        message: RawJson::parse(wire::write(context.message())?)?,
        worker: context.worker().to_owned(),
        deliveries: context.deliveries(),
        soft: context.time_limits().soft,
        hard: context.time_limits().hard,
    };
    serde_json::to_vec(&order)
}

/// How the call ended.
pub(crate) fn ended(answer: &[u8]) -> Ended {
    match serde_json::from_slice(answer)? {
        Answer::Ok(result) => Ok(result),
        Answer::Err {
            exc_type,
            exc_module,
            message,
            traceback,
            retry,
        } => {
            let exception = Exception {
                exc_type,
                exc_module,
                message,
            };
            Err(TaskError::from_parts(
                exception,
                traceback,
                match retry {
                    Wish::None => None,
                    Wish::ByOptions => Some(Retry::ByOptions),
                    Wish::In(delay) => Some(Retry::In(delay)),
                },
            ))
        }
    }
}

/// Adds the function of a task that is declared for the process lane.
pub(crate) fn add(functions: &mut Functions, definition: &Arc<Definition>) {
    let task = Arc::clone(definition);
    functions.register_raw(&function_name(definition.name()), move |order| {
        serve(&task, order).map_err(FunctionErrorKind::Failed)
    });
}

/// Runs a call in the child.
fn serve(definition: &Definition, order: &[u8]) -> Result<Vec<u8>, String> {
    let order: Order = serde_json::from_slice(order).map_err(|error| error.to_string())?;
    let mut message = wire::read(order.message.get()).map_err(|error| error.to_string())?;
    message.time_limits = TimeLimits {
        soft: order.soft,
        hard: order.hard,
    };
    let context = TaskContext::new(message, order.worker, order.deliveries);
    let options = definition.options();
    let call = Call::new(context.clone(), Arc::clone(&options));
    let answer = match definition.call(call) {
        Work::Plain(f) => match scoped(context, f) {
            Ok(result) => Answer::Ok(result),
            Err(error) => refusal(error, |error| options.retry.wants(error)),
        },
        Work::Async(_) => return Err("an `async fn` cannot run in a child".to_owned()),
    };
    serde_json::to_vec(&answer).map_err(|error| error.to_string())
}

fn refusal(error: TaskError, wants: impl FnOnce(&TaskError) -> bool) -> Answer {
    let retry = match error.wish() {
        Some(Retry::In(delay)) => Wish::In(delay),
        Some(Retry::ByOptions) => Wish::ByOptions,
        None if wants(&error) => Wish::ByOptions,
        None => Wish::None,
    };
    let (exception, traceback) = error.into_parts();
    Answer::Err {
        exc_type: exception.exc_type,
        exc_module: exception.exc_module,
        message: exception.message,
        traceback,
        retry,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Message;
    use crate::tasks::Tasks;

    /// What a parent sees of `f` in a child, without the process between them.
    fn through(tasks: &Tasks, name: &str, args: &[&str]) -> Ended {
        let mut message = Message::new(name);
        message.args = args
            .iter()
            .map(|text| RawJson::parse((*text).to_owned()).unwrap())
            .collect();
        message.retries = 2;
        let context = TaskContext::new(message, "w1@test".to_owned(), 1);
        let order = order(&context).unwrap();
        let definition = tasks.definition(name).unwrap();
        ended(&serve(&definition, &order).unwrap())
    }

    #[test]
    fn arguments_context_and_result_come_through() {
        let tasks = Tasks::new();
        let _ = tasks.register("add", |context: TaskContext, x: u32, y: u32| {
            assert_eq!(TaskContext::current().id(), context.id());
            x + y + context.retries()
        });
        assert_eq!(through(&tasks, "add", &["1", "2"]).unwrap().get(), "5");
    }

    #[test]
    fn an_error_comes_through_with_what_its_options_make_of_it() {
        let tasks = Tasks::new();
        let _ = tasks
            .register("parse", |text: String| text.parse::<u8>())
            .retry_on::<std::num::ParseIntError>();
        let error = through(&tasks, "parse", &[r#""x""#]).unwrap_err();
        assert_eq!(error.type_name(), "ParseIntError");
        assert_eq!(error.wish(), Some(Retry::ByOptions));
        let error = through(&tasks, "parse", &["1"]).unwrap_err();
        assert_eq!(error.type_name(), "TypeError");
        assert_eq!(error.wish(), None);
    }
}
