//! For plain `fn`: the driver's sync API. It has no limit of its own for an answer; a server that does not answer the driver's own
//! connection either is given up by it, and then what waits for that server has an error.

use std::sync::Arc;

use mongodb::bson::doc;
use mongodb::error::Result as DriverResult;
use mongodb::options::ClientOptions;
use mongodb::sync::Client;

use super::{COLLECTION, DATABASE, DocumentsError, LIMIT, LISTED_MAX, name};
use crate::models::document::{Document, NewDocument, StoredDocument};

/// The documents for those who block, if a server is set. A cheap clone.
#[derive(Clone)]
pub(crate) struct BlockingDocuments(pub(super) Option<Collection>);

impl BlockingDocuments {
    /// The latest.
    pub(crate) fn list(&self) -> Result<Vec<Document>, DocumentsError> {
        self.collection()?.list()
    }

    /// Adds one.
    pub(crate) fn add(&self, new: NewDocument) -> Result<Document, DocumentsError> {
        self.collection()?.add(new)
    }

    fn collection(&self) -> Result<&Collection, DocumentsError> {
        self.0.as_ref().ok_or(DocumentsError::NotSet)
    }
}

/// A collection on a server.
#[derive(Clone)]
pub(crate) struct Collection {
    client: Client,
    documents: mongodb::sync::Collection<StoredDocument>,
    service: Arc<str>,
}

impl Collection {
    pub(super) fn connect(options: ClientOptions) -> Result<Self, DocumentsError> {
        let service: Arc<str> = name(&options).into();
        let failed = |error| DocumentsError::Failed {
            service: service.to_string(),
            error,
        };
        let client = Client::with_options(options).map_err(failed)?;
        let database = client.default_database();
        let database = database.unwrap_or_else(|| client.database(DATABASE));
        Ok(Self {
            documents: database.collection(COLLECTION),
            client,
            service,
        })
    }

    fn list(&self) -> Result<Vec<Document>, DocumentsError> {
        let list = || -> DriverResult<Vec<Document>> {
            let found = self.documents.find(doc! {}).sort(doc! { "_id": -1 });
            let found = found.limit(LISTED_MAX).max_time(LIMIT).run()?;
            found.map(|stored| Ok(stored?.into())).collect()
        };
        list().map_err(|error| self.error(error))
    }

    fn add(&self, new: NewDocument) -> Result<Document, DocumentsError> {
        let stored = StoredDocument::from(new);
        let added = self.documents.insert_one(&stored).run();
        added.map_err(|error| self.error(error))?;
        Ok(stored.into())
    }

    pub(super) fn close(self) {
        self.client.shutdown().immediate(true).run();
    }

    fn error(&self, error: mongodb::error::Error) -> DocumentsError {
        DocumentsError::Failed {
            service: self.service.to_string(),
            error,
        }
    }
}
