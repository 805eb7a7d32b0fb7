//! Claiming, renewing and settling.

use std::time::Duration;

use siding_tasks::{
    Broker, ClaimRequest, Enqueue, Enqueued, Exception, Found, Message, Quota, Renewal, Revocation,
    Settled, Settlement, Signature, State, Timestamp,
};

use super::support::*;

#[test]
fn a_message_is_run_once_and_its_result_comes_back() {
    Space::with(|space| async move {
        let client = space.connect().await;
        let worker = space.connect().await;
        let message = space.message("add");
        let id = message.id.clone();
        send(&client, vec![message]).await;
        let delivery = space.claim_one(&worker).await;
        assert_eq!(delivery.deliveries, 1);
        assert_eq!(
            worker.renew(vec![delivery.lease.clone()]).await.unwrap(),
            [Renewal::Held]
        );
        let settled = worker.settle(delivery.lease.clone(), success(&5)).await;
        assert_eq!(settled.unwrap(), Settled::Done);
        let meta = client.finished(id.clone()).await.unwrap();
        assert_eq!(
            (meta.state, meta.result.unwrap().get()),
            (State::Success, "5")
        );
        let Found::Known(meta) = client.find(id.clone()).await.unwrap() else {
            panic!("it came");
        };
        assert_eq!(meta.id, id);
        let again = worker.settle(delivery.lease, success(&6)).await.unwrap();
        assert_eq!(again, Settled::Refused);
        worker.close().await;
        space.await_ready(&space.queue, 0).await;
    });
}

#[test]
fn whoever_waits_hears_that_it_has_started() {
    Space::with(|space| async move {
        let broker = space.connect().await;
        let message = space.message("add");
        let id = message.id.clone();
        send(&broker, vec![message]).await;
        let delivery = space.claim_one(&broker).await;
        broker.started(delivery.lease.clone()).await.unwrap();
        let state = || async {
            match broker.find(id.clone()).await.unwrap() {
                Found::Known(meta) => Some(meta.state),
                Found::Unknown => None,
            }
        };
        assert_eq!(eventually(state).await, State::Started);
        let settled = broker.settle(delivery.lease.clone(), success(&5)).await;
        assert_eq!(settled.unwrap(), Settled::Done);
        broker.started(delivery.lease).await.unwrap();
        assert_eq!(
            broker.finished(id.clone()).await.unwrap().state,
            State::Success
        );
    });
}

/// Each client gets its own results, and no other's.
#[test]
fn results_go_to_whoever_sent_the_task() {
    Space::with(|space| async move {
        let clients = [space.connect().await, space.connect().await];
        let worker = space.connect().await;
        let mut ids = Vec::new();
        for client in &clients {
            let message = space.message("add");
            ids.push(message.id.clone());
            send(client, vec![message]).await;
        }
        for delivery in space.claim(&worker, 2).await {
            let id = delivery.message.id.to_string();
            let _ = worker.settle(delivery.lease, success(&id)).await.unwrap();
        }
        for (client, id) in clients.iter().zip(&ids) {
            let meta = client.finished(id.clone()).await.unwrap();
            assert_eq!(meta.result.unwrap().get(), format!("\"{id}\""));
        }
        assert_eq!(
            clients[0].find(ids[1].clone()).await.unwrap(),
            Found::Unknown
        );
        assert_eq!(worker.find(ids[0].clone()).await.unwrap(), Found::Unknown);
    });
}

/// What was not asked for is left to others.
#[test]
fn no_more_is_taken_than_there_is_room_for() {
    Space::with(|space| async move {
        let broker = space.connect().await;
        let messages = (0..10).map(|_| space.message("add")).collect();
        send(&broker, messages).await;
        assert_eq!(
            ready(&space.direct, &space.queue).await,
            10,
            "nobody has claimed yet"
        );
        let first = space.claim(&broker, 2).await;
        // Two are held. There is room for three, so five at most are here.
        let more = space.claim(&broker, 3).await;
        space.await_ready(&space.queue, 5).await;
        for delivery in first.into_iter().chain(more) {
            let _ = broker.settle(delivery.lease, success(&0)).await.unwrap();
        }
    });
}

#[test]
fn what_is_released_is_delivered_again() {
    Space::with(|space| async move {
        let broker = space.connect().await;
        send(&broker, vec![space.message("add")]).await;
        let delivery = space.claim_one(&broker).await;
        broker.release(vec![delivery.lease.clone()]).await.unwrap();
        assert_eq!(
            broker.renew(vec![delivery.lease.clone()]).await.unwrap(),
            [Renewal::Lost]
        );
        let again = space.claim_one(&broker).await;
        assert_eq!(
            (again.message.id, again.deliveries),
            (delivery.message.id, 2)
        );
        assert!(again.lease.token > delivery.lease.token);
    });
}

/// A task whose lane is full holds up no other.
#[test]
fn full_lanes_are_passed_over() {
    Space::with(|space| async move {
        let broker = space.connect().await;
        let names = ["big", "big", "big", "small"];
        send(&broker, names.map(|name| space.message(name)).to_vec()).await;
        let request = ClaimRequest {
            quotas: vec![Quota {
                tasks: vec!["big".to_owned()],
                limit: 1,
            }],
            ..space.request(2)
        };
        let claimed = claim_as(&broker, request).await;
        let names: Vec<_> = claimed.iter().map(|one| &*one.message.task).collect();
        assert_eq!(names, ["big", "small"]);
        let left = space.claim(&broker, 2).await;
        assert!(left.iter().all(|one| one.message.task == "big"));
    });
}

/// Another worker, which knows the task, gets it.
#[test]
fn unknown_tasks_are_left_to_others() {
    Space::with(|space| async move {
        let (here, there) = (space.connect().await, space.connect().await);
        send(&here, vec![space.message("foreign"), space.message("own")]).await;
        let request = ClaimRequest {
            known: Some(vec!["own".to_owned()]),
            ..space.request(1)
        };
        let own = claim_as(&here, request.clone()).await;
        assert_eq!(own[0].message.task, "own");
        let stop = tokio::spawn(async move {
            loop {
                let claim = here.claim(request.clone()).await.unwrap();
                assert_eq!(claim.deliveries, []);
                let at = claim.next_at.unwrap_or_else(Timestamp::now);
                let pause = at.since(Timestamp::now()).max(Duration::from_millis(10));
                tokio::time::sleep(pause).await;
            }
        });
        let foreign = space.claim_one(&there).await;
        assert_eq!(foreign.message.task, "foreign");
        stop.abort();
    });
}

/// A worker that is busy, or gone, keeps nothing from others.
#[test]
fn what_nobody_claims_goes_back() {
    Space::with(|space| async move {
        let broker = space.connect().await;
        let request = ClaimRequest {
            known: Some(Vec::new()),
            ..space.request(5)
        };
        assert_eq!(broker.claim(request).await.unwrap().deliveries, []);
        send(&broker, vec![space.message("add")]).await;
        let other = space.connect().await;
        assert_eq!(space.claim_one(&other).await.message.task, "add");
    });
}

#[test]
fn what_follows_is_sent_before_the_end() {
    Space::with(|space| async move {
        let broker = space.connect().await;
        send(&broker, vec![space.message("first")]).await;
        let delivery = space.claim_one(&broker).await;
        let settlement = Settlement::Success {
            result: siding_tasks::RawJson::of(&1).unwrap(),
            children: Vec::new(),
            successors: Enqueue {
                messages: vec![space.message("second")],
                chords: Vec::new(),
            },
        };
        let settled = broker.settle(delivery.lease, settlement).await.unwrap();
        assert_eq!(settled, Settled::Done);
        assert_eq!(space.claim_one(&broker).await.message.task, "second");
    });
}

#[test]
fn a_retry_replaces_its_message() {
    Space::with(|space| async move {
        let broker = space.connect().await;
        let message = space.message("add");
        let id = message.id.clone();
        send(&broker, vec![message]).await;
        let delivery = space.claim_one(&broker).await;
        let again = Message {
            retries: 1,
            ..delivery.message.clone()
        };
        let settlement = Settlement::Retry {
            message: again,
            exception: exception("not yet"),
            traceback: None,
        };
        let settled = broker.settle(delivery.lease, settlement).await.unwrap();
        assert_eq!(settled, Settled::Done);
        let again = space.claim_one(&broker).await;
        assert_eq!((&again.message.id, again.message.retries), (&id, 1));
        assert_eq!(again.deliveries, 1);
        let meta = eventually(|| async {
            match broker.find(id.clone()).await.unwrap() {
                Found::Known(meta) => Some(meta),
                Found::Unknown => None,
            }
        });
        assert_eq!(meta.await.state, State::Retry);
    });
}

fn exception(message: &str) -> Exception {
    Exception {
        exc_type: "ValueError".to_owned(),
        exc_module: "builtins".to_owned(),
        message: message.to_owned(),
    }
}

/// The rest of a chain fails with its task, and whoever waits for it hears so.
#[test]
fn what_never_runs_fails() {
    Space::with(|space| async move {
        let broker = space.connect().await;
        let mut message = space.message("first");
        let mut next = Signature::new("second");
        next.options.task_id = Some("the-second".into());
        message.embed.chain = vec![next];
        send(&broker, vec![message]).await;
        let delivery = space.claim_one(&broker).await;
        let settlement = Settlement::Failure {
            exception: exception("no"),
            traceback: None,
            children: Vec::new(),
            successors: Enqueue::default(),
        };
        let settled = broker.settle(delivery.lease, settlement).await.unwrap();
        assert_eq!(settled, Settled::Done);
        let meta = broker.finished("the-second".into()).await.unwrap();
        assert_eq!(meta.state, State::Failure);
        assert_eq!(meta.exception.unwrap().message, "no");
    });
}

#[test]
fn what_has_expired_is_not_run() {
    Space::with(|space| async move {
        let broker = space.connect().await;
        let mut message = space.message("late");
        message.expires = Some(Timestamp::now().after(Duration::from_secs(3_600)));
        let id = message.id.clone();
        send(&broker, vec![message]).await;
        // Its time in the queue is not over, the time that its header says is.
        let got = space
            .direct
            .basic_get(space.queue.as_str().into(), Default::default())
            .await
            .unwrap()
            .unwrap();
        let mut headers = got.properties.headers().clone().unwrap();
        headers.insert(
            "expires".into(),
            lapin::types::AMQPValue::LongString("2026-01-01T00:00:00.000000+00:00".into()),
        );
        let published = space.direct.basic_publish(
            "".into(),
            space.queue.as_str().into(),
            Default::default(),
            &got.data,
            got.properties.clone().with_headers(headers),
        );
        published.await.unwrap().await.unwrap();
        got.acker.ack(Default::default()).await.unwrap();
        send(&broker, vec![space.message("next")]).await;
        assert_eq!(space.claim_one(&broker).await.message.task, "next");
        let meta = broker.finished(id).await.unwrap();
        assert_eq!(meta.state, State::Revoked);
        assert_eq!(meta.exception.unwrap().message, "expired");
    });
}

#[test]
fn what_is_revoked_does_not_run() {
    Space::with(|space| async move {
        let broker = space.connect().await;
        let messages = ["running", "waiting", "to come"].map(|task| space.message(task));
        let [running, waiting, coming] = messages.clone().map(|message| message.id);
        let [first, second, third] = messages;
        send(&broker, vec![first]).await;
        let delivery = space.claim_one(&broker).await;
        send(&broker, vec![second]).await;
        for id in [&running, &waiting, &coming] {
            broker
                .revoke(id.clone(), Revocation::Terminate)
                .await
                .unwrap();
        }
        assert_eq!(
            broker.renew(vec![delivery.lease]).await.unwrap(),
            [Renewal::Revoked(Revocation::Terminate)]
        );
        let request = Enqueue {
            messages: vec![third],
            chords: Vec::new(),
        };
        assert_eq!(broker.enqueue(request).await.unwrap(), [Enqueued::Revoked]);
        send(&broker, vec![space.message("next")]).await;
        assert_eq!(space.claim_one(&broker).await.message.task, "next");
        for id in [waiting, coming] {
            let meta = broker.finished(id).await.unwrap();
            assert_eq!(meta.state, State::Revoked);
            assert_eq!(meta.exception.unwrap().message, "revoked");
        }
    });
}
