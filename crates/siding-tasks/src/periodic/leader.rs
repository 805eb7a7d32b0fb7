//! The worker that sends what is due.

use std::collections::HashMap;
use std::time::Duration;

use super::Entry;
use crate::broker::{BrokerError, Found};
use crate::message::Timestamp;
use crate::send::SendError;
use crate::tasks::Tasks;
use crate::worker::Crew;

pub(super) const LEAD: &str = "periodic";

/// How long a lead lasts until it is renewed. It is renewed three times in this time.
const PERIOD: Duration = Duration::from_secs(30);

/// Takes the lead when it can, and sends what is due. Never ends.
pub(crate) async fn run(crew: &Crew) {
    if crew.tasks.schedules().entries().is_empty() {
        return std::future::pending().await;
    }
    let mut leader = Leader::new(crew.tasks.clone(), crew.holder.clone());
    loop {
        let wait = match leader.beat().await {
            Ok(wait) => wait,
            Err(error) => {
                tracing::warn!(%error, "periodic tasks could not be sent; trying again");
                PERIOD / 10
            }
        };
        tokio::time::sleep(wait).await;
    }
}

/// Gives the lead back, if this worker has it, so that another has it at once.
pub(crate) async fn resign(crew: &Crew) {
    if crew.tasks.schedules().entries().is_empty() {
        return;
    }
    let resigned = crew.broker.resign(LEAD.to_owned(), crew.holder.clone());
    if let Err(error) = resigned.await {
        tracing::warn!(%error, "the lead is not given back; it ends by itself");
    }
}

/// One that may lead.
#[derive(Debug)]
struct Leader {
    tasks: Tasks,
    holder: String,
    /// The latest tick of each schedule that was sent or found to be; empty unless it leads.
    latest: HashMap<String, Timestamp>,
}

impl Leader {
    fn new(tasks: Tasks, holder: String) -> Self {
        Self {
            tasks,
            holder,
            latest: HashMap::new(),
        }
    }

    /// Sends what is due, if it leads. Returns how long there is nothing to do.
    async fn beat(&mut self) -> Result<Duration, SendError> {
        let broker = self.tasks.broker()?;
        let leads = broker
            .lead(LEAD.to_owned(), self.holder.clone(), PERIOD)
            .await?;
        if !leads {
            self.latest.clear();
            return Ok(PERIOD / 3);
        }
        let now = self.tasks.now();
        let entries = self.tasks.schedules().entries().clone();
        let mut wait = PERIOD / 3;
        for entry in &entries {
            self.send_latest(entry, now).await?;
            if let Some(next) = entry.rule.next(now) {
                wait = wait.min(next.since(now));
            }
        }
        Ok(wait)
    }

    async fn send_latest(&mut self, entry: &Entry, now: Timestamp) -> Result<(), SendError> {
        let Some(tick) = entry.rule.latest(now) else {
            return Ok(());
        };
        if self.latest.get(&entry.name) == Some(&tick) {
            return Ok(());
        }
        let too_late = now.since(tick) > entry.catch_up;
        if !too_late && !self.was_sent(entry, tick).await? {
            let mut family = self.tasks.family();
            family.now = now;
            let broker = self.tasks.broker()?;
            let request = entry.request(tick, &family, &**broker)?;
            let names = request.messages.iter().map(|message| message.task.clone());
            let names: Vec<_> = names.collect();
            broker.enqueue(request).await?;
            for name in names {
                self.tasks.counted().sent(&name);
            }
            tracing::debug!(schedule = entry.name, %tick, "periodic task sent");
        }
        self.latest.insert(entry.name.clone(), tick);
        Ok(())
    }

    /// Whether a leader before this one has sent it. What that one sends in this very moment has the same id, which the
    /// broker takes once; but once it has failed, it would be taken again.
    async fn was_sent(&self, entry: &Entry, tick: Timestamp) -> Result<bool, BrokerError> {
        let Ok(broker) = self.tasks.broker() else {
            return Ok(false);
        };
        Ok(broker.find(entry.id(tick)).await? != Found::Unknown)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::broker::Broker;
    use crate::embedded::{Embedded, EmbeddedSettings, ManualClock};
    use crate::message::{Message, State};
    use crate::task::Task;

    const MINUTE: Duration = Duration::from_secs(60);

    struct Fixture {
        tasks: Tasks,
        store: Arc<Embedded>,
        clock: Arc<ManualClock>,
        _dir: tempfile::TempDir,
    }

    impl Fixture {
        fn new() -> (Self, Task<(), u8>) {
            let dir = tempfile::TempDir::new().unwrap();
            let clock = Arc::new(ManualClock::new(
                Timestamp::parse("2026-03-01T10:02:00Z").unwrap(),
            ));
            let settings = EmbeddedSettings {
                clock: Arc::clone(&clock) as Arc<_>,
                safety_net: None,
                ..EmbeddedSettings::default()
            };
            let store = Arc::new(Embedded::open(dir.path(), settings).unwrap());
            let tasks = Tasks::with_clock(Arc::clone(&clock) as Arc<_>);
            tasks.connect(Arc::clone(&store) as Arc<dyn Broker>);
            let task = tasks.register("report", || 1_u8);
            let fixture = Self {
                tasks,
                store,
                clock,
                _dir: dir,
            };
            (fixture, task)
        }

        fn leader(&self, holder: &str) -> Leader {
            Leader::new(self.tasks.clone(), holder.to_owned())
        }

        async fn sent(&self) -> Vec<String> {
            let listed = self.store.list(crate::broker::ListFilter {
                limit: 100,
                ..Default::default()
            });
            let listed = listed.await.unwrap();
            listed
                .iter()
                .rev()
                .map(|one| one.meta.id.to_string())
                .collect()
        }
    }

    fn block_on<F: Future>(future: F) -> F::Output {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.unwrap().block_on(future)
    }

    const AT_10_00: &str = "report */5 * * * *@2026-03-01T10:00:00.000000+00:00";
    const AT_10_05: &str = "report */5 * * * *@2026-03-01T10:05:00.000000+00:00";

    #[test]
    fn a_tick_is_sent_once_whoever_leads() {
        let (it, task) = Fixture::new();
        it.tasks.crontab("*/5 * * * *", task.s(()));
        block_on(async {
            let (mut a, mut b) = (it.leader("a"), it.leader("b"));
            assert_eq!(a.beat().await.unwrap(), PERIOD / 3);
            assert_eq!(b.beat().await.unwrap(), PERIOD / 3);
            a.beat().await.unwrap();
            assert_eq!(it.sent().await, [AT_10_00]);
            // The lead runs out in the middle of a tick.
            it.clock.advance(MINUTE * 3);
            b.beat().await.unwrap();
            a.beat().await.unwrap();
            assert_eq!(it.sent().await, [AT_10_00, AT_10_05]);
        });
    }

    #[test]
    fn a_tick_that_failed_is_not_sent_again_by_the_next_leader() {
        let (it, task) = Fixture::new();
        it.tasks.crontab("*/5 * * * *", task.s(()));
        block_on(async {
            it.leader("a").beat().await.unwrap();
            let id = crate::message::TaskId::from(AT_10_00);
            it.store
                .revoke(id, crate::broker::Revocation::Terminate)
                .await
                .unwrap();
            it.clock.advance(MINUTE);
            it.leader("b").beat().await.unwrap();
            let meta = it
                .tasks
                .result::<u8>(AT_10_00)
                .meta()
                .await
                .unwrap()
                .unwrap();
            assert_eq!(meta.state, State::Revoked);
        });
    }

    #[test]
    fn of_missed_ticks_the_latest_is_sent_if_it_is_not_too_old() {
        let (it, task) = Fixture::new();
        it.tasks.every(MINUTE * 5, task.s(())).name("often");
        it.tasks.every(MINUTE * 60, task.s(())).name("rare");
        it.tasks
            .every(MINUTE * 60, task.s(()))
            .name("late")
            .catch_up(MINUTE * 60);
        block_on(async {
            it.clock.advance(MINUTE * 31);
            it.leader("a").beat().await.unwrap();
            assert_eq!(
                it.sent().await,
                [
                    "often@2026-03-01T10:30:00.000000+00:00",
                    "late@2026-03-01T10:00:00.000000+00:00",
                ]
            );
        });
    }

    #[test]
    fn the_next_tick_is_waited_for() {
        let (it, task) = Fixture::new();
        it.tasks.crontab("*/5 * * * *", task.s(()));
        block_on(async {
            it.clock.advance(Duration::from_secs(175));
            assert_eq!(it.leader("a").beat().await.unwrap(), Duration::from_secs(5));
        });
    }

    #[test]
    fn a_canvas_is_sent_with_ids_of_its_tick() {
        let (it, task) = Fixture::new();
        let canvas = crate::send::chain([task.s(()), task.si(())]);
        it.tasks.crontab("*/5 * * * *", canvas).name("both");
        block_on(async {
            it.leader("a").beat().await.unwrap();
            let claim = it.store.claim(crate::broker::ClaimRequest {
                worker: "w@test".to_owned(),
                queues: vec![Message::DEFAULT_QUEUE.to_owned()],
                limit: 9,
                known: None,
                quotas: Vec::new(),
                lease: PERIOD,
            });
            let first = claim.await.unwrap().deliveries.remove(0).message;
            let base = "both@2026-03-01T10:00:00.000000+00:00";
            assert_eq!(first.id.as_str(), base);
            let next = first.embed.chain[0].options.task_id.as_ref().unwrap();
            assert_eq!(next.as_str(), format!("{base}/2"));
        });
    }
}
