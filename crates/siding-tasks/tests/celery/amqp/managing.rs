//! Leading, counting and purging.

use std::time::Duration;

use siding_tasks::{Broker, QueueCount, State};

use super::support::*;

const PERIOD: Duration = Duration::from_secs(30);

async fn lead(broker: &siding_tasks::Amqp, name: &str, holder: &str) -> bool {
    let answer = broker.lead(name.to_owned(), holder.to_owned(), PERIOD);
    answer.await.unwrap()
}

#[test]
fn one_leads_at_a_time() {
    Space::with(|space| async move {
        let (here, there) = (space.connect().await, space.connect().await);
        let name = &space.queue;
        assert!(lead(&here, name, "a").await);
        assert!(lead(&here, name, "a").await, "it may renew");
        assert!(!lead(&here, name, "b").await, "of one process, one leads");
        assert!(!lead(&there, name, "c").await);
        there.resign(name.clone(), "c".to_owned()).await.unwrap();
        assert!(
            !lead(&there, name, "c").await,
            "it was not its to give back"
        );
        here.resign(name.clone(), "a".to_owned()).await.unwrap();
        assert!(lead(&there, name, "c").await);
        // With its connection, the leader is gone.
        there.close().await;
        eventually(|| async { lead(&here, name, "a").await.then_some(()) }).await;
        declare(&space.direct, &space.queue, &[]).await;
    });
}

#[test]
fn what_waits_is_counted_and_purged() {
    Space::with(|mut space| async move {
        space.settings.queues = vec![space.queue.clone()];
        let broker = space.connect().await;
        assert_eq!(broker.overview().await.unwrap(), []);
        let messages: Vec<_> = (0..5).map(|_| space.message("add")).collect();
        let ids: Vec<_> = messages.iter().map(|message| message.id.clone()).collect();
        send(&broker, messages).await;
        let count = QueueCount {
            queue: space.queue.clone(),
            state: State::Pending,
            tasks: 5,
        };
        assert_eq!(broker.overview().await.unwrap(), [count]);
        assert_eq!(broker.purge(None, 2).await.unwrap(), 2);
        space.await_ready(&space.queue, 3).await;
        let queue = Some(space.queue.clone());
        assert_eq!(broker.purge(queue, usize::MAX).await.unwrap(), 3);
        assert_eq!(broker.overview().await.unwrap(), []);
        for id in ids {
            assert_eq!(broker.finished(id).await.unwrap().state, State::Revoked);
        }
        let nowhere = broker.purge(Some("no such queue".to_owned()), 9).await;
        assert_eq!(nowhere.unwrap(), 0);
    });
}
