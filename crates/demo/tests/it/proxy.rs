//! A port that passes on to a server what it gets, until it is told otherwise.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// Passes on to a server. It ends with the test's process.
pub(crate) struct Proxy {
    address: SocketAddr,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Default)]
struct Shared {
    is_cut: bool,
    open: Vec<TcpStream>,
}

impl Proxy {
    pub(crate) fn start(server: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let address = listener.local_addr().expect("has one");
        let shared = Arc::<Mutex<Shared>>::default();
        let accepting = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming() {
                accept(client.expect("a connection"), server, &accepting);
            }
        });
        Self { address, shared }
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// Closes all connections, and those that come as soon as they are there.
    pub(crate) fn cut(&self) {
        let mut shared = self.shared.lock().expect("nobody panics with it");
        shared.is_cut = true;
        for stream in shared.open.drain(..) {
            // It may be closed already.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Lets connections be made again.
    pub(crate) fn mend(&self) {
        self.shared.lock().expect("nobody panics with it").is_cut = false;
    }
}

fn accept(client: TcpStream, server: SocketAddr, shared: &Mutex<Shared>) {
    let mut shared = shared.lock().expect("nobody panics with it");
    if shared.is_cut {
        return;
    }
    let server = TcpStream::connect(server).expect("the server is there");
    for (from, to) in [(&client, &server), (&server, &client)] {
        let (from, to) = (duplicate(from), duplicate(to));
        thread::spawn(move || pass(from, to));
    }
    shared.open.extend([client, server]);
}

fn pass(mut from: TcpStream, mut to: TcpStream) {
    let mut buffer = vec![0; 65_536];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        if to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    // The other end may be gone.
    let _ = to.shutdown(Shutdown::Both);
}

fn duplicate(stream: &TcpStream) -> TcpStream {
    stream.try_clone().expect("a descriptor is free")
}
