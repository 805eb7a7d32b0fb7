//! Exchanges as kombu's tables have them, without kombu.

use siding_tasks::{
    Broker, BrokerError, Destination, Enqueue, Exchange, Message, Settled, Settlement, TaskQueues,
};

use super::support::*;

/// Two queues of one topic exchange.
fn queues() -> TaskQueues {
    TaskQueues::default()
        .with("celery", Exchange::topic("media"), "media.#")
        .with("videos", Exchange::topic("media"), "*.video")
}

fn message(key: &str) -> Message {
    Message {
        destination: Some(Destination::new(Exchange::topic("media"), key)),
        ..Message::new("add")
    }
}

fn both() -> siding_tasks::ClaimRequest {
    siding_tasks::ClaimRequest {
        queues: vec!["celery".to_owned(), "videos".to_owned()],
        ..request(2)
    }
}

/// The end of one must not be taken for that of the other.
#[test]
fn each_copy_is_settled_by_itself() {
    Space::with(|mut space| async move {
        space.settings.task_queues = queues();
        let broker = space.connect().await;
        send(&broker, vec![message("media.video")]).await;
        let copies = broker.claim(both()).await.unwrap().deliveries;
        assert_eq!(copies.len(), 2);
        let mut from: Vec<_> = copies.iter().map(|one| &*one.message.queue).collect();
        from.sort_unstable();
        assert_eq!(from, ["celery", "videos"]);
        for copy in copies {
            assert_eq!(copy.message.destination, None);
            let settled = broker.settle(copy.lease, success(&1)).await.unwrap();
            assert_eq!(settled, Settled::Done);
        }
        assert_eq!(space.ask::<u64>("HLEN", "unacked", &[]).await, 0);
    });
}

/// A copy that is tried again, or whose worker is lost, comes back to its own queue only.
#[test]
fn a_copy_comes_back_to_its_queue() {
    Space::with(|mut space| async move {
        space.settings.task_queues = queues();
        let broker = space.connect().await;
        send(&broker, vec![message("media.video")]).await;
        let copies = broker.claim(both()).await.unwrap().deliveries;
        let [first, second] = copies.try_into().unwrap();
        let retry = Settlement::Retry {
            message: first.message.clone(),
            exception: siding_tasks::Exception {
                exc_type: "E".to_owned(),
                exc_module: "m".to_owned(),
                message: String::new(),
            },
            traceback: None,
        };
        let settled = broker.settle(first.lease, retry).await.unwrap();
        assert_eq!(settled, Settled::Done);
        let leases: Vec<String> = space.ask("ZRANGE", "siding.leases", &["0", "-1"]).await;
        assert_eq!(leases.len(), 1);
        space
            .ask::<u8>("ZADD", "siding.leases", &["1", &leases[0]])
            .await;
        let mut again = Vec::new();
        while again.len() < 2 {
            let claimed = eventually(|| async {
                let claim = broker.claim(both()).await.unwrap();
                (!claim.deliveries.is_empty()).then_some(claim.deliveries)
            });
            again.extend(claimed.await);
        }
        let mut from: Vec<_> = again.iter().map(|one| one.message.queue.clone()).collect();
        from.sort_unstable();
        let mut before = [first.message.queue, second.message.queue];
        before.sort_unstable();
        assert_eq!(from, before);
        let deliveries: u32 = again.iter().map(|one| one.deliveries).sum();
        assert_eq!(deliveries, 3);
    });
}

/// As kombu notes it: with the exchange and the key, whose queues the message is put back to.
#[test]
fn what_a_python_worker_held_is_put_back_to_the_queues_of_its_exchange() {
    Space::with(|mut space| async move {
        space.settings.task_queues = queues();
        space.settings.visibility_timeout = std::time::Duration::from_secs(1);
        let broker = space.connect().await;
        send(&broker, vec![message("media.audio")]).await;
        let text: String = space.ask("RPOP", "celery", &[]).await;
        let entry = format!(r#"[{text},"media","media.audio"]"#);
        space.ask::<u8>("HSET", "unacked", &["tag", &entry]).await;
        space
            .ask::<u8>("ZADD", "unacked_index", &["1700000000.5", "tag"])
            .await;
        let delivery = eventually(|| async { claim(&broker, 1).await.pop() }).await;
        assert_eq!((&*delivery.message.task, delivery.deliveries), ("add", 2));
        assert_eq!(space.ask::<u64>("LLEN", "media.audio", &[]).await, 0);
    });
}

/// Its separator is that of the bindings, too.
#[test]
fn a_separator_of_ones_own_is_that_of_bindings() {
    Space::with(|mut space| async move {
        space.settings.task_queues = queues();
        space.settings.separator = ":".to_owned();
        let broker = space.connect().await;
        send(&broker, vec![message("media.audio")]).await;
        let bound: Vec<String> = space.ask("SMEMBERS", "_kombu.binding.media", &[]).await;
        assert!(bound.contains(&r"media.#:^media\..*?$:celery".to_owned()));
        assert_eq!(claim_one(&broker).await.message.task, "add");
    });
}

/// What follows a task and leads nowhere is told to the log: the task has ended, and the rest is sent.
#[test]
fn what_follows_and_leads_nowhere_holds_up_nothing() {
    Space::with(|space| async move {
        let broker = space.connect().await;
        send(&broker, vec![Message::new("first")]).await;
        let first = claim_one(&broker).await;
        let end = Settlement::Success {
            result: siding_tasks::RawJson::null(),
            children: Vec::new(),
            successors: Enqueue {
                messages: vec![message("media.video"), Message::new("next")],
                chords: Vec::new(),
            },
        };
        let settled = broker.settle(first.lease, end).await.unwrap();
        assert_eq!(settled, Settled::Done);
        assert_eq!(claim_one(&broker).await.message.task, "next");
        assert!(claim(&broker, 1).await.is_empty());
    });
}

#[test]
fn all_of_a_request_is_sent_or_nothing() {
    Space::with(|space| async move {
        let broker = space.connect().await;
        let request = Enqueue {
            messages: vec![Message::new("add"), message("media.video")],
            chords: vec![("group".to_owned(), 2)],
        };
        let error = broker.enqueue(request).await.unwrap_err();
        assert!(
            matches!(&error, BrokerError::Unroutable(why) if why.contains("media.video")),
            "{error:?}"
        );
        assert!(claim(&broker, 1).await.is_empty());
        let left = space.keys().await;
        assert!(!left.iter().any(|key| key.contains("group")), "{left:?}");
    });
}
