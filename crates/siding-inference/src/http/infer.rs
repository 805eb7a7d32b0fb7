//! Inference over HTTP.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use siding::extract::State;
use siding::runtime::WorkContext;
use siding::{IntoResponse, Response};
use tokio::time::Instant;

use super::error::Failure;
use super::models::Named;
use crate::protocol::{HEADER_LENGTH, InferReply, InferRequest, OutputForm, ProtocolError, Tensor};
use crate::repository::Repository;
use crate::served::Served;

/// A request is read and its reply is written on the event loop: that moves bytes, and takes microseconds per megabyte when they are
/// binary. The model runs on the compute lane.
pub(crate) async fn infer(
    State(repository): State<Repository>,
    named: Named,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Failure> {
    let mut request = InferRequest::read(&body, json_length(&headers)?)?;
    let inputs = std::mem::take(&mut request.inputs);
    let deadline = deadline(request.timeout_us);
    let (served, outputs) = repository.infer(named.as_pair(), inputs, deadline).await?;
    reply(&request, &served, outputs)
}

/// When the caller no longer waits: its own word or the server's limit, whichever is sooner.
pub(crate) fn deadline(timeout_us: u64) -> Option<Instant> {
    let own = (timeout_us > 0)
        .then(|| Instant::now().checked_add(Duration::from_micros(timeout_us)))
        .flatten();
    let limit = WorkContext::current()
        .and_then(|context| context.deadline)
        .map(Instant::from_std);
    own.into_iter().chain(limit).min()
}

fn json_length(headers: &HeaderMap) -> Result<Option<usize>, ProtocolError> {
    let Some(value) = headers.get(HEADER_LENGTH) else {
        return Ok(None);
    };
    let length = value.to_str().ok().and_then(|value| value.parse().ok());
    let length = length
        .ok_or_else(|| ProtocolError::new(format!("{HEADER_LENGTH} is no length in bytes")))?;
    Ok(Some(length))
}

fn reply(
    request: &InferRequest,
    served: &Served,
    outputs: Vec<Tensor>,
) -> Result<Response, Failure> {
    let has = |name: &str| outputs.iter().any(|output| output.name() == name);
    if let Some(unknown) = request.outputs.iter().find(|wanted| !has(&wanted.name)) {
        let text = format!("the model has no output `{}`", unknown.name);
        return Err(ProtocolError::new(text).into());
    }
    let version = served.version.to_string();
    let wanted = outputs.into_iter().filter_map(|output| {
        let form = request.form_of(output.name())?;
        Some((output, form))
    });
    let reply = InferReply {
        model_name: &served.name,
        model_version: &version,
        id: request.id.as_deref(),
        outputs: wanted.collect::<Vec<(Tensor, OutputForm)>>(),
    };
    let (body, json_length) = reply.write()?;
    let mut response = body.into_response();
    let kind = match json_length {
        Some(_) => "application/octet-stream",
        None => "application/json",
    };
    let headers = response.headers_mut();
    headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Some(length) = json_length {
        headers.insert(HeaderName::from_static(HEADER_LENGTH), length.into());
    }
    Ok(response)
}
