//! What operators do, and who leads.

use std::time::Duration;

use siding_tasks::{Broker, ListFilter, Message, Settled, State};

use super::support::*;

#[test]
fn one_leads_until_it_resigns() {
    Space::with(|space| async move {
        let broker = space.connect().await;
        let minute = Duration::from_secs(60);
        let lead = |holder: &str| broker.lead("beat".to_owned(), holder.to_owned(), minute);
        assert!(lead("a").await.unwrap());
        assert!(!lead("b").await.unwrap());
        assert!(lead("a").await.unwrap());
        broker
            .resign("beat".to_owned(), "b".to_owned())
            .await
            .unwrap();
        assert!(!lead("b").await.unwrap());
        broker
            .resign("beat".to_owned(), "a".to_owned())
            .await
            .unwrap();
        assert!(lead("b").await.unwrap());
    });
}

#[test]
fn a_dead_letter_is_listed_and_sent_again() {
    Space::with(|space| async move {
        let broker = space.connect().await;
        send(&broker, vec![Message::new("fails")]).await;
        let delivery = claim_one(&broker).await;
        let id = delivery.lease.id.clone();
        assert_eq!(
            broker.settle(delivery.lease, failure()).await.unwrap(),
            Settled::Done
        );
        let filter = ListFilter {
            state: Some(State::Failure),
            limit: 9,
            ..ListFilter::default()
        };
        let listed = broker.list(filter.clone()).await.unwrap();
        assert_eq!((listed.len(), &listed[0].meta.id), (1, &id));
        assert!(broker.replay(id.clone()).await.unwrap());
        assert!(!broker.replay(id.clone()).await.unwrap());
        assert_eq!(broker.list(filter).await.unwrap(), []);
        assert_eq!(claim_one(&broker).await.message.id, id);
    });
}

#[test]
fn what_waits_is_counted_and_thrown_away() {
    Space::with(|space| async move {
        let broker = space.connect().await;
        let in_queue = |queue: &str| Message {
            queue: queue.to_owned(),
            ..Message::new("add")
        };
        let messages = vec![in_queue("celery"), in_queue("mail"), in_queue("mail")];
        let id = messages[1].id.clone();
        send(&broker, messages).await;
        claim_one(&broker).await;
        let mut counts: Vec<_> = broker.overview().await.unwrap();
        counts.sort_by_key(|count| count.tasks);
        let counts: Vec<_> = counts
            .iter()
            .map(|count| (&*count.queue, count.state, count.tasks))
            .collect();
        assert_eq!(
            counts,
            [("", State::Started, 1), ("mail", State::Pending, 2)]
        );
        assert_eq!(broker.purge(None, 10).await.unwrap(), 2);
        assert_eq!(broker.finished(id).await.unwrap().state, State::Revoked);
        assert_eq!(
            shared(&broker)
                .purge(Some("mail".to_owned()), 10)
                .await
                .unwrap(),
            0
        );
    });
}
