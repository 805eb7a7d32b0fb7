//! What an application says of its document as a whole.

use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value, json};

type Change = Arc<dyn Fn(&mut Value) + Send + Sync>;

/// What an application says of its document as a whole.
///
/// ```
/// use siding::openapi::OpenApi;
///
/// let settings = OpenApi::new("Shop", "1.4.0")
///     .description("Orders and what becomes of them.")
///     .tag("orders", "From the basket to the door")
///     .customize(|document| {
///         document["components"]["securitySchemes"]["key"] =
///             serde_json::json!({"type": "apiKey", "in": "header", "name": "x-api-key"});
///     });
/// ```
#[derive(Clone)]
#[must_use]
pub struct OpenApi {
    title: String,
    version: String,
    description: Option<String>,
    servers: Vec<String>,
    tags: Vec<Value>,
    changes: Vec<Change>,
}

impl OpenApi {
    /// An API of this title and version.
    pub fn new(title: impl Into<String>, version: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            version: version.into(),
            description: None,
            servers: Vec::new(),
            tags: Vec::new(),
            changes: Vec::new(),
        }
    }

    /// What it is for, as CommonMark.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// A URL where it is served. Without any it is where the document is.
    pub fn server(mut self, url: impl Into<String>) -> Self {
        self.servers.push(url.into());
        self
    }

    /// What a tag stands for. Tags are shown in the order in which they are described here.
    pub fn tag(mut self, name: impl Into<String>, description: impl Into<String>) -> Self {
        let (name, description) = (name.into(), description.into());
        self.tags
            .push(json!({"name": name, "description": description}));
        self
    }

    /// Changes the finished document: security schemes, contacts, licences, whatever OpenAPI has and this has not.
    pub fn customize(mut self, change: impl Fn(&mut Value) + Send + Sync + 'static) -> Self {
        self.changes.push(Arc::new(change));
        self
    }

    pub(super) fn title(&self) -> &str {
        &self.title
    }

    /// What the document begins with.
    pub(super) fn head(&self) -> Value {
        let mut info = Map::new();
        info.insert("title".to_owned(), self.title.as_str().into());
        info.insert("version".to_owned(), self.version.as_str().into());
        if let Some(description) = &self.description {
            info.insert("description".to_owned(), description.as_str().into());
        }
        let mut head = json!({"openapi": "3.1.0", "info": info});
        if !self.servers.is_empty() {
            head["servers"] = self.servers.iter().map(|url| json!({"url": url})).collect();
        }
        if !self.tags.is_empty() {
            head["tags"] = Value::Array(self.tags.clone());
        }
        head
    }

    pub(super) fn customized(&self, mut document: Value) -> Value {
        for change in &self.changes {
            change(&mut document);
        }
        document
    }
}

impl fmt::Debug for OpenApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenApi")
            .field("title", &self.title)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}
