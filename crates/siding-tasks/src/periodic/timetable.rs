//! The schedules, for people.

use super::Entry;
use super::leader::LEAD;
use crate::broker::{Broker, BrokerError, Found};
use crate::message::Timestamp;
use crate::send::SendError;
use crate::tasks::Tasks;

/// The schedules of an application, and who sends by them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timetable {
    /// In the order they were made in.
    pub schedules: Vec<ScheduleSnapshot>,
    /// The name of the worker that leads: `None` when no worker does, and when the broker cannot tell.
    pub leader: Option<String>,
}

/// One schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ScheduleSnapshot {
    /// Its name.
    pub name: String,
    /// The task that it sends; of a canvas, the first.
    pub task: String,
    /// Its rule: a crontab, or `every` and an interval.
    pub when: String,
    /// Whose clocks a crontab is read by.
    pub time_zone: Option<&'static str>,
    /// When it is due next.
    pub next: Option<Timestamp>,
    /// The latest tick, if it was sent: its result tells, as long as that is kept.
    pub last: Option<Timestamp>,
}

impl Tasks {
    /// What is sent by the clock.
    ///
    /// # Errors
    /// When there is no broker, or it cannot answer now.
    pub async fn timetable(&self) -> Result<Timetable, SendError> {
        let (broker, now) = (self.broker()?, self.now());
        let entries = self.schedules().entries().clone();
        let mut schedules = Vec::with_capacity(entries.len());
        for entry in &entries {
            schedules.push(entry.snapshot(&**broker, now).await?);
        }
        // A worker is told from others of its name by what follows that.
        let leader = broker.leader(LEAD.to_owned()).await?;
        let leader = leader.map(|holder| match holder.split_once(' ') {
            Some((name, _)) => name.to_owned(),
            None => holder,
        });
        Ok(Timetable { schedules, leader })
    }
}

impl Entry {
    async fn snapshot(
        &self,
        broker: &dyn Broker,
        now: Timestamp,
    ) -> Result<ScheduleSnapshot, BrokerError> {
        let last = match self.rule.latest(now) {
            Some(tick) if broker.find(self.id(tick)).await? != Found::Unknown => Some(tick),
            _ => None,
        };
        Ok(ScheduleSnapshot {
            name: self.name.clone(),
            task: self.signature.task.clone(),
            when: self.when.clone(),
            time_zone: self.rule.time_zone(),
            next: self.rule.next(now),
            last,
        })
    }
}
