//! Claiming, renewing and settling.

use siding_tasks::{
    Broker, ClaimRequest, Enqueued, Found, Message, Priority, Quota, Renewal, Revocation, Settled,
    Settlement, State,
};

use super::support::*;

#[test]
fn a_message_is_run_once_and_leaves_its_result_alone() {
    Space::with(|space| async move {
        let broker = space.connect().await;
        let message = Message::new("add");
        let id = message.id.clone();
        send(&broker, vec![message]).await;
        let delivery = claim_one(&broker).await;
        assert_eq!(delivery.deliveries, 1);
        assert_eq!(space.ask::<u64>("HLEN", "unacked", &[]).await, 1);
        assert_eq!(claim(&broker, 9).await, []);
        let settled = broker
            .settle(delivery.lease.clone(), success(&5))
            .await
            .unwrap();
        assert_eq!(settled, Settled::Done);
        let again = broker.settle(delivery.lease, success(&6)).await.unwrap();
        assert_eq!(again, Settled::Refused);
        let Found::Known(meta) = broker.find(id.clone()).await.unwrap() else {
            panic!("it has a result");
        };
        assert_eq!(
            (meta.state, meta.result.unwrap().get()),
            (State::Success, "5")
        );
        let expected = [
            "_kombu.binding.celery".to_owned(),
            "_kombu.binding_permanent.celery".to_owned(),
            format!("celery-task-meta-{id}"),
        ];
        assert_eq!(space.keys().await, expected);
    });
}

/// 9 comes first, whatever Redis calls it, and of equals the oldest.
#[test]
fn the_urgent_come_first() {
    Space::with(|space| async move {
        let broker = space.connect().await;
        let of = |name: &str, priority: u8| Message {
            priority: broker.priority_number(Priority::new(priority).unwrap()),
            ..Message::new(name)
        };
        send(
            &broker,
            vec![
                of("low", 0),
                of("first", 9),
                of("middle", 5),
                of("second", 9),
            ],
        )
        .await;
        let claimed = claim(&broker, 9).await;
        let names: Vec<_> = claimed
            .iter()
            .map(|delivery| &*delivery.message.task)
            .collect();
        assert_eq!(names, ["first", "second", "middle", "low"]);
    });
}

/// A task whose lane is full holds up no other, and stays where it is.
/// There are as many messages as before, but not the same.
#[test]
fn a_message_that_takes_the_place_of_another_is_heard_of() {
    Space::with(|space| async move {
        let (here, there) = (space.connect().await, space.connect().await);
        send(&here, vec![Message::new("foreign")]).await;
        let only_own = ClaimRequest {
            known: Some(vec!["own".to_owned()]),
            ..request(1)
        };
        let changed = here.changed();
        let claim = here.claim(only_own.clone()).await.unwrap();
        assert_eq!(claim.deliveries, []);
        assert_eq!(claim_one(&there).await.message.task, "foreign");
        send(&there, vec![Message::new("own")]).await;
        changed.await;
        let claim = here.claim(only_own).await.unwrap();
        assert_eq!(claim.deliveries[0].message.task, "own");
    });
}

#[test]
fn full_lanes_and_unknown_tasks_are_passed_over() {
    Space::with(|space| async move {
        let broker = space.connect().await;
        let names = ["big", "big", "small", "foreign", "small"];
        send(&broker, names.map(Message::new).to_vec()).await;
        let mut request = request(9);
        request.quotas = vec![Quota {
            tasks: vec!["big".to_owned()],
            limit: 1,
        }];
        request.known = Some(vec!["big".to_owned(), "small".to_owned()]);
        let claimed = broker.claim(request).await.unwrap().deliveries;
        let names: Vec<_> = claimed
            .iter()
            .map(|delivery| &*delivery.message.task)
            .collect();
        assert_eq!(names, ["big", "small", "small"]);
        let left: Vec<_> = claim(&broker, 9)
            .await
            .into_iter()
            .map(|left| left.message.task)
            .collect();
        assert_eq!(left, ["big", "foreign"]);
    });
}

/// Whoever claims a restored message has its delivery tag, too: what tells the two apart is the score.
#[test]
fn a_claim_that_somebody_else_has_taken_over_is_lost() {
    Space::with(|space| async move {
        let broker = space.connect().await;
        let mut message = Message::new("add");
        message.embed.callbacks = vec![siding_tasks::Signature::new("next")];
        let id = message.id.clone();
        send(&broker, vec![message]).await;
        let delivery = claim_one(&broker).await;
        assert_eq!(
            broker.renew(vec![delivery.lease.clone()]).await.unwrap(),
            [Renewal::Held]
        );
        let tags: Vec<String> = space.ask("HKEYS", "unacked", &[]).await;
        let later = "99999999999.5";
        space
            .ask::<u8>("ZADD", "unacked_index", &[later, &tags[0]])
            .await;
        let settled = broker
            .settle(delivery.lease.clone(), success(&5))
            .await
            .unwrap();
        assert_eq!(settled, Settled::Refused);
        assert_eq!(broker.find(id).await.unwrap(), Found::Unknown);
        assert_eq!(
            space.ask::<u64>("HLEN", "unacked", &[]).await,
            1,
            "the other's claim stays"
        );
        assert_eq!(
            broker.renew(vec![delivery.lease]).await.unwrap(),
            [Renewal::Lost]
        );
    });
}

#[test]
fn what_follows_is_sent_with_the_end() {
    Space::with(|space| async move {
        let broker = space.connect().await;
        send(&broker, vec![Message::new("first")]).await;
        let delivery = claim_one(&broker).await;
        let Settlement::Success {
            result,
            children,
            mut successors,
        } = success(&1)
        else {
            panic!("a success");
        };
        successors.messages.push(Message::new("second"));
        let child = successors.messages[0].id.clone();
        let id = delivery.lease.id.clone();
        let end = Settlement::Success {
            result,
            children,
            successors,
        };
        assert_eq!(
            broker.settle(delivery.lease, end).await.unwrap(),
            Settled::Done
        );
        assert_eq!(claim_one(&broker).await.message.task, "second");
        let Found::Known(meta) = broker.find(id).await.unwrap() else {
            panic!("it has a result");
        };
        assert_eq!(meta.children, [child]);
    });
}

#[test]
fn a_retry_waits_under_its_own_id() {
    Space::with(|space| async move {
        let broker = space.connect().await;
        send(&broker, vec![Message::new("flaky")]).await;
        let delivery = claim_one(&broker).await;
        let id = delivery.lease.id.clone();
        let Settlement::Failure { exception, .. } = failure() else {
            panic!("a failure");
        };
        let retry = Settlement::Retry {
            message: Message {
                retries: 1,
                ..delivery.message
            },
            exception,
            traceback: None,
        };
        assert_eq!(
            broker.settle(delivery.lease, retry).await.unwrap(),
            Settled::Done
        );
        let Found::Known(meta) = broker.find(id.clone()).await.unwrap() else {
            panic!("it has a state");
        };
        assert_eq!(meta.state, State::Retry);
        let again = claim_one(&broker).await;
        assert_eq!((again.message.id, again.message.retries), (id, 1));
    });
}

#[test]
fn a_revoked_task_does_not_run() {
    Space::with(|space| async move {
        let broker = space.connect().await;
        send(&broker, vec![Message::new("waits"), Message::new("runs")]).await;
        let ids: Vec<_> = broker
            .list(siding_tasks::ListFilter {
                limit: 9,
                ..Default::default()
            })
            .await
            .unwrap()
            .into_iter()
            .map(|listed| (listed.meta.task, listed.meta.id))
            .collect();
        let id = |name: &str| ids.iter().find(|(task, _)| task == name).unwrap().1.clone();
        broker
            .revoke(id("waits"), Revocation::Ignore)
            .await
            .unwrap();
        let delivery = eventually(|| async { claim(&broker, 1).await.pop() }).await;
        assert_eq!(delivery.message.task, "runs");
        broker
            .revoke(id("runs"), Revocation::Terminate)
            .await
            .unwrap();
        let renewed = broker.renew(vec![delivery.lease]).await.unwrap();
        assert_eq!(renewed, [Renewal::Revoked(Revocation::Terminate)]);
        assert_eq!(
            broker.finished(id("waits")).await.unwrap().state,
            State::Revoked
        );
    });
}

#[test]
fn a_unique_key_is_held_until_its_task_ends() {
    Space::with(|space| async move {
        let broker = space.connect().await;
        let unique = || Message {
            unique_key: Some("report".to_owned()),
            ..Message::new("report")
        };
        let send = |message: Message| {
            let request = siding_tasks::Enqueue {
                messages: vec![message],
                chords: Vec::new(),
            };
            async { broker.enqueue(request).await.unwrap().remove(0) }
        };
        let first = unique();
        let id = first.id.clone();
        assert_eq!(send(first).await, Enqueued::Accepted);
        assert_eq!(send(unique()).await, Enqueued::Duplicate(id));
        let delivery = claim_one(&broker).await;
        assert_eq!(
            broker.settle(delivery.lease, success(&())).await.unwrap(),
            Settled::Done
        );
        assert_eq!(send(unique()).await, Enqueued::Accepted);
    });
}

#[test]
fn what_waits_for_a_result_hears_of_it() {
    Space::with(|space| async move {
        let broker = space.connect().await;
        let other = space.connect().await;
        send(&broker, vec![Message::new("add")]).await;
        let delivery = claim_one(&broker).await;
        let id = delivery.lease.id.clone();
        let waiting = spawn(async move { other.finished(id).await.unwrap() });
        let channel = format!("celery-task-meta-{}", delivery.lease.id);
        eventually(|| async {
            let name = format!("{}{channel}", space.settings.key_prefix);
            let mut command = ::redis::cmd("PUBSUB");
            command.arg("NUMSUB").arg(name);
            let (_, count): (String, u64) = command
                .query_async(&mut space.direct.clone())
                .await
                .unwrap();
            (count > 0).then_some(())
        })
        .await;
        assert_eq!(
            broker
                .settle(delivery.lease, success(&"yes"))
                .await
                .unwrap(),
            Settled::Done
        );
        assert_eq!(waiting.await.unwrap().result.unwrap().get(), "\"yes\"");
    });
}
