//! One connection, from its first byte to its last.

use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;

use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;

use super::door::Door;
use super::line::{Line, Order, Phase};
use super::shared::Shared;
use super::transport::Transport;

/// Serves one connection until either side closes it.
pub(super) async fn serve(
    shared: Arc<Shared>,
    stream: TcpStream,
    peer: SocketAddr,
    place: OwnedSemaphorePermit,
) {
    let line = Line::new(Arc::clone(&shared.signal)).counting(shared.requests.clone());
    let line = Arc::new(line);
    shared.accepted.fetch_add(1, Ordering::Relaxed);
    shared.yard.add(Arc::clone(&line));
    let io = TokioIo::new(Transport::new(stream, Arc::clone(&line), place));
    let door = Door::new(peer, Arc::clone(&line), Arc::clone(&shared));
    let mut connection = pin!(shared.http.serve_connection_with_upgrades(io, door));
    let mut draining = false;
    let ended = poll_fn(|cx| {
        line.attend(cx.waker());
        loop {
            if let Poll::Ready(ended) = connection.as_mut().poll(cx) {
                return Poll::Ready(ended);
            }
            match line.order() {
                Order::Close => return Poll::Ready(Ok(())),
                // A request may have arrived since the order was given: it is answered first.
                Order::Drain
                    if !draining && (line.is_multiplexed() || line.phase() == Phase::Idle) =>
                {
                    draining = true;
                    connection.as_mut().graceful_shutdown();
                }
                Order::Drain | Order::None => return Poll::Pending,
            }
        }
    });
    if let Err(error) = ended.await {
        tracing::trace!("a connection ended early: {error}");
    }
}
