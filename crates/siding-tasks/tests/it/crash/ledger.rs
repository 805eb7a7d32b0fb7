//! What the processes have said, and whether it holds together.

use std::collections::HashMap;
use std::io::Write;

use siding_tasks::{Broker, Embedded, Found, State, TaskId};

use crate::support::block_on;

/// What was said of one task.
#[derive(Default)]
struct Entry {
    sent: bool,
    runs: u32,
    done: u32,
    runs_after_done: u32,
}

#[derive(Default)]
pub(super) struct Ledger(HashMap<String, Entry>);

impl Ledger {
    /// Enters one line: `sent`, `ran` or `done`, and a task's id. Other lines are the test harness's.
    pub(super) fn enter(&mut self, line: &str) {
        let mut words = line.split(' ');
        let (Some(word), Some(id), None) = (words.next(), words.next(), words.next()) else {
            return;
        };
        // A process that was killed in the middle of a line leaves half an id, which no task has.
        let entry = match word {
            "sent" | "ran" | "done" if id.len() == victim_id_len() => {
                self.0.entry(id.to_owned()).or_default()
            }
            _ => return,
        };
        match word {
            "sent" => entry.sent = true,
            "ran" => {
                entry.runs += 1;
                entry.runs_after_done += u32::from(entry.done > 0);
            }
            _ => entry.done += 1,
        }
    }

    pub(super) fn print(&self, rounds: u32) {
        let count =
            |wanted: fn(&Entry) -> bool| self.0.values().filter(|entry| wanted(entry)).count();
        let said = format!(
            "{rounds} rounds: {} acknowledged, {} run, of these {} more than once; {} settled, {} of these run again\n",
            count(|entry| entry.sent),
            count(|entry| entry.runs > 0),
            count(|entry| entry.runs > 1),
            count(|entry| entry.done > 0),
            count(|entry| entry.runs_after_done > 0),
        );
        std::io::stderr().write_all(said.as_bytes()).unwrap();
    }

    pub(super) fn check(&self, store: &Embedded) {
        assert!(
            self.0.values().any(|entry| entry.done > 0),
            "something was done"
        );
        for (id, entry) in &self.0 {
            assert!(
                !entry.sent || entry.runs > 0,
                "{id} was acknowledged and lost"
            );
            assert_eq!(
                entry.runs_after_done, 0,
                "{id} ran again after its settlement"
            );
            assert!(entry.done <= 1, "{id} was settled twice");
            assert!(!entry.sent || is_success(store, id), "{id} has no result");
        }
    }
}

fn victim_id_len() -> usize {
    "00000000-0000-0000-0000-000000000000".len()
}

fn is_success(store: &Embedded, id: &str) -> bool {
    match block_on(store.find(TaskId::from(id))).unwrap() {
        Found::Known(meta) => meta.state == State::Success,
        Found::Unknown => false,
    }
}
