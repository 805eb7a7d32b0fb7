//! Servers of our own: restarted, with TLS, with users.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use siding_tasks::{Broker, BrokerError, BrokerUrl, Message, Redis, RedisSettings, Settled};
use tempfile::TempDir;

use super::support::*;

/// A `redis-server` in a directory of its own.
pub(crate) struct Server {
    directory: TempDir,
    pub(crate) port: u16,
    mode: Mode,
    more: Vec<String>,
    child: Child,
}

#[derive(Clone, Copy)]
enum Mode {
    Data,
    Sentinel,
}

impl Server {
    /// Starts one, or says why not. `more` are lines of its configuration, in which `{dir}` is its directory.
    pub(crate) fn start(more: &[&str], prepare: impl FnOnce(&Path)) -> Option<Self> {
        Self::start_as(Mode::Data, more, prepare)
    }

    /// The same for a sentinel.
    pub(crate) fn start_sentinel(more: &[&str], prepare: impl FnOnce(&Path)) -> Option<Self> {
        Self::start_as(Mode::Sentinel, more, prepare)
    }

    fn start_as(mode: Mode, more: &[&str], prepare: impl FnOnce(&Path)) -> Option<Self> {
        let directory = TempDir::new().unwrap();
        prepare(directory.path());
        let more = more
            .iter()
            .map(|line| line.replace("{dir}", directory.path().to_str().unwrap()));
        let more: Vec<String> = more.collect();
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let child = launch(mode, directory.path(), port, &more)?;
        Some(Self {
            directory,
            port,
            mode,
            more,
            child,
        })
    }

    /// Kills it, and starts it again where it was.
    fn restart(&mut self) {
        self.kill();
        self.child = launch(self.mode, self.directory.path(), self.port, &self.more).unwrap();
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) fn directory(&self) -> &str {
        self.directory.path().to_str().unwrap()
    }

    /// Settings for a URL, in which `{port}` and `{dir}` are its own.
    pub(crate) fn settings(&self, url: &str) -> RedisSettings {
        let url = url
            .replace("{port}", &self.port.to_string())
            .replace("{dir}", self.directory.path().to_str().unwrap());
        let BrokerUrl::Redis(url) = url.parse().unwrap() else {
            panic!("a URL of Redis");
        };
        RedisSettings {
            response_timeout: Duration::from_secs(2),
            ..RedisSettings::new(url)
        }
    }

    /// Connects once it answers.
    async fn connect(&self, url: &str) -> Redis {
        eventually(|| async { Redis::connect(self.settings(url)).await.ok() }).await
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn launch(mode: Mode, directory: &Path, port: u16, more: &[String]) -> Option<Child> {
    let lines = more.join("\n").replace("{port}", &port.to_string());
    let file = directory.join("redis.conf");
    let (save, arguments): (_, &[&str]) = match mode {
        Mode::Data => ("save \"\"", &[]),
        Mode::Sentinel => ("", &["--sentinel"]),
    };
    std::fs::write(
        &file,
        format!("dir {}\n{save}\n{lines}\n", directory.display()),
    )
    .unwrap();
    let mut command = Command::new("redis-server");
    command
        .arg(&file)
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    match command.spawn() {
        Ok(child) => Some(child),
        Err(error) => {
            leave_out(&format!("redis-server cannot be run: {error}"));
            None
        }
    }
}

pub(crate) fn run<F: Future<Output = ()>>(test: F) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        tokio::time::timeout(DEADLINE, test)
            .await
            .expect("the test hangs")
    });
}

const DURABLE: [&str; 4] = [
    "port {port}",
    "bind 127.0.0.1",
    "appendonly yes",
    "appendfsync always",
];

/// What was acknowledged before the server was killed is there when it is back, and consuming goes on by itself.
#[test]
fn a_server_that_is_restarted_loses_nothing() {
    run(async {
        let Some(mut server) = Server::start(&DURABLE, |_| {}) else {
            return;
        };
        let broker = server.connect("redis://127.0.0.1:{port}/0").await;
        let waiting = spawn({
            let broker = broker.clone();
            async move {
                loop {
                    let changed = broker.changed();
                    if let Ok(claim) = broker.claim(request(1)).await
                        && let Some(delivery) = claim.deliveries.into_iter().next()
                    {
                        return delivery;
                    }
                    changed.await;
                }
            }
        });
        send(
            &broker,
            vec![Message {
                queue: "other".to_owned(),
                ..Message::new("before")
            }],
        )
        .await;
        server.restart();
        // A producer is told so while it is away, and the message that was accepted is delivered.
        eventually(|| async {
            let request = siding_tasks::Enqueue {
                messages: vec![Message::new("after")],
                chords: Vec::new(),
            };
            broker.enqueue(request).await.ok()
        })
        .await;
        let delivery = waiting.await.unwrap();
        assert_eq!(delivery.message.task, "after");
        assert_eq!(
            broker.settle(delivery.lease, success(&1)).await.unwrap(),
            Settled::Done
        );
        let purged = broker.purge(Some("other".to_owned()), 9).await.unwrap();
        assert_eq!(purged, 1, "what was accepted before the server was killed");
    });
}

#[test]
fn users_and_passwords_are_used_and_never_told() {
    run(async {
        let lines = [
            "port {port}",
            "bind 127.0.0.1",
            "user default off",
            "user shop on >wonder ~* &* +@all",
        ];
        let Some(server) = Server::start(&lines, |_| {}) else {
            return;
        };
        let broker = server
            .connect("redis://shop:wonder@127.0.0.1:{port}/0")
            .await;
        send(&broker, vec![Message::new("add")]).await;
        assert_eq!(claim_one(&broker).await.message.task, "add");
        assert!(!format!("{broker:?}").contains("wonder"));
        let wrong = Redis::connect(server.settings("redis://shop:blunder@127.0.0.1:{port}/0"))
            .await
            .unwrap_err();
        assert!(matches!(wrong, BrokerError::Broken(_)), "{wrong:?}");
        assert!(!wrong.to_string().contains("blunder"), "{wrong}");
    });
}

/// Makes an authority, and a certificate of it for 127.0.0.1.
pub(crate) fn make_certificates(directory: &Path) {
    let openssl = |arguments: &str| {
        let made = Command::new("openssl")
            .args(arguments.split(' '))
            .current_dir(directory)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        assert!(
            made.is_ok_and(|status| status.success()),
            "openssl {arguments}"
        );
    };
    openssl(
        "req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=test-authority",
    );
    openssl("req -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj /CN=127.0.0.1");
    std::fs::write(directory.join("names"), "subjectAltName=IP:127.0.0.1").unwrap();
    openssl(
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out server.pem -days 2 -extfile names",
    );
}

#[test]
fn tls_checks_who_the_server_is() {
    run(async {
        let lines = [
            "port 0",
            "tls-port {port}",
            "bind 127.0.0.1",
            "tls-cert-file {dir}/server.pem",
            "tls-key-file {dir}/server.key",
            "tls-ca-cert-file {dir}/ca.pem",
            "tls-auth-clients no",
        ];
        let Some(server) = Server::start(&lines, make_certificates) else {
            return;
        };
        let broker = server
            .connect("rediss://127.0.0.1:{port}/0?ssl_cert_reqs=required&ssl_ca_certs={dir}/ca.pem")
            .await;
        send(&broker, vec![Message::new("add")]).await;
        assert_eq!(claim_one(&broker).await.message.task, "add");
        let stranger = Redis::connect(server.settings("rediss://127.0.0.1:{port}/0"))
            .await
            .unwrap_err();
        assert!(stranger.to_string().contains("certificate"), "{stranger}");
    });
}
