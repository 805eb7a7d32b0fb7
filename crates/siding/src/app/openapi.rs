//! An application's OpenAPI document: where it is served, and how it is printed.

use std::io::{self, Write};

use serde_json::Value;

use super::{App, exit};
use crate::get;
use crate::openapi::{DocumentSlot, OpenApi, Pages, Route, document, hidden};

/// What an application says of its document, and the places that serve it.
#[derive(Debug, Default)]
pub(super) struct Documents {
    settings: Option<OpenApi>,
    slots: Vec<DocumentSlot>,
}

impl Documents {
    pub(super) fn merge(&mut self, other: Self) {
        self.settings = self.settings.take().or(other.settings);
        self.slots.extend(other.slots);
    }
}

impl<S> App<S>
where
    S: Clone + Send + Sync + 'static,
{
    /// Serves the [OpenAPI](crate::openapi) document at `/openapi.json`, Swagger UI at `/docs` and Redoc at `/redoc`, all from within
    /// the program. The document tells of every route of the application, also of those that are added later, and not of these
    /// pages.
    ///
    /// A layer that comes later wraps the pages too: one that asks for a password keeps the document from others.
    ///
    /// # Panics
    /// When one of the paths is taken.
    #[track_caller]
    pub fn with_openapi(mut self, settings: OpenApi) -> Self {
        let slot = DocumentSlot::default();
        let pages = Pages::new(&settings);
        self.openapi.merge(Documents {
            settings: Some(settings),
            slots: vec![slot.clone()],
        });
        let document = move || {
            let slot = slot.clone();
            async move { slot.answer() }
        };
        self.route("/openapi.json", get(hidden(document)))
            .route("/docs", get(hidden(pages.swagger_ui())))
            .route("/redoc", get(hidden(pages.redoc())))
            .route("/docs/{asset}", get(hidden(Pages::asset)))
    }
}

impl<S> App<S> {
    /// The OpenAPI document of the application as it is now, also where it serves none.
    #[must_use]
    pub fn openapi(&self) -> Value {
        let unset = || OpenApi::new(self.name, "0.0.0");
        let settings = self.openapi.settings.clone().unwrap_or_else(unset);
        let routes = self.entries.iter().map(|entry| Route {
            path: &entry.path,
            stop: &entry.stop,
        });
        document(&settings, &routes.collect::<Vec<_>>())
    }

    /// Puts the document where it is served.
    pub(super) fn write_documents(&self) {
        if self.openapi.slots.is_empty() {
            return;
        }
        let document = self.openapi().to_string();
        for slot in &self.openapi.slots {
            slot.fill(&document);
        }
    }

    /// Opens nothing: it is for build scripts too.
    pub(super) fn print_openapi(&self) -> u8 {
        let mut out = io::stdout().lock();
        match writeln!(out, "{:#}", self.openapi()).and_then(|()| out.flush()) {
            Ok(()) => exit::OK,
            Err(_) => exit::FAILURE,
        }
    }
}
