//! A port that passes on to a server what it gets, until it is told otherwise.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::redis::support::spawn;

/// What it is told to do to its connections holds for those that are open.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    told: watch::Sender<Mode>,
    accepts: JoinHandle<()>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Mode {
    Pass,
    /// Keeps everything for itself: the kernel answers, and nobody else.
    Silent,
    Closed,
}

impl Proxy {
    /// Passes on to the server of this port.
    pub(crate) async fn start(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (told, listen) = watch::channel(Mode::Pass);
        let accepts = spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(("127.0.0.1", server)).await.unwrap();
                let (client, server) = (client.into_split(), server.into_split());
                let mut listen = listen.clone();
                listen.mark_unchanged();
                spawn(pass(client.0, server.1, listen.clone()));
                spawn(pass(server.0, client.1, listen));
            }
        });
        Self {
            port,
            told,
            accepts,
        }
    }

    /// Closes all connections, and takes no more.
    pub(crate) fn refuse(&self) {
        self.accepts.abort();
        self.tell(Mode::Closed);
    }

    pub(crate) fn tell(&self, mode: Mode) {
        self.told.send_replace(mode);
    }
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut listen: watch::Receiver<Mode>) {
    let mut buffer = vec![0; 65_536];
    loop {
        let read = tokio::select! {
            biased;
            told = listen.changed() => {
                let is_silent = told.is_ok() && *listen.borrow() == Mode::Silent;
                if is_silent {
                    std::future::pending::<()>().await;
                }
                return;
            }
            read = from.read(&mut buffer) => read,
        };
        let Ok(read @ 1..) = read else { return };
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}
