//! The workers of this process.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::broker::BrokerError;
use crate::send::SendError;
use crate::tasks::Tasks;
use crate::worker::{Crew, WorkerSnapshot};

/// The workers of this process that run an application's tasks, or did.
#[derive(Debug, Default)]
pub(crate) struct Crews(Mutex<Vec<Weak<Crew>>>);

impl Crews {
    /// Adds one; it leaves by being dropped.
    pub(crate) fn join(&self, crew: &Arc<Crew>) {
        let mut crews = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        crews.retain(|known| known.strong_count() > 0);
        crews.push(Arc::downgrade(crew));
    }

    fn snapshots(&self) -> Vec<WorkerSnapshot> {
        let crews = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let crews = crews.iter().filter_map(Weak::upgrade);
        crews.map(|crew| crew.snapshot()).collect()
    }
}

/// The workers that are known, by their names.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Workers {
    /// Those of this process as they are now, others as they reported last.
    pub list: Vec<WorkerSnapshot>,
    /// Why others are missing, where the broker cannot list them.
    pub note: Option<String>,
}

impl Tasks {
    /// The workers that run these tasks: of this process, and of others where the broker knows them.
    ///
    /// # Errors
    /// When there is no broker, or it cannot answer now.
    pub async fn workers(&self) -> Result<Workers, SendError> {
        let mut list = self.crews().snapshots();
        let note = match self.broker()?.workers().await {
            Ok(reported) => {
                let is_here =
                    |one: &WorkerSnapshot| list.iter().any(|here| here.holder == one.holder);
                let others: Vec<_> = reported.into_iter().filter(|one| !is_here(one)).collect();
                list.extend(others);
                None
            }
            Err(BrokerError::Unsupported(why)) => Some(why),
            Err(error) => return Err(error.into()),
        };
        list.sort_by(|a, b| (&a.name, &a.holder).cmp(&(&b.name, &b.holder)));
        Ok(Workers { list, note })
    }
}
