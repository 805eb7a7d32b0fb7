//! For `async fn`: the driver's async API.

use std::sync::Arc;

use mongodb::Client;
use mongodb::bson::doc;
use mongodb::error::Result as DriverResult;
use mongodb::options::ClientOptions;
use tokio::time::timeout;

use super::{COLLECTION, DATABASE, DocumentsError, LIMIT, LISTED_MAX, name};
use crate::models::document::{Document, NewDocument, StoredDocument};

/// The documents for those who await, if a server is set. A cheap clone.
#[derive(Clone)]
pub(crate) struct AsyncDocuments(pub(super) Option<Collection>);

impl AsyncDocuments {
    /// The latest.
    pub(crate) async fn list(&self) -> Result<Vec<Document>, DocumentsError> {
        self.collection()?.list().await
    }

    /// Adds one.
    pub(crate) async fn add(&self, new: NewDocument) -> Result<Document, DocumentsError> {
        self.collection()?.add(new).await
    }

    fn collection(&self) -> Result<&Collection, DocumentsError> {
        self.0.as_ref().ok_or(DocumentsError::NotSet)
    }
}

/// A collection on a server.
#[derive(Clone)]
pub(crate) struct Collection {
    client: Client,
    documents: mongodb::Collection<StoredDocument>,
    service: Arc<str>,
}

impl Collection {
    pub(super) async fn connect(options: ClientOptions) -> Result<Self, DocumentsError> {
        let service = name(&options).into();
        let failed = |error| DocumentsError::Failed {
            service: name(&options),
            error,
        };
        let client = Client::with_options(options.clone()).map_err(failed)?;
        let database = client.default_database();
        let database = database.unwrap_or_else(|| client.database(DATABASE));
        let collection = Self {
            documents: database.collection(COLLECTION),
            client,
            service,
        };
        collection.clone().check().await?;
        Ok(collection)
    }

    async fn list(&self) -> Result<Vec<Document>, DocumentsError> {
        let documents = self.documents.clone();
        self.run(async move {
            let found = documents
                .find(doc! {})
                .sort(doc! { "_id": -1 })
                .limit(LISTED_MAX);
            let mut found = found.max_time(LIMIT).await?;
            let mut list = Vec::new();
            while found.advance().await? {
                list.push(found.deserialize_current()?.into());
            }
            Ok(list)
        })
        .await
    }

    async fn add(&self, new: NewDocument) -> Result<Document, DocumentsError> {
        let documents = self.documents.clone();
        let stored = StoredDocument::from(new);
        self.run(async move {
            documents.insert_one(&stored).await?;
            Ok(stored.into())
        })
        .await
    }

    /// Whether the server answers. The driver has a connection of its own to watch it with, and knows by it which servers are well; the
    /// question itself goes over one of the pool's.
    pub(super) async fn check(self) -> Result<(), DocumentsError> {
        let client = self.client.clone();
        self.run(async move {
            let admin = client.database("admin");
            admin.run_command(doc! { "ping": 1 }).await.map(drop)
        })
        .await
    }

    pub(super) async fn close(self) {
        self.client.shutdown().immediate(true).await;
    }

    /// Waits for what the driver does, as long as the limit. What it does is a task of its own, since the driver does not take it well
    /// to be dropped in the middle: by this limit, or because the client has left.
    async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = DriverResult<T>> + Send + 'static,
    ) -> Result<T, DocumentsError> {
        let service = || self.service.to_string();
        match timeout(LIMIT, siding::spawn(work)).await {
            Ok(Ok(Ok(answer))) => Ok(answer),
            Ok(Ok(Err(error))) => Err(DocumentsError::Failed {
                service: service(),
                error,
            }),
            Ok(Err(panic)) => std::panic::resume_unwind(panic.into_panic()),
            Err(_) => Err(DocumentsError::TimedOut { service: service() }),
        }
    }
}
