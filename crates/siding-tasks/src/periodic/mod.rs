//! Tasks that are sent by the clock.
//!
//! Of all workers one leads; it sends what is due. A tick is sent under an id that is made of the schedule's name and the
//! tick's moment, so that it is sent once even when the lead goes to another worker in that very moment.
//!
//! # Missed ticks
//! Of the ticks that came while nobody led, the latest is sent, if it is no older than the schedule's
//! [`catch_up`](Schedule::catch_up); the others are not. That holds for the first start of a new schedule too.

mod leader;
mod rule;
mod timetable;

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub(crate) use leader::{resign, run};
use rule::Rule;
pub use timetable::{ScheduleSnapshot, Timetable};

use crate::broker::Broker;
use crate::broker::Enqueue;
use crate::canvas::{Family, expand, freeze_by, number_priorities};
use crate::message::{Signature, TaskId, Timestamp};
use crate::send::{Canvas, SendError};
use crate::tasks::Tasks;

/// How late a tick may be sent unless set: longer than another worker needs to take the lead.
const CATCH_UP: Duration = Duration::from_secs(5 * 60);

/// Something that is sent by the clock.
#[derive(Clone, Debug)]
struct Entry {
    name: String,
    /// The rule as it was given, for people.
    when: String,
    rule: Rule,
    signature: Signature,
    catch_up: Duration,
}

/// All schedules of an application.
#[derive(Debug, Default)]
pub(crate) struct Schedules(Mutex<Vec<Entry>>);

impl Schedules {
    fn entries(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[expect(
    clippy::must_use_candidate,
    reason = "the schedule itself is elsewhere"
)]
impl Tasks {
    /// Sends `canvas` each `interval`: at the multiples of it since 1970, whatever time the worker was started.
    ///
    /// ```
    /// # use std::time::Duration;
    /// let tasks = siding_tasks::Tasks::new();
    /// let clean = tasks.register("clean", async || "clean".to_owned());
    /// tasks.every(Duration::from_secs(600), clean.s(()));
    /// tasks
    ///     .crontab("30 6 * * mon-fri", clean.s(()))
    ///     .name("clean before work")
    ///     .time_zone("Europe/Berlin");
    /// ```
    ///
    /// # Panics
    /// When the interval is less than a millisecond, or an argument has no form in JSON.
    pub fn every<T>(&self, interval: Duration, canvas: Canvas<T>) -> Schedule {
        let rule = Rule::every(interval);
        self.schedule(&format!("every {interval:?}"), rule, canvas)
    }

    /// Sends `canvas` at the times that `expression` says, in UTC unless a [time zone](Schedule::time_zone) is set: minute,
    /// hour, day of the month, month and day of the week, and seconds before them if there are six.
    ///
    /// # Panics
    /// When the expression cannot be read, or an argument has no form in JSON.
    pub fn crontab<T>(&self, expression: &str, canvas: Canvas<T>) -> Schedule {
        let rule = Rule::cron(expression);
        self.schedule(expression, rule, canvas)
    }

    fn schedule<T>(&self, rule_text: &str, rule: Rule, canvas: Canvas<T>) -> Schedule {
        let signature = match canvas.into_signature() {
            Ok(signature) => signature,
            Err(error) => panic!("the schedule {rule_text:?} cannot be sent: {error}"),
        };
        let mut entries = self.schedules().entries();
        let name = format!("{} {rule_text}", signature.task);
        let namesakes = entries
            .iter()
            .filter(|entry| entry.name.starts_with(&name))
            .count();
        let name = match namesakes {
            0 => name,
            more => format!("{name} #{}", more + 1),
        };
        entries.push(Entry {
            name,
            when: rule_text.to_owned(),
            rule,
            signature,
            catch_up: CATCH_UP,
        });
        Schedule {
            tasks: self.clone(),
            place: entries.len() - 1,
        }
    }
}

/// Something that is sent by the clock, while a worker runs. It is so whatever becomes of this handle, which only has the
/// settings.
pub struct Schedule {
    tasks: Tasks,
    place: usize,
}

#[expect(
    clippy::return_self_not_must_use,
    clippy::must_use_candidate,
    reason = "the schedule itself is elsewhere"
)]
impl Schedule {
    fn set(self, change: impl FnOnce(&mut Entry)) -> Self {
        change(&mut self.tasks.schedules().entries()[self.place]);
        self
    }

    /// Its name, which is part of its tasks' ids: workers of all versions that know it by one name send each tick once.
    /// Unless set, it is made of the task's name and the rule.
    ///
    /// # Panics
    /// When another schedule has it.
    pub fn name(self, name: &str) -> Self {
        let taken = self
            .tasks
            .schedules()
            .entries()
            .iter()
            .any(|entry| entry.name == name);
        assert!(!taken, "two schedules are named {name:?}");
        self.set(|entry| name.clone_into(&mut entry.name))
    }

    /// The time zone that a crontab's hours are of, such as `Europe/Berlin`.
    ///
    /// # Panics
    /// When there is none of this name.
    pub fn time_zone(self, name: &str) -> Self {
        self.set(|entry| entry.rule.set_time_zone(name))
    }

    /// How late a tick may be sent that came while nobody led; 5 min unless set.
    pub fn catch_up(self, limit: Duration) -> Self {
        self.set(|entry| entry.catch_up = limit)
    }
}

impl fmt::Debug for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.tasks.schedules().entries()[self.place].fmt(f)
    }
}

impl Entry {
    /// What is sent for `tick`. Every id in it is made of the name and the tick.
    fn request(
        &self,
        tick: Timestamp,
        family: &Family,
        broker: &dyn Broker,
    ) -> Result<Enqueue, SendError> {
        let number = |priority| broker.priority_number(priority);
        let mut signature = number_priorities(self.signature.clone(), number)?;
        let base = self.id(tick);
        let mut count = 0;
        freeze_by(&mut signature, &mut || {
            count += 1;
            match count {
                1 => base.clone(),
                more => TaskId::from(format!("{base}/{more}")),
            }
        })?;
        let mut request = Enqueue::default();
        expand(signature, &[], family, &mut request)?;
        for message in &mut request.messages {
            // Its result is how another leader sees that it was sent.
            message.ignore_result = false;
        }
        Ok(request)
    }

    fn id(&self, tick: Timestamp) -> TaskId {
        TaskId::from(format!("{}@{tick}", self.name))
    }
}
