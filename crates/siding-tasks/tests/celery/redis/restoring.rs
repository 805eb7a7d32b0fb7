//! Messages of workers that are gone.

use siding_tasks::{Broker, Enqueue, Found, Message, Renewal, Settled, State};

use super::support::*;

/// Makes the claim of the only message look as if its worker had not renewed it for long.
async fn lapse(space: &Space) {
    let leases: Vec<String> = space.ask("ZRANGE", "siding.leases", &["0", "-1"]).await;
    assert_eq!(leases.len(), 1);
    space
        .ask::<u8>("ZADD", "siding.leases", &["1", &leases[0]])
        .await;
}

async fn claim_again(space: &Space, broker: &siding_tasks::Redis) -> siding_tasks::Delivery {
    lapse(space).await;
    eventually(|| async { claim(broker, 1).await.pop() }).await
}

#[test]
fn a_claim_that_is_not_renewed_is_over() {
    Space::with(|space| async move {
        let broker = space.connect().await;
        send(&broker, vec![Message::new("add")]).await;
        let first = claim_one(&broker).await;
        let second = claim_again(&space, &broker).await;
        assert_eq!(
            (&second.message.id, second.deliveries),
            (&first.message.id, 2)
        );
        assert_eq!(
            broker.renew(vec![first.lease.clone()]).await.unwrap(),
            [Renewal::Lost]
        );
        assert_eq!(
            broker.settle(first.lease, success(&1)).await.unwrap(),
            Settled::Refused
        );
        assert_eq!(
            broker.settle(second.lease, success(&2)).await.unwrap(),
            Settled::Done
        );
    });
}

/// What ends five workers does not get a sixth.
#[test]
fn what_ends_every_worker_is_given_up() {
    Space::with(|space| async move {
        let broker = space.connect().await;
        send(&broker, vec![Message::new("poison")]).await;
        let mut delivery = claim_one(&broker).await;
        for lost in 1..5 {
            delivery = claim_again(&space, &broker).await;
            assert_eq!(delivery.deliveries, lost + 1);
        }
        lapse(&space).await;
        let meta = broker.finished(delivery.lease.id).await.unwrap();
        assert_eq!(meta.state, State::Failure);
        assert_eq!(meta.exception.unwrap().exc_type, "WorkerLostError");
        assert_eq!(space.ask::<u64>("HLEN", "unacked", &[]).await, 0);
    });
}

/// As kombu claims: a pop, and then a note with the time.
#[test]
fn what_a_python_worker_held_too_long_is_put_back() {
    Space::with(|mut space| async move {
        space.settings.visibility_timeout = std::time::Duration::from_secs(1);
        let broker = space.connect().await;
        send(&broker, vec![Message::new("add")]).await;
        let text: String = space.ask("RPOP", "celery", &[]).await;
        let entry = format!(r#"[{text},"","celery"]"#);
        space.ask::<u8>("HSET", "unacked", &["tag", &entry]).await;
        space
            .ask::<u8>("ZADD", "unacked_index", &["1700000000.5", "tag"])
            .await;
        let delivery = eventually(|| async { claim(&broker, 1).await.pop() }).await;
        assert_eq!((&*delivery.message.task, delivery.deliveries), ("add", 2));
        assert_eq!(
            space
                .ask::<Option<String>>("GET", "unacked_mutex", &[])
                .await,
            None
        );
    });
}

/// As kombu is when it dies between its two steps: the message is off its list, and noted nowhere.
#[test]
fn what_a_python_worker_took_and_lost_is_sent_again() {
    Space::with(|mut space| async move {
        space.settings.resend_lost = Some(std::time::Duration::from_millis(100));
        let broker = space.connect().await;
        send(&broker, vec![Message::new("lost"), Message::new("waits")]).await;
        let text: String = space.ask("RPOP", "celery", &[]).await;
        assert!(text.contains("lost"));
        // One that waits, or is held, is not.
        let waits = claim_one(&broker).await;
        assert_eq!(waits.message.task, "waits");
        let lost = eventually(|| async { claim(&broker, 1).await.pop() }).await;
        assert_eq!(lost.message.task, "lost");
        for delivery in [waits, lost] {
            assert_eq!(
                broker.settle(delivery.lease, success(&1)).await.unwrap(),
                Settled::Done
            );
        }
        assert_eq!(space.ask::<u64>("HLEN", "siding.sent_texts", &[]).await, 0);
        assert_eq!(space.ask::<u64>("ZCARD", "siding.sent_looks", &[]).await, 0);
    });
}

#[test]
fn a_message_that_is_given_back_is_the_next() {
    Space::with(|space| async move {
        let broker = space.connect().await;
        send(&broker, vec![Message::new("first"), Message::new("second")]).await;
        let delivery = claim_one(&broker).await;
        broker.release(vec![delivery.lease.clone()]).await.unwrap();
        let again = claim_one(&broker).await;
        assert_eq!((&*again.message.task, again.deliveries), ("first", 1));
        assert_eq!(
            broker.settle(delivery.lease, success(&1)).await.unwrap(),
            Settled::Refused
        );
    });
}

#[test]
fn what_is_no_message_is_put_aside() {
    Space::with(|space| async move {
        let broker = space.connect().await;
        send(&broker, vec![Message::new("good")]).await;
        let good: String = space.ask("LINDEX", "celery", &["0"]).await;
        for bad in [
            "not json",
            "{}",
            r#"{"headers": {}, "properties": {"delivery_tag": 7}}"#,
        ] {
            space.ask::<u8>("RPUSH", "celery", &[bad]).await;
        }
        let pickled = good
            .replace("application/json", "application/x-python-serialize")
            .replace(r#""task":"good""#, r#""task":"bad""#);
        space.ask::<u8>("RPUSH", "celery", &[&pickled]).await;
        let delivery = eventually(|| async { claim(&broker, 1).await.pop() }).await;
        assert_eq!(delivery.message.task, "good");
        assert_eq!(space.ask::<u64>("LLEN", "siding.undecodable", &[]).await, 3);
        let Found::Known(meta) = broker.find(delivery.message.id).await.unwrap() else {
            panic!("the pickled one has its id");
        };
        assert_eq!(meta.state, State::Failure);
        assert!(
            meta.exception
                .unwrap()
                .message
                .contains("application/x-python-serialize")
        );
    });
}

/// Sends the parts of a chord, by their places; its body has the id `body`.
async fn send_chord(broker: &siding_tasks::Redis, places: [u32; 2]) {
    let mut body = siding_tasks::Signature::new("sum");
    body.options.task_id = Some("body".into());
    let part = |place| {
        let mut part = Message::new("part");
        part.group = Some("g".to_owned());
        part.group_index = Some(place);
        part.embed.chord = Some(body.clone());
        part
    };
    let request = Enqueue {
        messages: places.map(part).to_vec(),
        chords: vec![("g".to_owned(), 2)],
    };
    broker.enqueue(request).await.unwrap();
}

/// The parts of a chord count once each, and the body is sent with their results in order.
#[test]
fn the_last_part_of_a_chord_sends_its_body() {
    Space::with(|space| async move {
        let broker = space.connect().await;
        send_chord(&broker, [1, 0]).await;
        for delivery in claim(&broker, 2).await {
            let index = delivery.message.group_index;
            assert_eq!(
                broker
                    .settle(delivery.lease, success(&index))
                    .await
                    .unwrap(),
                Settled::Done
            );
        }
        let sum = claim_one(&broker).await;
        assert_eq!(
            (&*sum.message.task, sum.message.args[0].get()),
            ("sum", "[0,1]")
        );
        let counters: Vec<_> = space
            .keys()
            .await
            .into_iter()
            .filter(|key| key.contains("taskset"))
            .collect();
        assert_eq!(
            counters,
            ["celery-taskset-meta-g.c"],
            "says that it is done, for a while"
        );
    });
}

#[test]
fn a_chord_fails_once_all_parts_have_ended() {
    Space::with(|space| async move {
        let broker = space.connect().await;
        send_chord(&broker, [0, 1]).await;
        let mut parts = claim(&broker, 2).await.into_iter();
        let bad = parts.next().unwrap();
        let id = bad.message.id.clone();
        assert_eq!(
            broker.settle(bad.lease, failure()).await.unwrap(),
            Settled::Done
        );
        assert_eq!(broker.find("body".into()).await.unwrap(), Found::Unknown);
        let good = parts.next().unwrap();
        assert_eq!(
            broker.settle(good.lease, success(&1)).await.unwrap(),
            Settled::Done
        );
        let exception = broker
            .finished("body".into())
            .await
            .unwrap()
            .exception
            .unwrap();
        assert_eq!(exception.exc_type, "ChordError");
        assert_eq!(
            exception.message,
            format!("Dependency {id} raised ValueError('no')")
        );
        assert_eq!(claim(&broker, 9).await, []);
    });
}
