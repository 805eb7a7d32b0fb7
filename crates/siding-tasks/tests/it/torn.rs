//! Power cuts: the log is cut off or garbled anywhere, and what remains is a prefix of what was committed.

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use siding_tasks::{Broker as _, Embedded};
use tempfile::TempDir;

use crate::support::{Fixture, block_on, claim_request, message, settings};

const TASKS: usize = 24;

/// A store's files after `TASKS` enqueues, and how long the log was when each was answered.
struct Image {
    it: Fixture,
    db: Vec<u8>,
    wal: Vec<u8>,
    answered_at: Vec<usize>,
}

fn wal(dir: &Path) -> PathBuf {
    dir.join("tasks.db-wal")
}

fn image() -> Image {
    block_on(async {
        let it = Fixture::new();
        let mut answered_at = Vec::new();
        for number in 0..TASKS {
            it.enqueue(message(&format!("{number:02}"))).await;
            let length = fs::metadata(wal(it.path())).unwrap().len();
            answered_at.push(usize::try_from(length).unwrap());
        }
        Image {
            db: fs::read(it.path().join("tasks.db")).unwrap(),
            wal: fs::read(wal(it.path())).unwrap(),
            it,
            answered_at,
        }
    })
}

/// What is there after a start with this log.
fn recovered(image: &Image, log: &[u8]) -> Vec<String> {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("tasks.db"), &image.db).unwrap();
    fs::write(wal(dir.path()), log).unwrap();
    block_on(async {
        let store = Embedded::open(dir.path(), settings(&image.it.clock)).unwrap();
        let claim = store.claim(claim_request(1_000)).await.unwrap();
        store.close().await;
        let conn = rusqlite::Connection::open(dir.path().join("tasks.db")).unwrap();
        let verdict: String = conn
            .query_row("PRAGMA integrity_check", [], |row| row.get(0))
            .unwrap();
        assert_eq!(verdict, "ok");
        claim
            .deliveries
            .iter()
            .map(|one| one.message.id.to_string())
            .collect()
    })
}

#[derive(Clone, Debug)]
enum Damage {
    CutOff,
    Zeroed,
    Garbled(u8),
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        Just(Damage::CutOff),
        Just(Damage::Zeroed),
        (1..=255_u8).prop_map(Damage::Garbled)
    ]
}

#[test]
fn what_was_answered_before_the_damage_is_there_and_nothing_is_half_there() {
    let image = image();
    // The tables' own pages are in the log until it is carried over; before them there is no store to open.
    let first = image.answered_at[0];
    let config = ProptestConfig {
        cases: 60,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    proptest!(config, |(at in first..image.wal.len(), damage in damage())| {
        let mut log = image.wal.clone();
        match damage {
            Damage::CutOff => log.truncate(at),
            Damage::Zeroed => log[at..].fill(0),
            Damage::Garbled(by) => log[at..].iter_mut().for_each(|byte| *byte ^= by),
        }
        let found = recovered(&image, &log);
        let safe = image.answered_at.iter().filter(|length| **length <= at).count();
        prop_assert!(found.len() >= safe, "{} of {safe} answered tasks", found.len());
        let expected = (0..found.len()).map(|number| format!("{number:02}")).collect::<Vec<_>>();
        prop_assert_eq!(found, expected);
    });
}
