//! Disks that are full, files that cannot be used, locks of others: a sentence that helps, and nothing lost.

use std::fs;
use std::path::Path;
use std::time::Duration;

use siding_tasks::{Broker as _, BrokerError, Embedded, EmbeddedSettings, Enqueue, State, TaskId};
use tempfile::TempDir;

use crate::support::{Fixture, block_on, json, message, settings};

fn one(id: &str, bytes: usize) -> Enqueue {
    let mut big = message(id);
    big.args = vec![json(&format!("\"{}\"", "x".repeat(bytes)))];
    Enqueue {
        messages: vec![big],
        chords: vec![],
    }
}

#[track_caller]
fn refuses(dir: &Path, says: &str) {
    let error = Embedded::open(dir, EmbeddedSettings::default()).unwrap_err();
    assert!(error.to_string().contains(says), "{error}");
}

#[test]
fn a_full_store_refuses_and_goes_on_when_there_is_space() {
    block_on(async {
        let it = Fixture::with(|settings| settings.max_bytes = Some(600_000));
        for number in 0..10 {
            it.store
                .enqueue(one(&format!("old{number}"), 20))
                .await
                .unwrap();
            let held = it.claim_one().await;
            let result = format!("\"{}\"", "r".repeat(20_000));
            let _ = it.succeed(held, &result).await;
        }
        let mut accepted = 0;
        let error = loop {
            match it
                .store
                .enqueue(one(&format!("new{accepted}"), 20_000))
                .await
            {
                Ok(_) => accepted += 1,
                Err(error) => break error,
            }
        };
        assert!(matches!(error, BrokerError::Unavailable(_)), "{error:?}");
        assert!(
            error.to_string().contains("is full; nothing was accepted"),
            "{error}"
        );
        assert!(accepted > 5, "{accepted}");
        assert_eq!(it.state(&format!("new{accepted}")).await, None);
        it.clock.advance(Duration::from_secs(24 * 60 * 60));
        assert_eq!(it.store.tidy().await.unwrap(), 10);
        it.store.enqueue(one("after", 20_000)).await.unwrap();
        let claimed = it.claim_ids().await;
        let expected = (0..accepted).map(|number| format!("new{number}"));
        assert_eq!(
            claimed,
            expected.chain(["after".to_owned()]).collect::<Vec<_>>()
        );
    });
}

#[test]
fn one_that_does_not_fit_takes_nobody_down_with_it() {
    block_on(async {
        let it = Fixture::with(|settings| settings.max_bytes = Some(400_000));
        // Polled together, they are one group: the writer has no turn in between.
        let (small, large, other) = tokio::join!(
            it.store.enqueue(one("small", 20)),
            it.store.enqueue(one("large", 1_000_000)),
            it.store.enqueue(one("other", 20)),
        );
        assert!(small.is_ok() && other.is_ok());
        assert!(matches!(large, Err(BrokerError::Unavailable(_))));
        assert_eq!(it.state("large").await, None);
        assert_eq!(it.claim_ids().await, ["small", "other"]);
    });
}

#[test]
fn a_lock_of_another_program_is_waited_for_and_then_named() {
    block_on(async {
        let it = Fixture::with(|settings| settings.busy_timeout = Duration::from_millis(20));
        it.enqueue(message("a")).await;
        let other = it.sql();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let error = it.store.enqueue(one("b", 1)).await.unwrap_err();
        assert!(matches!(error, BrokerError::Unavailable(_)), "{error:?}");
        assert!(
            error.to_string().contains("another program holds its lock"),
            "{error}"
        );
        assert_eq!(it.state("a").await, Some(State::Pending));
        other.execute_batch("ROLLBACK").unwrap();
        it.store.enqueue(one("b", 1)).await.unwrap();
    });
}

#[test]
fn a_lock_that_keeps_the_store_from_opening_is_named_once() {
    let dir = TempDir::new().unwrap();
    drop(Embedded::open(dir.path(), EmbeddedSettings::default()).unwrap());
    let file = dir.path().join("tasks.db");
    let other = rusqlite::Connection::open(&file).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let mut settings = EmbeddedSettings::default();
    settings.busy_timeout = Duration::from_millis(20);
    let error = Embedded::open(dir.path(), settings.clone())
        .unwrap_err()
        .to_string();
    assert!(error.contains("another program holds its lock"), "{error}");
    let name = file.to_str().unwrap();
    assert_eq!(error.matches(name).count(), 1, "{error}");
    other.execute_batch("ROLLBACK").unwrap();
    Embedded::open(dir.path(), settings).unwrap();
}

#[test]
fn a_store_is_not_made_for_those_who_only_look() {
    let dir = TempDir::new().unwrap();
    let none = dir.path().join("none");
    let error = Embedded::open_existing(&none, EmbeddedSettings::default()).unwrap_err();
    assert!(
        error.to_string().contains("there is no task store in"),
        "{error}"
    );
    assert!(!none.exists());
    drop(Embedded::open(&none, EmbeddedSettings::default()).unwrap());
    Embedded::open_existing(&none, EmbeddedSettings::default()).unwrap();
}

#[test]
fn a_file_that_is_no_database_is_left_alone() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("tasks.db");
    fs::write(&file, "dear diary, ".repeat(1_000)).unwrap();
    refuses(dir.path(), "the task store cannot be opened");
    let source = Embedded::open(dir.path(), EmbeddedSettings::default()).unwrap_err();
    assert!(
        format!("{source:?}").contains("is not a database; move it away"),
        "{source:?}"
    );
    assert!(fs::read_to_string(file).unwrap().starts_with("dear diary"));
}

#[test]
fn a_database_of_another_program_is_left_alone() {
    let dir = TempDir::new().unwrap();
    let conn = rusqlite::Connection::open(dir.path().join("tasks.db")).unwrap();
    conn.execute_batch("CREATE TABLE songs (name TEXT)")
        .unwrap();
    refuses(dir.path(), "is a database of another program");
}

#[test]
fn a_file_of_a_later_version_is_left_alone() {
    let it = Fixture::new();
    it.sql().pragma_update(None, "user_version", 7).unwrap();
    refuses(
        it.path(),
        "has schema version 7, and this version of Siding knows up to 1",
    );
}

#[test]
fn a_directory_that_cannot_be_made_is_named() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    refuses(&file.join("data"), "cannot be created");
}

#[test]
fn a_damaged_file_is_reported_and_not_worked_on() {
    block_on(async {
        let it = Fixture::new();
        for number in 0..200 {
            it.store
                .enqueue(one(&number.to_string(), 500))
                .await
                .unwrap();
        }
        it.store.close().await;
        let damaged = TempDir::new().unwrap();
        // Checkpointed: the last connection has closed by then.
        let sql = it.sql();
        sql.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
            .unwrap();
        let mut bytes = fs::read(it.path().join("tasks.db")).unwrap();
        bytes[4_096..].fill(0xA5);
        fs::write(damaged.path().join("tasks.db"), bytes).unwrap();
        let reason = match Embedded::open(damaged.path(), settings(&it.clock)) {
            Err(error) => format!("{error:?}"),
            Ok(store) => {
                let error = store.enqueue(one("new", 1)).await.unwrap_err();
                assert!(matches!(error, BrokerError::Broken(_)), "{error:?}");
                error.to_string()
            }
        };
        assert!(reason.contains("the file is damaged"), "{reason}");
    });
}

#[test]
fn a_message_that_cannot_be_read_is_a_dead_letter() {
    block_on(async {
        let it = Fixture::new();
        it.enqueue(message("bad")).await;
        it.enqueue(message("good")).await;
        it.sql()
            .execute(
                "UPDATE live SET message = '{\"headers\": 1}' WHERE id = 'bad'",
                [],
            )
            .unwrap();
        assert_eq!(it.claim_ids().await, ["good"]);
        let meta = it.find("bad").await.unwrap();
        assert_eq!(meta.state, State::Failure);
        assert_eq!(meta.exception.unwrap().exc_type, "DecodeError");
        assert!(!it.store.replay(TaskId::from("bad")).await.unwrap());
    });
}

#[test]
fn a_claim_that_nobody_waits_for_any_more_is_released() {
    block_on(async {
        let it = Fixture::new();
        it.enqueue(message("a")).await;
        let mut claim = it.store.claim(crate::support::claim_request(1));
        let other = it.sql();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        // It is on its way now, and cannot be answered yet.
        assert!(poll_once(&mut claim).is_none());
        drop(claim);
        other.execute_batch("ROLLBACK").unwrap();
        // The first comes after the claim, the second after its release.
        it.store.renew(vec![]).await.unwrap();
        it.store.renew(vec![]).await.unwrap();
        assert_eq!(it.claim_ids().await, ["a"]);
    });
}

fn poll_once<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::Pin::new(future).poll(&mut context) {
        std::task::Poll::Ready(output) => Some(output),
        std::task::Poll::Pending => None,
    }
}
