//! Answers whose status their type tells.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

/// An answer with the status `CODE`, and otherwise that of `T`. Its type tells the status, so that the document of the feature
/// `openapi` can; with `(StatusCode, T)` only the handler knows it.
///
/// ```
/// use siding::{App, Json, Status, post};
///
/// async fn create() -> Status<201, Json<u32>> {
///     Status(Json(7))
/// }
///
/// let app: App = App::new("items").route("/items", post(create));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Status<const CODE: u16, T = ()>(pub T);

impl<const CODE: u16, T> Status<CODE, T> {
    /// The status. A code that is none does not compile.
    pub const STATUS: StatusCode = match StatusCode::from_u16(CODE) {
        Ok(status) => status,
        Err(_) => panic!("a status is a number from 100 to 999"),
    };
}

impl<const CODE: u16, T: IntoResponse> IntoResponse for Status<CODE, T> {
    fn into_response(self) -> Response {
        (Self::STATUS, self.0).into_response()
    }
}
