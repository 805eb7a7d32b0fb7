//! Where a task goes: Celery's `task_routes`.

use std::str::FromStr;

#[cfg(feature = "celery")]
use crate::message::Message;
use crate::message::{Destination, DestinationError, Exchange};

/// Where tasks go by their names, to queues or to exchanges: Celery's `task_routes`. They hold for messages that name neither of
/// their own, such as a step of a chain that a Python client made: whoever sends it routes it.
///
/// ```
/// use siding_tasks::{Exchange, TaskRoutes};
///
/// let routes: TaskRoutes = "python.*=python,media.import=topic://media/media.video".parse()?;
/// assert_eq!(routes.queue_of("python.greet"), Some("python"));
/// assert_eq!(routes.queue_of("add"), None);
/// // Celery: {"media.import": {"exchange": "media", "exchange_type": "topic", "routing_key": "media.video"}}
/// let same = TaskRoutes::default()
///     .with("python.*", "python")
///     .with_exchange("media.import", Exchange::topic("media"), "media.video");
/// assert_eq!(routes, same);
/// # Ok::<(), siding_tasks::RouteError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskRoutes(Vec<(String, Target)>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Target {
    Queue(String),
    Exchange(Destination),
}

/// Why a route was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RouteError {
    /// There is no task, or nowhere to go.
    #[error(
        "{0:?} is no route; write a task's name and its queue, such as mail.send=mail or python.*=python, or an exchange, such \
         as media.*=topic://media/media.video"
    )]
    Route(String),
    /// The exchange is none.
    #[error(transparent)]
    Exchange(#[from] DestinationError),
}

impl TaskRoutes {
    /// Adds a route: `*` in the pattern stands for any text. The first that fits holds.
    #[must_use]
    pub fn with(mut self, pattern: impl Into<String>, queue: impl Into<String>) -> Self {
        self.0.push((pattern.into(), Target::Queue(queue.into())));
        self
    }

    /// Adds a route to an exchange.
    #[must_use]
    pub fn with_exchange(
        mut self,
        pattern: impl Into<String>,
        exchange: Exchange,
        routing_key: impl Into<String>,
    ) -> Self {
        let destination = Destination::new(exchange, routing_key);
        self.0.push((pattern.into(), Target::Exchange(destination)));
        self
    }

    /// The queue of the task of this name, if a route says.
    #[must_use]
    pub fn queue_of(&self, task: &str) -> Option<&str> {
        match self.target_of(task)? {
            Target::Queue(queue) => Some(queue),
            Target::Exchange(_) => None,
        }
    }

    fn target_of(&self, task: &str) -> Option<&Target> {
        let route = self.0.iter().find(|(pattern, _)| fits(pattern, task));
        route.map(|(_, target)| target)
    }

    /// Routes a message that is for the default queue.
    #[cfg(feature = "celery")]
    pub(crate) fn apply(&self, message: &mut Message) {
        if message.queue != Message::DEFAULT_QUEUE || message.destination.is_some() {
            return;
        }
        match self.target_of(&message.task) {
            Some(Target::Queue(queue)) => queue.clone_into(&mut message.queue),
            Some(Target::Exchange(exchange)) => message.destination = Some(exchange.clone()),
            None => {}
        }
    }
}

/// Pairs with commas between them.
impl FromStr for TaskRoutes {
    type Err = RouteError;

    fn from_str(text: &str) -> Result<Self, RouteError> {
        let mut routes = Self::default();
        for pair in text
            .split(',')
            .map(str::trim)
            .filter(|pair| !pair.is_empty())
        {
            let (pattern, target) = pair
                .split_once('=')
                .filter(|(pattern, target)| !pattern.is_empty() && !target.is_empty())
                .ok_or_else(|| RouteError::Route(pair.to_owned()))?;
            let target = match target.contains("://") {
                true => Target::Exchange(target.parse()?),
                false => Target::Queue(target.to_owned()),
            };
            routes.0.push((pattern.to_owned(), target));
        }
        Ok(routes)
    }
}

/// Whether a pattern with `*` fits a name.
fn fits(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else {
        return false;
    };
    let Some(last) = parts.next_back() else {
        return rest.is_empty();
    };
    for part in parts {
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, name, expected) in [
            ("add", "add", true),
            ("add", "adder", false),
            ("*", "", true),
            ("a*", "a", true),
            ("a*c*e", "abcde", true),
            ("a*c*e", "abde", false),
            ("a*a", "a", false),
            ("*.send", "mail.send", true),
        ] {
            assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[cfg(feature = "celery")]
    #[test]
    fn a_queue_that_a_message_names_stays() {
        let routes: TaskRoutes = "a*=one, *=two".parse().unwrap();
        let routed = |task: &str, queue: &str| {
            let mut message = Message::new(task);
            message.queue = queue.to_owned();
            routes.apply(&mut message);
            message.queue
        };
        assert_eq!(routed("add", "celery"), "one");
        assert_eq!(routed("sum", "celery"), "two");
        assert_eq!(routed("add", "mail"), "mail");
    }

    #[cfg(feature = "celery")]
    #[test]
    fn an_exchange_that_a_message_names_stays() {
        let routes: TaskRoutes = "a*=topic://media/a".parse().unwrap();
        let mut message = Message::new("add");
        routes.apply(&mut message);
        assert_eq!(
            message.destination.as_ref().map(ToString::to_string),
            Some("topic://media/a".to_owned())
        );
        message.destination = Some(Destination::broadcast("reload"));
        routes.apply(&mut message);
        assert_eq!(message.destination, Some(Destination::broadcast("reload")));
    }

    #[test]
    fn what_is_no_route_is_named() {
        let error = "a=b,c".parse::<TaskRoutes>().unwrap_err();
        assert!(
            error.to_string().starts_with("\"c\" is no route"),
            "{error}"
        );
        let error = "a=headers://media/x".parse::<TaskRoutes>().unwrap_err();
        assert!(error.to_string().contains("names no exchange"), "{error}");
    }
}
