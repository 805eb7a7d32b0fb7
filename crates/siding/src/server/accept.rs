//! Taking connections from the kernel.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use siding_runtime::RouteId;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::OwnedSemaphorePermit;

use super::connection;
use super::shared::Shared;
use super::stage::Stage;

/// Connections that the kernel holds for us while we are busy. It lowers the number to its own limit
/// (`net.core.somaxconn`); a connection beyond it is dropped, and its client tries again a second later.
const BACKLOG: u32 = 65_535;
/// So many connections are taken before other tasks have their turn.
const TURN: u32 = 32;
/// The pause after the process ran out of descriptors or memory; it doubles up to the longest.
const PAUSE_MIN: Duration = Duration::from_millis(10);
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// Opens a listening socket. Connections inherit `TCP_NODELAY` from it.
///
/// # Errors
/// When the address is in use, or not of this machine, or needs a privilege.
pub(super) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    #[cfg(not(windows))]
    socket.set_reuseaddr(true)?;
    socket.set_nodelay(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Takes connections until the server drains; then takes those that the kernel has already accepted, and no more.
pub(super) async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    tokio::select! {
        () = accept_for_ever(&listener, &shared) => {}
        () = shared.signal.reached(Stage::Draining) => {}
    }
    if let Err(error) = take_the_queue(listener, &shared) {
        tracing::warn!("connections that waited in the kernel's queue are lost: {error}");
    }
}

/// Takes connections for ever. Outside tokio's budget: a task that has used it up waits in a list of its worker that no
/// other worker can steal from, and if the next task there blocks, nobody could connect. It takes turns by itself instead.
async fn accept_for_ever(listener: &TcpListener, shared: &Arc<Shared>) {
    tokio::task::unconstrained(accept_in_turns(listener, shared)).await;
}

async fn accept_in_turns(listener: &TcpListener, shared: &Arc<Shared>) {
    let mut pause = PAUSE_MIN;
    let mut taken = 0_u32;
    while let Ok(place) = Arc::clone(&shared.places).acquire_owned().await {
        match listener.accept().await {
            Ok((stream, peer)) => {
                pause = PAUSE_MIN;
                board(shared, stream, peer, place);
                taken = taken.wrapping_add(1);
                if taken.is_multiple_of(TURN) {
                    let_others_run().await;
                }
            }
            Err(error) if is_the_clients(&error) => {}
            Err(error) => {
                tracing::error!(
                    "failed to accept a connection, trying again in {pause:?}: {error}"
                );
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(PAUSE_MAX);
            }
        }
    }
}

/// Goes to the end of the run queue, where any worker may take this task. `yield_now` would defer it on this one.
async fn let_others_run() {
    let mut waited = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut waited, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Takes what is left in the kernel's queue: those clients have a connection and may have sent a request.
fn take_the_queue(listener: TcpListener, shared: &Arc<Shared>) -> io::Result<()> {
    let listener = listener.into_std()?;
    while let Ok(place) = Arc::clone(&shared.places).try_acquire_owned() {
        match listener.accept() {
            Ok((stream, peer)) => {
                stream.set_nonblocking(true)?;
                board(shared, TcpStream::from_std(stream)?, peer, place);
            }
            Err(error) if is_the_clients(&error) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn board(shared: &Arc<Shared>, stream: TcpStream, peer: SocketAddr, place: OwnedSemaphorePermit) {
    let connection = connection::serve(Arc::clone(shared), stream, peer, place);
    drop(shared.handle.spawn_as(RouteId::CONNECTION, connection));
}

/// Whether only the one client that tried to connect is concerned.
fn is_the_clients(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
    )
}
