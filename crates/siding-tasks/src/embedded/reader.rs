//! A thread that reads, on a connection of its own, and so never waits for a writer.

use std::path::{Path, PathBuf};
use std::thread;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::error::{OpenError, explain};
use super::{EmbeddedSettings, file};
use crate::broker::BrokerError;

type Query = Box<dyn FnOnce(&Connection) + Send>;

/// The way to a reading thread, which ends with the last of these.
#[derive(Clone, Debug)]
pub(super) struct Reader {
    queries: mpsc::Sender<Query>,
    file: PathBuf,
}

impl Reader {
    pub(super) fn start(
        name: &str,
        dir: &Path,
        file: &Path,
        settings: &EmbeddedSettings,
    ) -> Result<Self, OpenError> {
        let conn = file::open_reader(file, settings)?;
        let patience = file::patience(file, settings);
        let (queries, mut inbox) = mpsc::channel::<Query>(settings.waiting_requests.max(1));
        thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                patience.here();
                while let Some(query) = inbox.blocking_recv() {
                    query(&conn);
                }
            })
            .map_err(|error| OpenError::Start {
                dir: dir.to_owned(),
                error,
            })?;
        Ok(Self {
            queries,
            file: file.to_owned(),
        })
    }

    /// Runs `query`, which sees everything that was durable when it began.
    pub(super) async fn call<A, F>(&self, query: F) -> Result<A, BrokerError>
    where
        A: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<A> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let query = move |conn: &Connection| {
            if !reply.is_closed() {
                // Nobody may wait any more: the caller's future was dropped.
                drop(reply.send(query(conn)));
            }
        };
        let sent = self.queries.send(Box::new(query)).await;
        sent.map_err(|_| BrokerError::Closed)?;
        let answer = answer.await.map_err(|_| BrokerError::Closed)?;
        answer.map_err(|error| explain(&self.file, &error))
    }
}
