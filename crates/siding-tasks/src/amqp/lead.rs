//! Who leads: whoever has a queue for themselves.
//!
//! An exclusive queue belongs to one connection, and is gone with it. So the lead is free when the leader's connection is
//! lost. The leader notices that no later than the server does: it declares the queue again to renew.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use lapin::options::QueueDeclareOptions;
use lapin::protocol::AMQPSoftError;
use lapin::types::FieldTable;
use tokio::time::Instant;

use super::error::{failed, refusal};
use super::session::Session;
use super::topology::{self, short};
use crate::broker::BrokerError;

/// Who leads in this process, by what.
#[derive(Debug, Default)]
pub(super) struct Leads(Mutex<HashMap<String, Lead>>);

#[derive(Clone, Debug)]
struct Lead {
    holder: String,
    until: Instant,
}

impl Leads {
    /// Makes `holder` the leader in `name`, or renews that. `false` says that another is.
    pub(super) async fn lead(
        &self,
        session: &Session,
        name: &str,
        holder: &str,
        period: Duration,
    ) -> Result<bool, BrokerError> {
        let others = self
            .find(name)
            .is_some_and(|lead| lead.holder != holder && lead.until > Instant::now());
        // Who has the queue already may declare it again.
        if others || !acquire(session, name).await? {
            return Ok(false);
        }
        let lead = Lead {
            holder: holder.to_owned(),
            until: Instant::now() + period,
        };
        self.leads().insert(name.to_owned(), lead);
        Ok(true)
    }

    /// Gives the lead back, if `holder` has it.
    pub(super) async fn resign(
        &self,
        session: &Session,
        name: &str,
        holder: &str,
    ) -> Result<(), BrokerError> {
        let held = self.find(name).is_some_and(|lead| lead.holder == holder);
        if !held {
            return Ok(());
        }
        topology::delete(session, &queue(name)).await?;
        self.leads().remove(name);
        Ok(())
    }

    fn leads(&self) -> std::sync::MutexGuard<'_, HashMap<String, Lead>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, name: &str) -> Option<Lead> {
        self.leads().get(name).cloned()
    }
}

fn queue(name: &str) -> String {
    format!("siding.lead.{name}")
}

async fn acquire(session: &Session, name: &str) -> Result<bool, BrokerError> {
    let channel = session.scout().await?;
    let options = QueueDeclareOptions {
        exclusive: true,
        ..QueueDeclareOptions::default()
    };
    let asked = channel.queue_declare(short(&queue(name))?, options, FieldTable::default());
    let answer = session
        .ask("give the lead", async { Ok(asked.await) })
        .await?;
    match answer {
        Ok(_) => Ok(true),
        Err(error) if refusal(&error) == Some(&AMQPSoftError::RESOURCELOCKED) => Ok(false),
        Err(error) => Err(failed("give the lead", &error)),
    }
}
