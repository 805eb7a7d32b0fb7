//! The protocol over gRPC.

mod convert;
mod status;

use siding::axum::Router;
use tonic::{Request, Response, Status};

use crate::http::{deadline, dims, model_metadata, server_metadata};
use crate::protocol::grpc::grpc_inference_service_server::{
    GrpcInferenceService, GrpcInferenceServiceServer,
};
use crate::protocol::grpc::{
    DataType, ModelConfig, ModelConfigRequest, ModelConfigResponse, ModelDynamicBatching,
    ModelInferRequest, ModelInferResponse, ModelInput, ModelInstanceGroup, ModelMetadataRequest,
    ModelMetadataResponse, ModelOutput, ModelReadyRequest, ModelReadyResponse,
    RepositoryIndexRequest, RepositoryIndexResponse, RepositoryModelLoadRequest,
    RepositoryModelLoadResponse, RepositoryModelUnloadRequest, RepositoryModelUnloadResponse,
    ServerLiveRequest, ServerLiveResponse, ServerMetadataRequest, ServerMetadataResponse,
    ServerReadyRequest, ServerReadyResponse, model_metadata_response, repository_index_response,
};
use crate::protocol::{Datatype, TensorMetadata, VersionState};
use crate::repository::Repository;
use crate::served::Served;

/// The service as routes. Messages are bounded by the server's limit on bodies, not by one of tonic's beside it.
pub(crate) fn router(repository: Repository) -> Router {
    let service = GrpcInferenceServiceServer::new(Inference(repository))
        .max_decoding_message_size(usize::MAX)
        .max_encoding_message_size(usize::MAX);
    // Not tonic's own `Routes`: their fallback would answer every path that has no route.
    Router::new().route_service("/inference.GRPCInferenceService/{method}", service)
}

#[derive(Debug)]
struct Inference(Repository);

impl Inference {
    fn find(&self, model: &str, version: &str) -> Result<std::sync::Arc<Served>, Status> {
        self.0
            .find(model, named(version))
            .map_err(status::of_look_up)
    }
}

fn named(version: &str) -> Option<&str> {
    (!version.is_empty()).then_some(version)
}

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl GrpcInferenceService for Inference {
    async fn server_live(&self, _: Request<ServerLiveRequest>) -> Answer<ServerLiveResponse> {
        Ok(Response::new(ServerLiveResponse { live: true }))
    }

    async fn server_ready(&self, _: Request<ServerReadyRequest>) -> Answer<ServerReadyResponse> {
        Ok(Response::new(ServerReadyResponse { ready: true }))
    }

    async fn model_ready(&self, request: Request<ModelReadyRequest>) -> Answer<ModelReadyResponse> {
        let request = request.into_inner();
        let ready = self.find(&request.name, &request.version).is_ok();
        Ok(Response::new(ModelReadyResponse { ready }))
    }

    async fn server_metadata(
        &self,
        _: Request<ServerMetadataRequest>,
    ) -> Answer<ServerMetadataResponse> {
        let metadata = server_metadata();
        Ok(Response::new(ServerMetadataResponse {
            name: metadata.name,
            version: metadata.version,
            extensions: metadata.extensions,
        }))
    }

    async fn model_metadata(
        &self,
        request: Request<ModelMetadataRequest>,
    ) -> Answer<ModelMetadataResponse> {
        let request = request.into_inner();
        let served = self.find(&request.name, &request.version)?;
        let metadata = model_metadata(&self.0, &served);
        let tensor = |tensor: TensorMetadata| model_metadata_response::TensorMetadata {
            name: tensor.name,
            datatype: tensor.datatype.to_string(),
            shape: tensor.shape,
        };
        Ok(Response::new(ModelMetadataResponse {
            name: metadata.name,
            versions: metadata.versions,
            platform: metadata.platform,
            inputs: metadata.inputs.into_iter().map(tensor).collect(),
            outputs: metadata.outputs.into_iter().map(tensor).collect(),
        }))
    }

    async fn model_infer(&self, request: Request<ModelInferRequest>) -> Answer<ModelInferResponse> {
        let timeout_us = status::timeout_us(request.metadata());
        let request = request.into_inner();
        let own_us = convert::timeout_us(&request);
        let waits_us = [timeout_us, own_us].into_iter().filter(|us| *us > 0).min();
        let deadline = deadline(waits_us.unwrap_or(0));
        let wanted = convert::wanted(&request);
        let (model, version, id) = (
            request.model_name.clone(),
            request.model_version.clone(),
            request.id.clone(),
        );
        let inputs = convert::inputs(request).map_err(status::of_protocol)?;
        let asked = self
            .0
            .infer((&model, named(&version)), inputs, deadline)
            .await;
        let (served, outputs) = asked.map_err(status::of_request)?;
        convert::reply(&served, id, outputs, &wanted)
            .map(Response::new)
            .map_err(status::of_protocol)
    }

    async fn model_config(
        &self,
        request: Request<ModelConfigRequest>,
    ) -> Answer<ModelConfigResponse> {
        let request = request.into_inner();
        let served = self.find(&request.name, &request.version)?;
        let config = Some(config(&served));
        Ok(Response::new(ModelConfigResponse { config }))
    }

    async fn repository_index(
        &self,
        request: Request<RepositoryIndexRequest>,
    ) -> Answer<RepositoryIndexResponse> {
        let only_ready = request.into_inner().ready;
        let index = self.0.index().into_iter();
        let wanted = index.filter(|entry| !only_ready || entry.state == VersionState::Ready);
        let models = wanted.map(|entry| repository_index_response::ModelIndex {
            name: entry.name,
            version: entry.version,
            state: match entry.state {
                VersionState::Ready => "READY".to_owned(),
                VersionState::Unavailable => "UNAVAILABLE".to_owned(),
            },
            reason: entry.reason,
        });
        let models = models.collect();
        Ok(Response::new(RepositoryIndexResponse { models }))
    }

    async fn repository_model_load(
        &self,
        request: Request<RepositoryModelLoadRequest>,
    ) -> Answer<RepositoryModelLoadResponse> {
        let model = request.into_inner().model_name;
        self.0.load(&model).await.map_err(status::of_look_up)?;
        Ok(Response::new(RepositoryModelLoadResponse {}))
    }

    async fn repository_model_unload(
        &self,
        request: Request<RepositoryModelUnloadRequest>,
    ) -> Answer<RepositoryModelUnloadResponse> {
        let model = request.into_inner().model_name;
        self.0.unload(&model).await.map_err(status::of_look_up)?;
        Ok(Response::new(RepositoryModelUnloadResponse {}))
    }
}

fn config(served: &Served) -> ModelConfig {
    let inputs = served.inputs().iter().map(|tensor| ModelInput {
        name: tensor.name.clone(),
        data_type: config_type(tensor.datatype).into(),
        dims: dims(served, tensor).to_vec(),
    });
    let outputs = served.outputs().iter().map(|tensor| ModelOutput {
        name: tensor.name.clone(),
        data_type: config_type(tensor.datatype).into(),
        dims: dims(served, tensor).to_vec(),
    });
    let number = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
    ModelConfig {
        name: served.name.clone(),
        platform: "onnx_onnxv1".to_owned(),
        backend: served.runtime.to_owned(),
        max_batch_size: number(served.rows_max().unwrap_or(0)),
        input: inputs.collect(),
        output: outputs.collect(),
        instance_group: vec![ModelInstanceGroup {
            count: number(served.instances),
        }],
        dynamic_batching: Some(ModelDynamicBatching {
            max_queue_delay_microseconds: served.config.batching.delay_us,
        }),
    }
}

fn config_type(datatype: Datatype) -> DataType {
    match datatype {
        Datatype::Bool => DataType::TypeBool,
        Datatype::Uint8 => DataType::TypeUint8,
        Datatype::Uint16 => DataType::TypeUint16,
        Datatype::Uint32 => DataType::TypeUint32,
        Datatype::Uint64 => DataType::TypeUint64,
        Datatype::Int8 => DataType::TypeInt8,
        Datatype::Int16 => DataType::TypeInt16,
        Datatype::Int32 => DataType::TypeInt32,
        Datatype::Int64 => DataType::TypeInt64,
        Datatype::Fp16 => DataType::TypeFp16,
        Datatype::Fp32 => DataType::TypeFp32,
        Datatype::Fp64 => DataType::TypeFp64,
        Datatype::Bf16 => DataType::TypeBf16,
        Datatype::Bytes => DataType::TypeString,
    }
}
