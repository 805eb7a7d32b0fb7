//! A master, its replica, and the sentinel that watches them.

use redis::aio::MultiplexedConnection;
use redis::{Client, FromRedisValue};
use serde_json::json;

use super::settings;
use crate::fleet::Space;
use crate::redis::servers::{Server, run};
use crate::redis::support::eventually;

/// The name of the master.
const NAME: &str = "shop";
/// The password of both servers.
const WORD: &str = "wonder";
/// The password of the sentinel.
const SENTINEL_WORD: &str = "guard";

/// A master with a replica, and a sentinel with a password of its own.
pub(super) struct Group {
    servers: [Server; 2],
    sentinel: Server,
}

impl Group {
    /// One whose sentinel knows both servers, or says why there is none.
    pub(super) fn start() -> Option<Self> {
        let common = [
            "port {port}",
            "bind 127.0.0.1",
            "requirepass wonder",
            "masterauth wonder",
            "repl-diskless-sync-delay 0",
        ];
        let master = Server::start(&common, |_| {})?;
        let follow = format!("replicaof 127.0.0.1 {}", master.port);
        let replica = Server::start(&[&common[..], &[&follow]].concat(), |_| {})?;
        let mut sentinel = None;
        run(async {
            // Of a replica that comes later a sentinel hears later.
            eventually(|| async {
                let state = ask::<String>(replica.port, WORD, "INFO replication").await?;
                state.contains("master_link_status:up").then_some(())
            })
            .await;
            sentinel = start_sentinel(master.port);
            let Some(sentinel) = &sentinel else { return };
            eventually(|| async {
                let known = ask::<String>(sentinel.port, SENTINEL_WORD, "INFO sentinel").await?;
                known.contains("status=ok").then_some(())?;
                known.contains("slaves=1").then_some(())
            })
            .await;
        });
        Some(Self {
            servers: [master, replica],
            sentinel: sentinel?,
        })
    }

    /// Where a space is instead of on the machine's Redis; for Python in Celery's settings. Nobody listens where one of the two
    /// sentinels should be. Python, which waits for it in each of its processes for seconds, asks it last.
    pub(super) fn enter(&self, nobody: u16, space: &mut Space) {
        let sentinel = self.sentinel.port;
        // Python takes each in turn for its whole URL when it has lost its connection.
        let urls = |ports: [u16; 2]| {
            ports
                .map(|port| format!("sentinel://:{WORD}@127.0.0.1:{port}/3"))
                .join(";")
        };
        let ours = format!(
            "{}?master_name={NAME}&sentinel_password={SENTINEL_WORD}",
            urls([nobody, sentinel])
        );
        space.settings.url = settings(&ours).url;
        let mut conf = space.conf();
        for (url, options) in [
            ("broker_url", "broker_transport_options"),
            ("result_backend", "result_backend_transport_options"),
        ] {
            conf[url] = json!(urls([sentinel, nobody]));
            conf[options]["master_name"] = json!(NAME);
            conf[options]["sentinel_kwargs"] = json!({"password": SENTINEL_WORD});
        }
        space.celery = conf;
    }

    /// The port of the master.
    pub(super) async fn master(&self) -> u16 {
        let command = format!("SENTINEL GET-MASTER-ADDR-BY-NAME {NAME}");
        let named = ask::<(String, u16)>(self.sentinel.port, SENTINEL_WORD, &command).await;
        named.expect("the sentinel answers").1
    }

    /// Waits until the replica has all that was written so far.
    pub(super) async fn replicate(&self) {
        let mut master = open(self.master().await, WORD).await.unwrap();
        let mut mark = redis::cmd("SET");
        mark.arg("mark").arg("1");
        mark.query_async::<()>(&mut master).await.unwrap();
        let mut wait = redis::cmd("WAIT");
        wait.arg(1).arg(0);
        let replicas: u8 = wait.query_async(&mut master).await.unwrap();
        assert_eq!(replicas, 1);
    }

    /// Has the sentinel make the replica the master, and returns once that says so itself. Until it is told otherwise, the old
    /// one is a master too.
    pub(super) async fn fail_over(&self) {
        let old = self.master().await;
        let command = format!("SENTINEL FAILOVER {NAME}");
        // Until the sentinel has heard enough of the replica, it refuses.
        eventually(|| ask::<()>(self.sentinel.port, SENTINEL_WORD, &command)).await;
        let new = self.servers.iter().find(|server| server.port != old);
        let new = new.unwrap().port;
        eventually(|| async {
            let state = ask::<String>(new, WORD, "INFO replication").await?;
            (state.contains("role:master") && self.master().await == new).then_some(())
        })
        .await;
    }

    /// Waits until the old master has become a replica. The sentinel comes to that sooner than it would by itself.
    pub(super) async fn demote(&self) {
        // Redis 6 has no such command, and takes its time.
        let hurry = "SENTINEL DEBUG INFO-PERIOD 300 PUBLISH-PERIOD 300";
        let _ = ask::<()>(self.sentinel.port, SENTINEL_WORD, hurry).await;
        let new = self.master().await;
        let old = self.servers.iter().find(|server| server.port != new);
        let old = old.unwrap().port;
        eventually(|| async {
            let state = ask::<String>(old, WORD, "INFO replication").await?;
            state.contains("role:slave").then_some(())
        })
        .await;
    }
}

fn start_sentinel(master: u16) -> Option<Server> {
    let lines = [
        "port {port}".to_owned(),
        "bind 127.0.0.1".to_owned(),
        format!("requirepass {SENTINEL_WORD}"),
        format!("sentinel monitor {NAME} 127.0.0.1 {master} 1"),
        format!("sentinel auth-pass {NAME} {WORD}"),
        // A server that is only slow is not replaced.
        format!("sentinel down-after-milliseconds {NAME} 60000"),
    ];
    let lines: Vec<_> = lines.iter().map(String::as_str).collect();
    Server::start_sentinel(&lines, |_| {})
}

async fn open(port: u16, word: &str) -> Option<MultiplexedConnection> {
    let client = Client::open(format!("redis://:{word}@127.0.0.1:{port}")).unwrap();
    client.get_multiplexed_async_connection().await.ok()
}

/// What a server answers, unless it does not, or with an error.
async fn ask<T: FromRedisValue>(port: u16, word: &str, command: &str) -> Option<T> {
    let mut connection = open(port, word).await?;
    let mut words = command.split(' ');
    let mut command = redis::cmd(words.next()?);
    command.arg(words.collect::<Vec<_>>());
    command.query_async(&mut connection).await.ok()
}
