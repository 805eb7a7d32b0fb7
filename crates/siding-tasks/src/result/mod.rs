//! Results of tasks that were sent.

mod group;

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use serde::de::DeserializeOwned;

pub use group::GroupResult;

use crate::broker::{BrokerError, Found, Revocation};
use crate::message::{Exception, Meta, RawJson, State, TaskId};
use crate::send::SendError;
use crate::tasks::Tasks;

/// The result of a task that was sent, which may not be there yet. Clones are cheap and mean the same task.
pub struct AsyncResult<T> {
    tasks: Tasks,
    id: TaskId,
    duplicate: bool,
    marker: PhantomData<fn() -> T>,
}

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GetError {
    /// The task failed for good.
    #[error("the task {id} failed: {}: {}", .exception.exc_type, .exception.message)]
    Failed {
        /// The task.
        id: TaskId,
        /// Why.
        exception: Exception,
        /// Where, as text.
        traceback: Option<String>,
    },
    /// The task was revoked, or has expired.
    #[error("the task {id} was revoked: {reason}")]
    Revoked {
        /// The task.
        id: TaskId,
        /// `revoked`, `terminated` or `expired`.
        reason: String,
    },
    /// The task was not ready in time. It goes on.
    #[error("the task {id} was not ready within {waited:?}")]
    TimedOut {
        /// The task.
        id: TaskId,
        /// The time it was given.
        waited: Duration,
    },
    /// The result is none of the type that was asked for.
    #[error("the result of the task {id} is no {expected}")]
    Unreadable {
        /// The task.
        id: TaskId,
        /// The type.
        expected: &'static str,
        /// Why.
        source: serde_json::Error,
    },
    /// There is no broker to ask.
    #[error(transparent)]
    NotConnected(SendError),
    /// The broker did not say.
    #[error("the broker did not say what became of it")]
    Broker(#[from] BrokerError),
}

impl<T> AsyncResult<T> {
    pub(crate) fn new(tasks: Tasks, id: TaskId) -> Self {
        Self {
            tasks,
            id,
            duplicate: false,
            marker: PhantomData,
        }
    }

    pub(crate) fn duplicate(tasks: Tasks, id: TaskId) -> Self {
        Self {
            duplicate: true,
            ..Self::new(tasks, id)
        }
    }

    /// The task.
    #[must_use]
    pub fn id(&self) -> &TaskId {
        &self.id
    }

    /// Whether nothing was sent, because a task with the same unique key, or the same id, is there already: this result is
    /// that one's.
    #[must_use]
    pub fn is_duplicate(&self) -> bool {
        self.duplicate
    }

    /// All that is known of it; `None` when nothing is.
    ///
    /// # Errors
    /// When there is no broker, or it does not say.
    pub async fn meta(&self) -> Result<Option<Meta>, GetError> {
        let broker = self.tasks.broker().map_err(GetError::NotConnected)?;
        Ok(match broker.find(self.id.clone()).await? {
            Found::Unknown => None,
            Found::Known(meta) => Some(meta),
        })
    }

    /// What the task is at; [`State::Pending`] also when nothing is known of it.
    ///
    /// # Errors
    /// As [`meta`](Self::meta).
    pub async fn state(&self) -> Result<State, GetError> {
        Ok(self.meta().await?.map_or(State::Pending, |meta| meta.state))
    }

    /// The tasks that it sent, and that followed it.
    ///
    /// # Errors
    /// As [`meta`](Self::meta).
    pub async fn children(&self) -> Result<Vec<TaskId>, GetError> {
        Ok(self
            .meta()
            .await?
            .map(|meta| meta.children)
            .unwrap_or_default())
    }

    /// The task that sent it, or that it followed.
    ///
    /// # Errors
    /// As [`meta`](Self::meta).
    pub async fn parent(&self) -> Result<Option<TaskId>, GetError> {
        Ok(self.meta().await?.and_then(|meta| meta.parent_id))
    }

    /// Says that it is not to run; with [`Revocation::Terminate`], that it should end if it runs.
    ///
    /// # Errors
    /// When there is no broker, or it cannot do so.
    pub async fn revoke(&self, revocation: Revocation) -> Result<(), SendError> {
        self.tasks.revoke(self.id.clone(), revocation).await
    }

    /// Waits until it is ready, however long that takes, and says what became of it.
    ///
    /// # Errors
    /// When there is no broker, or it does not say.
    pub async fn wait(&self) -> Result<Meta, GetError> {
        let broker = self.tasks.broker().map_err(GetError::NotConnected)?;
        Ok(broker.finished(self.id.clone()).await?)
    }

    /// The result as JSON, once it is there, but no later than after `timeout`.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn get_raw(&self, timeout: Duration) -> Result<RawJson, GetError> {
        let meta = tokio::time::timeout(timeout, self.wait())
            .await
            .map_err(|_| GetError::TimedOut {
                id: self.id.clone(),
                waited: timeout,
            })??;
        value_of(meta)
    }

    /// The result, once it is there, but no later than after `timeout`.
    ///
    /// # Errors
    /// When the task failed for good or was revoked, was not ready in time, or its result is no `T`.
    pub async fn get(&self, timeout: Duration) -> Result<T, GetError>
    where
        T: DeserializeOwned,
    {
        let value = self.get_raw(timeout).await?;
        value.read().map_err(|source| GetError::Unreadable {
            id: self.id.clone(),
            expected: std::any::type_name::<T>(),
            source,
        })
    }
}

fn value_of(meta: Meta) -> Result<RawJson, GetError> {
    let exception = meta.exception.unwrap_or_else(|| Exception {
        exc_type: "Unknown".to_owned(),
        exc_module: "siding".to_owned(),
        message: "the broker keeps no reason".to_owned(),
    });
    match meta.state {
        State::Success => Ok(meta.result.unwrap_or_else(RawJson::null)),
        State::Revoked => Err(GetError::Revoked {
            id: meta.id,
            reason: exception.message,
        }),
        State::Failure | State::Pending | State::Started | State::Retry => Err(GetError::Failed {
            id: meta.id,
            exception,
            traceback: meta.traceback,
        }),
    }
}

impl<T> Clone for AsyncResult<T> {
    fn clone(&self) -> Self {
        Self {
            duplicate: self.duplicate,
            ..Self::new(self.tasks.clone(), self.id.clone())
        }
    }
}

impl<T> fmt::Debug for AsyncResult<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncResult")
            .field("id", &self.id)
            .field("duplicate", &self.duplicate)
            .finish_non_exhaustive()
    }
}
