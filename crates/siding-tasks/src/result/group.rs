//! The results of a group.

use std::fmt;
use std::time::Duration;

use serde::de::DeserializeOwned;
use tokio::time::Instant;

use super::{AsyncResult, GetError};
use crate::broker::Revocation;
use crate::message::{State, TaskId};
use crate::send::SendError;
use crate::tasks::Tasks;

/// The results of a group that was sent, in the order of its tasks.
pub struct GroupResult<T> {
    id: TaskId,
    members: Vec<AsyncResult<T>>,
}

impl<T> GroupResult<T> {
    pub(crate) fn new(tasks: &Tasks, id: TaskId, members: Vec<TaskId>) -> Self {
        let members = members
            .into_iter()
            .map(|id| AsyncResult::new(tasks.clone(), id))
            .collect();
        Self { id, members }
    }

    /// The group.
    #[must_use]
    pub fn id(&self) -> &TaskId {
        &self.id
    }

    /// The result of each task.
    #[must_use]
    pub fn results(&self) -> &[AsyncResult<T>] {
        &self.members
    }

    /// What each task is at.
    ///
    /// # Errors
    /// When there is no broker, or it does not say.
    pub async fn states(&self) -> Result<Vec<State>, GetError> {
        let mut states = Vec::with_capacity(self.members.len());
        for member in &self.members {
            states.push(member.state().await?);
        }
        Ok(states)
    }

    /// How many tasks have succeeded.
    ///
    /// # Errors
    /// As [`states`](Self::states).
    pub async fn completed(&self) -> Result<usize, GetError> {
        let states = self.states().await?;
        Ok(states
            .into_iter()
            .filter(|state| *state == State::Success)
            .count())
    }

    /// Revokes every task.
    ///
    /// # Errors
    /// When there is no broker, or it cannot do so.
    pub async fn revoke(&self, revocation: Revocation) -> Result<(), SendError> {
        for member in &self.members {
            member.revoke(revocation).await?;
        }
        Ok(())
    }

    /// All results, once the last is there, but no later than after `timeout`.
    ///
    /// # Errors
    /// Those of the first task, by its place, that has no result; see [`AsyncResult::get`].
    pub async fn get(&self, timeout: Duration) -> Result<Vec<T>, GetError>
    where
        T: DeserializeOwned,
    {
        let until = Instant::now() + timeout;
        let mut values = Vec::with_capacity(self.members.len());
        for member in &self.members {
            let left = until.saturating_duration_since(Instant::now());
            let value = member.get(left).await.map_err(|error| match error {
                GetError::TimedOut { id, .. } => GetError::TimedOut {
                    id,
                    waited: timeout,
                },
                other => other,
            })?;
            values.push(value);
        }
        Ok(values)
    }
}

impl<T> fmt::Debug for GroupResult<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GroupResult")
            .field("id", &self.id)
            .field("members", &self.members)
            .finish()
    }
}
