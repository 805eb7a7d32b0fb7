//! Which queue a task goes to: Celery's `task_routes`.

use std::str::FromStr;

#[cfg(feature = "celery")]
use crate::message::Message;

/// The queues of tasks by their names: Celery's `task_routes`. They hold for messages that name no queue of their own, such as a
/// step of a chain that a Python client made: whoever sends it routes it.
///
/// ```
/// use siding_tasks::TaskRoutes;
///
/// let routes: TaskRoutes = "python.*=python,mail.send=mail".parse()?;
/// assert_eq!(routes.queue_of("python.greet"), Some("python"));
/// assert_eq!(routes.queue_of("add"), None);
/// # Ok::<(), siding_tasks::RouteError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskRoutes(Vec<(String, String)>);

/// Why a route was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no route; write a task's name and its queue, such as mail.send=mail or python.*=python"
)]
pub struct RouteError(String);

impl TaskRoutes {
    /// Adds a route: `*` in the pattern stands for any text. The first that fits holds.
    #[must_use]
    pub fn with(mut self, pattern: impl Into<String>, queue: impl Into<String>) -> Self {
        self.0.push((pattern.into(), queue.into()));
        self
    }

    /// The queue of the task of this name, if a route says.
    #[must_use]
    pub fn queue_of(&self, task: &str) -> Option<&str> {
        let route = self.0.iter().find(|(pattern, _)| fits(pattern, task));
        route.map(|(_, queue)| queue.as_str())
    }

    /// Routes a message that is for the default queue.
    #[cfg(feature = "celery")]
    pub(crate) fn apply(&self, message: &mut Message) {
        if message.queue == Message::DEFAULT_QUEUE
            && let Some(queue) = self.queue_of(&message.task)
        {
            queue.clone_into(&mut message.queue);
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
            let (pattern, queue) = pair
                .split_once('=')
                .filter(|(pattern, queue)| !pattern.is_empty() && !queue.is_empty())
                .ok_or_else(|| RouteError(pair.to_owned()))?;
            routes = routes.with(pattern, queue);
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

    #[test]
    fn what_is_no_route_is_named() {
        let error = "a=b,c".parse::<TaskRoutes>().unwrap_err();
        assert!(
            error.to_string().starts_with("\"c\" is no route"),
            "{error}"
        );
    }
}
