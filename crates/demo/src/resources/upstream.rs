//! A small HTTP service for `/async/external` and `/sync/external` to ask, where no other is set. It stands for another program: that
//! it runs in this one is for trying the demo with nothing beside it.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use serde::Serialize;
use siding::Json;
use siding::axum::{self, Router};
use siding::extract::Query;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

use crate::models::query::Delay;

/// The service. A cheap clone.
#[derive(Clone)]
pub(crate) struct Upstream {
    address: SocketAddr,
    serving: AbortHandle,
}

impl Upstream {
    /// Serves it on a free port of the loopback interface.
    pub(crate) async fn open() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        // A router of axum's own, since Siding's placement is for what this service does, and not for what it asks.
        let routes = Router::new().route("/", axum::routing::get(answer));
        let serving = siding::spawn(async move { axum::serve(listener, routes).await });
        Ok(Self {
            address,
            serving: serving.abort_handle(),
        })
    }

    /// Where it is.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) async fn close(self) {
        self.serving.abort();
    }
}

#[derive(Serialize)]
struct Answer {
    status: &'static str,
}

/// `/?ms=1000`: answers after as long; at once unless it is told so.
async fn answer(Query(delay): Query<Delay>) -> Json<Answer> {
    tokio::time::sleep(Duration::from_millis(delay.ms.unwrap_or(0))).await;
    Json(Answer { status: "done" })
}
