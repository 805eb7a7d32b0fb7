//! The client of inference services: what it sends where, what it does when a replica fails, and what its caller is told.

mod answers;
mod fake;
mod health;
mod limits;
mod retries;

use std::sync::Arc;
use std::time::Duration;

use siding::inference::{
    Client, ClientBuilder, InferError, InferErrorKind, Request, Response, Tensor,
};
use siding::runtime::{Builder, Runtime};

use self::fake::Fake;
use crate::support::DEADLINE;

/// A runtime as an application has it, and a client on it.
struct Caller {
    client: Client,
    runtime: Arc<Runtime>,
}

impl Caller {
    /// Of a client that nothing but the test ends, and that leaves replicas alone for a moment.
    fn new(replicas: &[&Fake], change: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Self {
        let mut builder = Client::builder("models").deadline(DEADLINE).ejection(
            3,
            Duration::from_millis(20),
            Duration::from_millis(40),
        );
        for replica in replicas {
            builder = builder.replica(replica.url());
        }
        Self::of(change(builder))
    }

    fn of(builder: ClientBuilder) -> Self {
        let runtime = Builder::new()
            .event_loop_threads(2)
            .relief_threads(1)
            .build();
        Self {
            client: builder.build().expect("makes sense"),
            runtime: Arc::new(runtime.expect("threads")),
        }
    }

    fn ask(&self) -> Result<Response, InferError> {
        self.runtime.block_on(self.client.infer(question()))
    }

    /// Asks so often, and returns how many were answered.
    fn ask_often(&self, times: usize) -> usize {
        (0..times).filter(|_| self.ask().is_ok()).count()
    }

    /// Asks in the background.
    fn begin(&self) -> tokio::task::JoinHandle<Result<Response, InferError>> {
        let client = self.client.clone();
        let asking = async move { client.infer(question()).await };
        self.runtime.handle().spawn(asking)
    }

    fn end(
        &self,
        asking: tokio::task::JoinHandle<Result<Response, InferError>>,
    ) -> Result<Response, InferError> {
        self.runtime.block_on(asking).expect("does not panic")
    }

    #[track_caller]
    fn failure(&self) -> InferErrorKind {
        self.ask().expect_err("it fails").kind().clone()
    }

    /// The state of each replica.
    fn states(&self) -> Vec<&'static str> {
        let replicas = self.client.snapshot().replicas;
        replicas
            .iter()
            .map(|replica| replica.state.as_str())
            .collect()
    }
}

fn question() -> Request {
    let tensor = Tensor::new("x", [2], &[1.5_f32, -2.0]).expect("fits");
    Request::new("echo").input(tensor)
}
