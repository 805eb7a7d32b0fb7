//! The pages that show the document, from files within the program.

use std::sync::{Arc, OnceLock};

use axum::body::Bytes;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS,
};
use axum::response::{IntoResponse, Response};

use super::settings::OpenApi;
use crate::Problem;

/// What the pages may do: run the scripts that are served beside them, and ask the server. Both set styles by script, and Redoc
/// searches in a worker that it makes itself.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                      connect-src 'self'; worker-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

/// The document once it is there: when the application starts.
#[derive(Clone, Debug, Default)]
pub(crate) struct DocumentSlot(Arc<OnceLock<Bytes>>);

impl DocumentSlot {
    pub(crate) fn fill(&self, document: &str) {
        self.0.get_or_init(|| Bytes::from(document.to_owned()));
    }

    pub(crate) fn answer(&self) -> Response {
        let document = self.0.get().cloned().unwrap_or_default();
        ([(CONTENT_TYPE, "application/json")], document).into_response()
    }
}

/// The pages of one document.
#[derive(Clone, Debug)]
pub(crate) struct Pages {
    /// Escaped for HTML.
    title: String,
}

impl Pages {
    pub(crate) fn new(settings: &OpenApi) -> Self {
        let title = settings.title();
        let title = title.replace('&', "&amp;").replace('<', "&lt;");
        Self { title }
    }

    /// Swagger UI. Every path is relative, so that it works under a prefix.
    pub(crate) fn swagger_ui(&self) -> Page {
        self.page(
            r#"<link rel="stylesheet" href="docs/swagger-ui.css">"#,
            r#"<div id="page"></div><script src="docs/swagger-ui-bundle.js"></script><script src="docs/swagger-ui-start.js"></script>"#,
        )
    }

    /// Redoc.
    pub(crate) fn redoc(&self) -> Page {
        self.page(
            "<style>body{margin:0}</style>",
            r#"<div id="page"></div><script src="docs/redoc.standalone.js"></script><script src="docs/redoc-start.js"></script>"#,
        )
    }

    fn page(&self, head: &str, body: &str) -> Page {
        let title = &self.title;
        Page(Bytes::from(format!(
            "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
             <title>{title}</title><link rel=\"icon\" href=\"data:,\">{head}</head><body>{body}</body></html>\n"
        )))
    }

    /// A file of the pages. The big ones are kept compressed, and every browser takes them so.
    pub(crate) async fn asset(Path(name): Path<String>) -> Result<Response, Problem> {
        let (media_type, encoding, bytes) = asset(&name).ok_or_else(missing)?;
        let headers = [
            (CONTENT_TYPE, media_type),
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (CACHE_CONTROL, "max-age=3600"),
        ];
        Ok(match encoding {
            Encoding::Gzip => (headers, [(CONTENT_ENCODING, "gzip")], bytes).into_response(),
            Encoding::Identity => (headers, bytes).into_response(),
        })
    }
}

fn missing() -> Problem {
    Problem::new(StatusCode::NOT_FOUND).with_detail("nothing is served at this path")
}

/// How a file is kept.
#[derive(Clone, Copy)]
enum Encoding {
    Gzip,
    Identity,
}

fn asset(name: &str) -> Option<(&'static str, Encoding, &'static [u8])> {
    macro_rules! kept {
        ($name:literal) => {
            &include_bytes!(concat!("../../assets/openapi/", $name))[..]
        };
    }
    Some(match name {
        "swagger-ui.css" => (STYLE, Encoding::Gzip, kept!("swagger-ui.css.gz")),
        "swagger-ui-bundle.js" => (SCRIPT, Encoding::Gzip, kept!("swagger-ui-bundle.js.gz")),
        "swagger-ui-start.js" => (SCRIPT, Encoding::Identity, kept!("swagger-ui-start.js")),
        "redoc.standalone.js" => (SCRIPT, Encoding::Gzip, kept!("redoc.standalone.js.gz")),
        "redoc-start.js" => (SCRIPT, Encoding::Identity, kept!("redoc-start.js")),
        _ => return None,
    })
}

/// A page as it is answered.
#[derive(Clone, Debug)]
pub(crate) struct Page(Bytes);

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let headers = [
            (CONTENT_TYPE, "text/html; charset=utf-8"),
            (CONTENT_SECURITY_POLICY, POLICY),
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        ];
        (headers, self.0).into_response()
    }
}
