//! Messages whose eta is far.

use std::time::Duration;

use siding_tasks::{Broker, Settled, Timestamp};

use super::support::*;

/// It waits in the server, not in a worker, and comes when its time does.
#[test]
fn a_far_message_is_parked_and_comes_in_time() {
    Space::with_host(|mut space| async move {
        space.settings.park_beyond = Duration::from_secs(1);
        let broker = space.connect().await;
        let eta = Timestamp::now().after(Duration::from_millis(3_500));
        let mut message = space.message("later");
        message.eta = Some(eta);
        message.expires = Some(eta.after(Duration::from_secs(60)));
        let sent = message.clone();
        send(&broker, vec![message, space.message("now")]).await;
        assert_eq!(ready(&space.direct, &space.queue).await, 1);
        assert_eq!(ready(&space.direct, "celery_delayed_1").await, 1);
        assert_eq!(space.claim_one(&broker).await.message.task, "now");
        let later = space.claim_one(&broker).await;
        // Whole seconds are waited for in the server, the rest in the worker.
        assert!(eta.since(Timestamp::now()) < Duration::from_secs(1));
        assert_eq!(
            (later.message.id, later.message.eta, later.message.expires),
            (sent.id, sent.eta, sent.expires)
        );
        let keys = later
            .message
            .headers
            .keys()
            .filter(|key| key.starts_with("x-"));
        assert_eq!(keys.count(), 0, "the server's traces are no part of it");
        assert_eq!(later.deliveries, 1);
        let settled = broker.settle(later.lease, success(&1)).await.unwrap();
        assert_eq!(settled, Settled::Done);
    });
}

/// What others sent straight to the queue is parked by the worker that gets it.
#[test]
fn a_far_message_that_came_early_is_parked() {
    Space::with_host(|mut space| async move {
        let mut patient = space.settings.clone();
        patient.park_beyond = Duration::MAX;
        let python = siding_tasks::Amqp::connect(patient).await.unwrap();
        let mut message = space.message("later");
        message.eta = Some(Timestamp::now().after(Duration::from_secs(100)));
        send(&python, vec![message, space.message("now")]).await;
        assert_eq!(ready(&space.direct, &space.queue).await, 2);
        space.settings.park_beyond = Duration::from_secs(1);
        let worker = space.connect().await;
        assert_eq!(space.claim_one(&worker).await.message.task, "now");
        // 99 s or a little less are 64 and 32 and something.
        assert_eq!(ready(&space.direct, "celery_delayed_6").await, 1);
        worker.close().await;
        space.await_ready(&space.queue, 1).await;
    });
}

/// A user who may not make exchanges: the worker holds it, as Celery's does.
#[test]
fn without_permission_the_worker_holds_it() {
    Space::with_host(|mut space| async move {
        let host = space.settings.url.virtual_host.clone();
        let user = format!("siding-test-{}", uuid::Uuid::new_v4().simple());
        let made = rabbitmqctl(&["add_user", &user, "secret"])
            && rabbitmqctl(&[
                "set_permissions",
                "-p",
                &host,
                &user,
                "^(siding-test|[0-9a-f-]+$)",
                ".*",
                ".*",
            ]);
        assert!(made);
        space.settings.url.user = user.clone();
        space.settings.url.password = siding_tasks::Secret::new("secret");
        let broker = space.connect().await;
        let mut message = space.message("later");
        message.eta = Some(Timestamp::now().after(Duration::from_secs(100)));
        send(&broker, vec![message]).await;
        assert_eq!(space.claim_one(&broker).await.message.task, "later");
        rabbitmqctl(&["delete_user", &user]);
    });
}
