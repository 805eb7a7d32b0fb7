//! A Python client.

use serde_json::Value;

use super::process::Process;
use super::{SOON, Space};

/// A Python process that runs scripts in the application of `python/app.py`.
pub(crate) struct Client(Process);

impl Client {
    pub(super) fn start(space: &Space) -> Self {
        Self(Process::start(space, "client", &["client.py"]))
    }

    /// Runs a script and returns what it left in `out`.
    pub(crate) async fn run(&mut self, script: &str) -> Value {
        let script = unindented(script);
        self.0.tell(&Value::from(script.as_str()).to_string());
        let answer = self.0.hear(|line| {
            let answer: Value = serde_json::from_str(line).ok()?;
            answer.is_object().then_some(answer)
        });
        let mut answer = tokio::time::timeout(SOON, answer)
            .await
            .unwrap_or_else(|_| panic!("the script hangs:\n{script}"));
        if let Some(error) = answer.get("error").and_then(Value::as_str) {
            panic!("the script\n{script}\nfailed: {error}");
        }
        answer["out"].take()
    }
}

/// The lines without the indentation that all of them have.
fn unindented(script: &str) -> String {
    let lines = || script.lines().filter(|line| !line.trim().is_empty());
    let indentation = lines()
        .map(|line| line.len() - line.trim_start().len())
        .min()
        .unwrap_or(0);
    lines()
        .map(|line| format!("{}\n", &line[indentation..]))
        .collect()
}
