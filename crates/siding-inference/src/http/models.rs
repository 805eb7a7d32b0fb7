//! What a server and its models say of themselves, and the repository.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::{Value, json};
use siding::axum::extract::{FromRequestParts, Path};
use siding::extract::State;
use siding::{Json, StatusCode};

use super::error::Failure;
use crate::protocol::{
    Datatype, IndexEntry, ModelMetadata, ServerMetadata, TensorMetadata, VersionState,
};
use crate::repository::Repository;
use crate::runtime::Device;
use crate::served::Served;

/// The extensions that this service understands.
pub(crate) const EXTENSIONS: [&str; 3] = [
    "binary_tensor_data",
    "model_configuration",
    "model_repository",
];

/// The model, and the version if there is one, that a path names.
#[derive(Debug)]
pub(crate) struct Named {
    model: String,
    version: Option<String>,
}

impl Named {
    pub(crate) fn as_pair(&self) -> (&str, Option<&str>) {
        (&self.model, self.version.as_deref())
    }

    fn find(&self, repository: &Repository) -> Result<std::sync::Arc<Served>, Failure> {
        Ok(repository.find(&self.model, self.version.as_deref())?)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Failure;

    async fn from_request_parts(
        parts: &mut http::request::Parts,
        state: &S,
    ) -> Result<Self, Failure> {
        let path = Path::<HashMap<String, String>>::from_request_parts(parts, state).await;
        let mut path = path
            .map_err(|error| Failure::new(StatusCode::BAD_REQUEST, error.to_string()))?
            .0;
        Ok(Self {
            model: path.remove("model").unwrap_or_default(),
            version: path.remove("version"),
        })
    }
}

pub(crate) async fn server() -> Json<ServerMetadata> {
    Json(server_metadata())
}

pub(crate) fn server_metadata() -> ServerMetadata {
    ServerMetadata {
        name: "siding-inference".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        extensions: EXTENSIONS.map(str::to_owned).to_vec(),
    }
}

pub(crate) async fn model_ready(
    State(repository): State<Repository>,
    named: Named,
) -> Result<StatusCode, Failure> {
    named.find(&repository).map(|_| StatusCode::OK)
}

pub(crate) async fn metadata(
    State(repository): State<Repository>,
    named: Named,
) -> Result<Json<ModelMetadata>, Failure> {
    let served = named.find(&repository)?;
    Ok(Json(model_metadata(&repository, &served)))
}

pub(crate) fn model_metadata(repository: &Repository, served: &Served) -> ModelMetadata {
    ModelMetadata {
        name: served.name.clone(),
        versions: repository.versions(&served.name),
        platform: "onnx_onnxv1".to_owned(),
        inputs: served.inputs().to_vec(),
        outputs: served.outputs().to_vec(),
    }
}

/// The configuration, in the words that clients of Triton know.
pub(crate) async fn config(
    State(repository): State<Repository>,
    named: Named,
) -> Result<Json<Value>, Failure> {
    let served = named.find(&repository)?;
    let tensors = |tensors: &[TensorMetadata]| {
        let tensors = tensors.iter().map(|tensor| {
            json!({ "name": tensor.name, "data_type": config_type(tensor.datatype), "dims": dims(&served, tensor) })
        });
        tensors.collect::<Vec<_>>()
    };
    let kind = match served.config.device {
        Device::Cpu => "KIND_CPU",
        Device::Cuda(_) => "KIND_GPU",
    };
    Ok(Json(json!({
        "name": served.name,
        "platform": "onnx_onnxv1",
        "backend": served.runtime,
        "max_batch_size": served.rows_max().unwrap_or(0),
        "input": tensors(served.inputs()),
        "output": tensors(served.outputs()),
        "instance_group": [{ "count": served.instances, "kind": kind }],
        "dynamic_batching": { "max_queue_delay_microseconds": served.config.batching.delay_us },
    })))
}

/// The shape of a tensor without its rows, where there are batches: they are not part of it there.
pub(crate) fn dims<'a>(served: &Served, tensor: &'a TensorMetadata) -> &'a [i64] {
    let rows = usize::from(served.rows_max().is_some());
    tensor.shape.get(rows..).unwrap_or(&[])
}

fn config_type(datatype: Datatype) -> String {
    match datatype {
        Datatype::Bytes => "TYPE_STRING".to_owned(),
        other => format!("TYPE_{other}"),
    }
}

#[derive(Default, Deserialize)]
struct IndexRequest {
    #[serde(default)]
    ready: bool,
}

pub(crate) async fn index(
    State(repository): State<Repository>,
    body: bytes::Bytes,
) -> Json<Vec<IndexEntry>> {
    let only: IndexRequest = serde_json::from_slice(&body).unwrap_or_default();
    let mut index = repository.index();
    index.retain(|entry| !only.ready || entry.state == VersionState::Ready);
    Json(index)
}

pub(crate) async fn load(
    State(repository): State<Repository>,
    named: Named,
) -> Result<Json<Value>, Failure> {
    repository.load(&named.model).await?;
    Ok(Json(json!({})))
}

pub(crate) async fn unload(
    State(repository): State<Repository>,
    named: Named,
) -> Result<Json<Value>, Failure> {
    repository.unload(&named.model).await?;
    Ok(Json(json!({})))
}
