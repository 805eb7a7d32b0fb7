//! TLS, which something before the server ends.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use siding_tasks::Amqp;

use super::python::python;
use super::support::*;

/// Ends TLS at a port of its own, which it prints, and passes the rest on to RabbitMQ.
const TERMINATOR: &str = "
import asyncio, ssl, sys

async def copy(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    writer.close()

async def serve(reader, writer):
    there = await asyncio.open_connection('127.0.0.1', 5672)
    await asyncio.gather(copy(reader, there[1]), copy(there[0], writer))

async def main():
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain('server.pem', 'server.key')
    server = await asyncio.start_server(serve, '127.0.0.1', 0, ssl=context)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()

asyncio.run(main())
";

/// It is killed when this is dropped.
struct Terminator {
    child: Child,
    port: u16,
}

impl Terminator {
    fn start(directory: &Path) -> Self {
        let mut child = Command::new(python("5.7"))
            .args(["-c", TERMINATOR])
            .current_dir(directory)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let said = child.stdout.take().unwrap();
        BufReader::new(said).read_line(&mut line).unwrap();
        Self {
            child,
            port: line.trim().parse().unwrap(),
        }
    }
}

impl Drop for Terminator {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

#[test]
fn tls_checks_who_the_server_is() {
    if !python("5.7").exists() {
        return leave_out("there is no Python to end TLS; `just celery-venvs` makes it");
    }
    Space::with(|space| async move {
        let directory = tempfile::tempdir().unwrap();
        crate::redis::servers::make_certificates(directory.path());
        let terminator = Terminator::start(directory.path());
        let url = format!("amqps://guest:guest@127.0.0.1:{}/%2F", terminator.port);
        let trusted = directory.path().join("ca.pem");
        let trusting = format!("{url}?ssl_ca_certs={}", trusted.display());
        let broker = Amqp::connect(settings(&trusting)).await.unwrap();
        send(&broker, vec![space.message("add")]).await;
        assert_eq!(space.claim_one(&broker).await.message.task, "add");
        let stranger = Amqp::connect(settings(&url)).await.unwrap_err();
        assert!(stranger.to_string().contains("certificate"), "{stranger}");
        let missing = format!("{url}?ssl_ca_certs=/no/such/file");
        let missing = Amqp::connect(settings(&missing)).await.unwrap_err();
        assert!(missing.to_string().contains("/no/such/file"), "{missing}");
    });
}
