//! A sentinel that says what a test tells it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::redis::support::spawn;

/// Knows one master, or only one of another name.
pub(super) struct Sentinel {
    pub(super) port: u16,
    named: watch::Sender<Option<u16>>,
    asked: Arc<AtomicUsize>,
}

impl Sentinel {
    /// Names the server of this port of 127.0.0.1, whatever the name it is asked for; if there is none, it knows only `other`.
    pub(super) async fn naming(server: Option<u16>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (named, name) = watch::channel(server);
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                spawn(serve(client, name.clone(), Arc::clone(&count)));
            }
        });
        Self { port, named, asked }
    }

    pub(super) fn name(&self, server: u16) {
        self.named.send_replace(Some(server));
    }

    /// How often it was asked for a master.
    pub(super) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

/// A port on which nobody listens.
pub(super) async fn nobody() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().port()
}

async fn serve(client: TcpStream, named: watch::Receiver<Option<u16>>, asked: Arc<AtomicUsize>) {
    let mut client = BufReader::new(client);
    while let Some(command) = command(&mut client).await {
        let answer = match (command[0].as_str(), *named.borrow()) {
            ("SENTINEL", server) => {
                asked.fetch_add(1, Ordering::SeqCst);
                match server {
                    Some(port) => format!("*2\r\n{}{}", bulk("127.0.0.1"), bulk(&port.to_string())),
                    None => "*-1\r\n".to_owned(),
                }
            }
            ("ROLE", _) => format!("*2\r\n{}*1\r\n{}", bulk("sentinel"), bulk("other")),
            _ => "+OK\r\n".to_owned(),
        };
        if client.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

fn bulk(text: &str) -> String {
    format!("${}\r\n{text}\r\n", text.len())
}

/// The next command, in Redis' protocol: `*` and how many words, and for each `$`, its length and itself.
async fn command(client: &mut BufReader<TcpStream>) -> Option<Vec<String>> {
    let mut words = Vec::new();
    for _ in 0..number(client, '*').await? {
        let mut word = vec![0; number(client, '$').await? + 2];
        client.read_exact(&mut word).await.ok()?;
        words.push(String::from_utf8(word).ok()?.trim_end().to_owned());
    }
    Some(words)
}

async fn number(client: &mut BufReader<TcpStream>, mark: char) -> Option<usize> {
    let mut line = String::new();
    client.read_line(&mut line).await.ok()?;
    line.trim_end().strip_prefix(mark)?.parse().ok()
}
