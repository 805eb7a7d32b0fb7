//! How sentinels are asked, and what is said when that leads nowhere.

use siding_tasks::{
    Broker, BrokerError, Found, Message, Redis, RedisSettings, ResultBackend, Settled,
};

use super::fake::{Sentinel, nobody};
use super::settings;
use crate::proxy::{Mode, Proxy};
use crate::redis::servers::{Server, run};
use crate::redis::support::*;

/// Settings for the machine's Redis, by the sentinels of these ports.
fn by(space: &Space, ports: &[u16]) -> RedisSettings {
    let urls = ports.iter();
    let urls = urls.map(|port| format!("sentinel://127.0.0.1:{port}/8"));
    let urls: Vec<_> = urls.collect();
    RedisSettings {
        url: settings(&format!("{}?master_name=shop", urls.join(";"))).url,
        ..space.settings.clone()
    }
}

#[test]
fn sentinels_are_asked_in_turn_and_who_answers_is_asked_first() {
    Space::with(|space| async move {
        let proxy = Proxy::start(6379).await;
        let ignorant = Sentinel::naming(None).await;
        let knowing = Sentinel::naming(Some(proxy.port)).await;
        let ports = [nobody().await, ignorant.port, knowing.port];
        let broker = Redis::connect(by(&space, &ports)).await.unwrap();
        send(&broker, vec![Message::new("before")]).await;
        assert_eq!((ignorant.asked(), knowing.asked()), (1, 1));
        assert_eq!(claim_one(&broker).await.message.task, "before");

        proxy.tell(Mode::Closed);
        eventually(|| async { broker.overview().await.ok() }).await;
        assert_eq!(ignorant.asked(), 1, "another one knew the master");
        assert!(knowing.asked() > 1, "a new connection asks again");
    });
}

#[test]
fn results_may_have_sentinels_of_their_own() {
    Space::with(|space| async move {
        let sentinel = Sentinel::naming(Some(6379)).await;
        let results = Box::new(by(&space, &[sentinel.port]));
        let broker = Redis::connect_with(space.settings.clone(), ResultBackend::Redis(results));
        let broker = broker.await.unwrap();
        assert_eq!(sentinel.asked(), 1);
        send(&broker, vec![Message::new("add")]).await;
        let delivery = claim_one(&broker).await;
        let id = delivery.message.id.clone();
        let settled = broker.settle(delivery.lease, success(&7)).await.unwrap();
        assert_eq!(settled, Settled::Done);
        let Found::Known(meta) = broker.find(id).await.unwrap() else {
            panic!("no result");
        };
        assert_eq!(meta.result.unwrap().read::<i64>().unwrap(), 7);
    });
}

/// A sentinel that is mistaken keeps nobody from the one that is not.
#[test]
fn what_is_no_master_is_passed_over() {
    run(async {
        let replica = ["port {port}", "bind 127.0.0.1", "replicaof 127.0.0.1 1"];
        let (Some(replica), Some(master)) = (
            Server::start(&replica, |_| {}),
            Server::start(&["port {port}", "bind 127.0.0.1"], |_| {}),
        ) else {
            return;
        };
        let late = Sentinel::naming(Some(replica.port)).await;
        let right = Sentinel::naming(Some(master.port)).await;
        let url = |port| format!("sentinel://:hush@127.0.0.1:{port}");
        let alone = settings(&format!("{}?master_name=shop", url(late.port)));
        let text = eventually(|| async {
            let error = Redis::connect(alone.clone()).await.unwrap_err();
            assert!(matches!(error, BrokerError::Unavailable(_)), "{error:?}");
            let text = error.to_string();
            // Until the server has started, it cannot be reached.
            text.contains("no master but a slave").then_some(text)
        });
        let text = text.await;
        assert!(
            text.contains(&format!("127.0.0.1:{}", replica.port)) && !text.contains("hush"),
            "{text}"
        );
        let url = |port| format!("sentinel://127.0.0.1:{port}");
        let both = format!("{};{}?master_name=shop", url(late.port), url(right.port));
        let both = settings(&both);
        let broker = eventually(|| async { Redis::connect(both.clone()).await.ok() }).await;
        send(&broker, vec![Message::new("add")]).await;
        assert_eq!(claim_one(&broker).await.message.task, "add");
    });
}

#[test]
fn who_finds_no_master_is_told_why() {
    Space::with(|space| async move {
        let (one, two) = (nobody().await, nobody().await);
        let error = Redis::connect(by(&space, &[one, two])).await.unwrap_err();
        check(
            &error,
            &[&one.to_string(), &two.to_string(), "cannot be reached"],
        );
        assert!(matches!(error, BrokerError::Unavailable(_)), "{error:?}");

        let ignorant = Sentinel::naming(None).await;
        let error = Redis::connect(by(&space, &[ignorant.port]))
            .await
            .unwrap_err();
        check(&error, &["\"shop\"", "does not know it", "knows: other"]);
        assert!(matches!(error, BrokerError::Broken(_)), "{error:?}");

        // One that may know it is away.
        let error = Redis::connect(by(&space, &[one, ignorant.port]))
            .await
            .unwrap_err();
        check(&error, &["cannot be reached", "does not know it"]);
        assert!(matches!(error, BrokerError::Unavailable(_)), "{error:?}");

        let error = Redis::connect(by(&space, &[6379])).await.unwrap_err();
        check(
            &error,
            &["127.0.0.1:6379 is a Redis server and no sentinel"],
        );
        assert!(matches!(error, BrokerError::Broken(_)), "{error:?}");
    });
}

/// The password in front of the sentinel's address is the master's.
#[test]
fn who_does_not_say_the_password_of_the_sentinel_is_told_where_to() {
    run(async {
        let lines = ["port {port}", "bind 127.0.0.1", "requirepass guard"];
        let Some(sentinel) = Server::start_sentinel(&lines, |_| {}) else {
            return;
        };
        for more in ["", "&sentinel_password=blunder"] {
            let url = format!("sentinel://:hush@127.0.0.1:{{port}}?master_name=shop{more}");
            let error = eventually(|| async {
                let error = Redis::connect(sentinel.settings(&url)).await.unwrap_err();
                // Until it has started, it cannot be reached.
                matches!(error, BrokerError::Broken(_)).then_some(error)
            });
            let error = error.await;
            check(
                &error,
                &[
                    "refused the user or the password",
                    "write sentinel_password=",
                ],
            );
            let text = error.to_string();
            assert!(
                !text.contains("hush") && !text.contains("blunder"),
                "{text}"
            );
        }
        // It knows no master yet.
        let url = "sentinel://127.0.0.1:{port}?master_name=shop&sentinel_password=guard";
        let error = Redis::connect(sentinel.settings(url)).await.unwrap_err();
        check(&error, &["watches no master", "`sentinel monitor`"]);
    });
}

#[track_caller]
fn check(error: &BrokerError, parts: &[&str]) {
    let text = error.to_string();
    for part in parts {
        assert!(text.contains(part), "{part} is not in: {text}");
    }
}
