//! The names of keys and channels: kombu's for messages, Celery's for results, and `siding.` for what is ours.

use super::RedisSettings;
use crate::message::{Priority, TaskId};

/// The names of keys and channels.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    prefix: String,
    results: String,
    database: u32,
    separator: String,
    steps: Vec<u8>,
    look_after: bool,
}

impl Keys {
    pub(super) fn new(settings: &RedisSettings) -> Self {
        let mut steps = settings.priority_steps.clone();
        steps.sort_unstable();
        if steps.first() != Some(&0) {
            steps.insert(0, 0);
        }
        let mut results = settings.result_key_prefix.clone();
        if !results.is_empty() && !results.ends_with([':', '_', '-', '.']) {
            results.push('_');
        }
        Self {
            prefix: settings.key_prefix.clone(),
            results,
            database: settings.url.database,
            separator: settings.separator.clone(),
            steps,
            look_after: settings.resend_lost.is_some(),
        }
    }

    /// Whether calls that were sent from here are looked after.
    pub(super) fn look_after(&self) -> bool {
        self.look_after
    }

    fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// The list of `queue` for `priority`: of the greatest step that is not above it.
    pub(super) fn list(&self, queue: &str, priority: Priority) -> String {
        let step = self
            .steps
            .iter()
            .rev()
            .find(|step| **step <= priority.get());
        self.step(queue, step.copied().unwrap_or(0))
    }

    fn step(&self, queue: &str, step: u8) -> String {
        match step {
            0 => self.key(queue),
            step => self.key(&format!("{queue}{}{step}", self.separator)),
        }
    }

    /// What stands before and after a queue's name in the name of its list for `priority`.
    pub(super) fn around(&self, priority: Priority) -> (String, String) {
        let list = self.list("", priority);
        (self.prefix.clone(), list[self.prefix.len()..].to_owned())
    }

    /// The lists of `queues` with the queue of each, the most urgent first: on Redis, 0.
    pub(super) fn lists(&self, queues: &[String]) -> Vec<(String, String)> {
        let by_step = self.steps.iter().map(|step| {
            let lists = queues.iter();
            lists.map(|queue| (self.step(queue, *step), queue.clone()))
        });
        by_step.flatten().collect()
    }

    pub(super) fn unacked(&self) -> String {
        self.key("unacked")
    }

    pub(super) fn unacked_index(&self) -> String {
        self.key("unacked_index")
    }

    pub(super) fn unacked_mutex(&self) -> String {
        self.key("unacked_mutex")
    }

    /// The claims of workers like this one, by when they end: a sorted set of `tag score`.
    pub(super) fn leases(&self) -> String {
        self.key("siding.leases")
    }

    /// Texts that are no messages.
    pub(super) fn undecodable(&self) -> String {
        self.key("siding.undecodable")
    }

    /// What the key of a revocation begins with; the task's id follows.
    pub(super) fn revoked(&self) -> String {
        self.key("siding.revoked.")
    }

    /// What the key of a dead letter begins with, the message of a task that failed; the task's id follows.
    pub(super) fn dead(&self) -> String {
        self.key("siding.dead.")
    }

    /// The texts of what was sent from here and has not ended, by delivery tag, each after the name of its list.
    pub(super) fn sent_texts(&self) -> String {
        self.key("siding.sent_texts")
    }

    /// When each of those is to be looked at: a sorted set of `tag id`.
    pub(super) fn sent_looks(&self) -> String {
        self.key("siding.sent_looks")
    }

    /// Who has a unique key.
    pub(super) fn unique(&self, key: &str) -> String {
        self.key(&format!("siding.unique.{key}"))
    }

    /// Whether an id that is not random was sent.
    pub(super) fn sent(&self, id: &TaskId) -> String {
        self.key(&format!("siding.sent.{id}"))
    }

    pub(super) fn lead(&self, name: &str) -> String {
        self.key(&format!("siding.lead.{name}"))
    }

    /// kombu's table of what is bound to an exchange.
    pub(super) fn binding(&self, exchange: &str) -> String {
        self.key(&format!("_kombu.binding.{exchange}"))
    }

    /// A binding as it stands in the table of its exchange; one of a direct exchange has no pattern.
    pub(super) fn binding_member(&self, key: &str, pattern: &str, queue: &str) -> String {
        [key, pattern, queue].join(&self.separator)
    }

    /// The routing key and the queue of a binding.
    pub(super) fn bound<'a>(&self, member: &'a str) -> Option<(&'a str, &'a str)> {
        let mut parts = member.splitn(3, self.separator.as_str());
        let (key, _, queue) = (parts.next()?, parts.next()?, parts.next()?);
        Some((key, queue))
    }

    /// What protects a binding from the sweep of kombu 5.7.
    pub(super) fn permanent_binding(&self, exchange: &str) -> String {
        self.key(&format!("_kombu.binding_permanent.{exchange}"))
    }

    pub(super) fn separator(&self) -> &str {
        &self.separator
    }

    /// The channel of a fanout exchange, or one of its topics.
    pub(super) fn channel(&self, exchange: &str, topic: &str) -> String {
        let slash = if topic.is_empty() { "" } else { "/" };
        self.key(&format!("/{}.{exchange}{slash}{topic}", self.database))
    }

    /// The key of a result, which is the name of its channel, too.
    pub(super) fn result(&self, id: &TaskId) -> String {
        format!("{}celery-task-meta-{id}", self.results)
    }

    /// The key of a group, or with a suffix of a counter of its chord.
    pub(super) fn group(&self, group: &str, suffix: &str) -> String {
        format!("{}celery-taskset-meta-{group}{suffix}", self.results)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(prefix: &str, results: &str) -> Keys {
        let crate::BrokerUrl::Redis(url) = "redis://127.0.0.1/2".parse().unwrap() else {
            panic!("a URL of Redis")
        };
        let mut settings = RedisSettings::new(url);
        settings.key_prefix = prefix.to_owned();
        settings.result_key_prefix = results.to_owned();
        Keys::new(&settings)
    }

    #[test]
    fn a_priority_goes_to_the_step_below_it() {
        let keys = keys("", "");
        let list = |priority| keys.list("celery", Priority::new(priority).unwrap());
        assert_eq!(list(2), "celery");
        assert_eq!(list(4), "celery\x06\x163");
        assert_eq!(list(9), "celery\x06\x169");
    }

    #[test]
    fn lists_come_by_priority_and_then_by_queue() {
        let lists = keys("p:", "").lists(&["a".to_owned(), "b".to_owned()]);
        let names: Vec<_> = lists.iter().map(|(list, _)| &**list).collect();
        assert_eq!(names[..3], ["p:a", "p:b", "p:a\x06\x163"]);
    }

    /// The broker's prefix is taken as it is; a result's gets a `_`.
    #[test]
    fn the_two_prefixes_have_different_rules() {
        let keys = keys("shop", "shop");
        assert_eq!(keys.unacked(), "shopunacked");
        assert_eq!(keys.result(&"1".into()), "shop_celery-task-meta-1");
        assert_eq!(
            super::tests::keys("", "shop.").group("g", ".s"),
            "shop.celery-taskset-meta-g.s"
        );
        assert_eq!(
            keys.channel("celeryev", "worker.heartbeat"),
            "shop/2.celeryev/worker.heartbeat"
        );
    }
}
