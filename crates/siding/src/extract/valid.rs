//! Arguments that keep the rules of their type.

use std::error::Error as StdError;
use std::ops::Deref;

use axum::extract::{Form, FromRequest, FromRequestParts, Json, MatchedPath, Path, Query, Request};
use axum::http::Method;
use axum::http::request::Parts;
use garde::Validate;
use serde::de::DeserializeOwned;

use super::names::{Step, names_in, steps};
use crate::respond::{self, Error, Fault, Invalid};

/// An argument that keeps the rules of its type: `Valid<Json<T>>`, and the same with [`Query`], [`Path`] and [`Form`]. The rules are
/// those of [garde](https://docs.rs/garde), version 0.23. It takes the feature `validate`, and garde's `derive` beside it.
///
/// A request that breaks rules is answered 422, with all the faults of the argument and their places: see [`Invalid`]. Arguments
/// are extracted one after the other, and the first at fault is told.
///
/// ```
/// use garde::Validate;
/// use serde::Deserialize;
/// use siding::extract::{Json, Query, Valid};
/// use siding::{App, post};
///
/// #[derive(Deserialize, Validate)]
/// struct Order {
///     #[garde(length(chars, min = 1, max = 40))]
///     customer: String,
///     #[garde(length(min = 1), dive)]
///     items: Vec<Item>,
/// }
///
/// #[derive(Deserialize, Validate)]
/// struct Item {
///     #[garde(range(min = 1, max = 99))]
///     count: u32,
/// }
///
/// #[derive(Deserialize, Validate)]
/// struct Delivery {
///     #[garde(range(max = 30))]
///     in_days: u8,
/// }
///
/// async fn order(Valid(Query(when)): Valid<Query<Delivery>>, Valid(Json(order)): Valid<Json<Order>>) -> String {
///     format!("{} items for {} in {} days", order.items.len(), order.customer, when.in_days)
/// }
///
/// let app: App = App::new("shop").route("/orders", post(order));
/// ```
///
/// # Names
///
/// Places are told by the names that the client uses: `#[serde(rename_all = "camelCase")]` makes `/items/0/unitPrice` of
/// `unit_price`. Beyond what differs in case and separators, and inside of enums and of what is flattened, they are Rust's.
///
/// # Context
///
/// garde's context is the type's `Default`. Where it comes from elsewhere, the state for one, the handler takes a plain `Json` and
/// validates it with [`Invalid::check`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Valid<E>(pub E);

/// An extractor whose value can be validated: [`Json`], [`Query`], [`Path`] and [`Form`] of a type that implements
/// `garde::Validate`. There is no need to name it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be validated",
    note = "`Valid` takes `Json`, `Query`, `Path` and `Form` of a type that implements `garde::Validate`, with a context that has a `Default`"
)]
pub trait Validated: sealed::Sealed {
    /// Whether the value keeps its rules. `pattern` is the path as it was routed.
    #[doc(hidden)]
    fn check(&self, method: &Method, pattern: &dyn Fn() -> Option<String>) -> Result<(), Invalid>;
}

impl<T> Validated for Json<T>
where
    T: Validate<Context: Default> + DeserializeOwned,
{
    fn check(&self, _: &Method, _: &dyn Fn() -> Option<String>) -> Result<(), Invalid> {
        Invalid::check(&self.0, &T::Context::default())
    }
}

impl<T> Validated for Query<T>
where
    T: Validate<Context: Default> + DeserializeOwned,
{
    fn check(&self, _: &Method, _: &dyn Fn() -> Option<String>) -> Result<(), Invalid> {
        check(&self.0, &T::Context::default(), in_query)
    }
}

impl<T> Validated for Form<T>
where
    T: Validate<Context: Default> + DeserializeOwned,
{
    /// A form is in the body, unless the method has none.
    fn check(&self, method: &Method, _: &dyn Fn() -> Option<String>) -> Result<(), Invalid> {
        match *method {
            Method::GET | Method::HEAD => check(&self.0, &T::Context::default(), in_query),
            _ => Invalid::check(&self.0, &T::Context::default()),
        }
    }
}

impl<T> Validated for Path<T>
where
    T: Validate<Context: Default> + DeserializeOwned,
{
    fn check(&self, _: &Method, pattern: &dyn Fn() -> Option<String>) -> Result<(), Invalid> {
        check(&self.0, &T::Context::default(), |steps, names, detail| {
            let name = match (steps.first(), names.first()) {
                (Some(Step::Key(_)), Some(name)) => name.clone(),
                (Some(Step::Index(index)), _) => {
                    respond::parameter(&pattern().unwrap_or_default(), Some(*index))
                }
                _ => respond::parameter(&pattern().unwrap_or_default(), None),
            };
            Fault::path(name, detail)
        })
    }
}

impl Invalid {
    /// Validates a value of the body, with a context. It takes the feature `validate`.
    ///
    /// ```
    /// use garde::Validate;
    /// use serde::Deserialize;
    /// use siding::extract::{Json, State};
    /// use siding::{App, Error, Invalid, post};
    ///
    /// #[derive(Clone)]
    /// struct Rules {
    ///     min: usize,
    /// }
    ///
    /// #[derive(Deserialize, Validate)]
    /// #[garde(context(Rules as rules))]
    /// struct Login {
    ///     #[garde(length(min = rules.min))]
    ///     password: String,
    /// }
    ///
    /// fn log_in(State(rules): State<Rules>, Json(login): Json<Login>) -> Result<(), Error> {
    ///     Invalid::check(&login, &rules)?;
    ///     Ok(())
    /// }
    ///
    /// let app: App = App::new("log in").route("/", post(log_in)).with_state(Rules { min: 12 });
    /// ```
    ///
    /// # Errors
    /// When it breaks rules; there is a fault for each.
    pub fn check<T>(value: &T, context: &T::Context) -> Result<(), Self>
    where
        T: Validate + DeserializeOwned,
    {
        check(value, context, |_, names, detail| {
            let names = names.iter().map(String::as_str);
            Fault::body(&respond::pointer(names), detail)
        })
    }
}

/// Validates a value, and has `place` make a fault of each broken rule, with the way to it in garde's words and in the client's.
fn check<T>(
    value: &T,
    context: &T::Context,
    place: impl Fn(&[Step], &[String], String) -> Fault,
) -> Result<(), Invalid>
where
    T: Validate + DeserializeOwned,
{
    let Err(report) = value.validate_with(context) else {
        return Ok(());
    };
    let faults = report.iter().map(|(path, error)| {
        let steps = steps(path);
        place(&steps, &names_in::<T>(&steps), error.message().to_owned())
    });
    Err(faults.collect())
}

/// A query is flat: its parameter is the last that has a name.
fn in_query(steps: &[Step], names: &[String], detail: String) -> Fault {
    let is_key = |(step, _): &(&Step, &String)| matches!(step, Step::Key(_));
    let name = steps.iter().zip(names).rfind(is_key);
    Fault::query(
        name.map_or_else(String::new, |(_, name)| name.clone()),
        detail,
    )
}

impl<E, S> FromRequest<S> for Valid<E>
where
    E: Validated + FromRequest<S, Rejection: StdError + Send + Sync + 'static>,
    S: Send + Sync,
{
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self, Error> {
        let method = request.method().clone();
        let value = E::from_request(request, state).await?;
        value.check(&method, &|| None)?;
        Ok(Self(value))
    }
}

impl<E, S> FromRequestParts<S> for Valid<E>
where
    E: Validated + FromRequestParts<S, Rejection: StdError + Send + Sync + 'static> + Send,
    S: Send + Sync,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let value = E::from_request_parts(parts, state).await;
        let pattern = || Some(parts.extensions.get::<MatchedPath>()?.as_str().to_owned());
        let value = value.map_err(|rejection| match respond::fault(&rejection, pattern) {
            Some(fault) => Error::from(Invalid::from(fault)),
            None => Error::from(rejection),
        })?;
        value.check(&parts.method, &pattern)?;
        Ok(Self(value))
    }
}

impl<E> Deref for Valid<E> {
    type Target = E;

    fn deref(&self) -> &E {
        &self.0
    }
}

mod sealed {
    use super::{Form, Json, Path, Query};

    /// A place must be known for each, so there are no others.
    pub trait Sealed {}

    impl<T> Sealed for Json<T> {}
    impl<T> Sealed for Query<T> {}
    impl<T> Sealed for Path<T> {}
    impl<T> Sealed for Form<T> {}
}
