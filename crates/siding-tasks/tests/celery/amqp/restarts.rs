//! A server that is restarted.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use siding_tasks::{Broker as _, Tasks};
use tokio::sync::watch;

use super::support::*;
use crate::fleet::Running;
use crate::node::Stop;

/// So many tasks are sent, of which so many run at once.
const TASKS: u32 = 60;
const SLOTS: usize = 10;

/// How long a worker has to go on once the server answers.
const RESUMES: Duration = Duration::from_secs(10);

/// What was confirmed runs, also what was in the hands of a worker.
#[test]
fn a_restarted_server_loses_nothing_and_is_served_again() {
    Space::on_node(async |space, node| {
        let ran: Arc<Mutex<BTreeSet<u32>>> = Arc::default();
        let may_end = watch::Sender::new(false);
        let tasks = Tasks::new();
        let note = tasks.register("note", {
            let (ran, may_end) = (Arc::clone(&ran), may_end.clone());
            move |number: u32| {
                ran.lock().unwrap().insert(number);
                let mut may_end = may_end.subscribe();
                async move { drop(may_end.wait_for(|open| *open).await) }
            }
        });
        let note = note.queue(&space.queue).ignore_result();
        let broker = space.connect().await;
        tasks.connect(Arc::new(broker.clone()));
        let worker = tasks.worker().queues([&*space.queue]).concurrency(SLOTS);
        let worker = Running::start(worker);
        let ran_are = async |number: usize| {
            let enough = async || (ran.lock().unwrap().len() >= number).then_some(());
            eventually(enough).await;
        };
        for (round, how) in [Stop::Orderly, Stop::Kill].into_iter().enumerate() {
            may_end.send_replace(false);
            let before = u32::try_from(round).unwrap() * TASKS;
            for number in before..before + TASKS {
                note.delay((number,)).await.unwrap();
            }
            ran_are(before as usize + SLOTS).await;
            node.stop(how);
            may_end.send_replace(true);
            node.start().await;
            let all = ran_are((before + TASKS) as usize);
            tokio::time::timeout(RESUMES, all)
                .await
                .unwrap_or_else(|_| panic!("it is not consumed again after {how:?}"));
        }
        eventually(async || broker.overview().await.unwrap().is_empty().then_some(())).await;
        worker.stop().await;
    });
}
