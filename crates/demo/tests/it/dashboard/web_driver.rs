//! The few commands of WebDriver that are needed, over HTTP: <https://www.w3.org/TR/webdriver2/>.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use ureq::http::Response;
use ureq::{Agent, Body};

use crate::support::{DEADLINE, json};

/// One browser that a driver has started.
pub(super) struct Session {
    agent: Agent,
    url: String,
}

impl Session {
    /// Asks the driver on a port of this machine for a browser that can do this.
    #[track_caller]
    pub(super) fn start(port: u16, capabilities: &Value) -> Self {
        // A browser on a busy machine takes its time, and a page that never loads has to be told from it.
        let timeout = DEADLINE + Duration::from_secs(60);
        let config = Agent::config_builder()
            .timeout_global(Some(timeout))
            .http_status_as_error(false)
            .build();
        let mut session = Self {
            agent: config.into(),
            url: format!("http://127.0.0.1:{port}/session"),
        };
        let started = session.post("", &json!({"capabilities": {"alwaysMatch": capabilities}}));
        let id = started["sessionId"].as_str().expect("an id").to_owned();
        session.url = format!("{}/{id}", session.url);
        session
    }

    #[track_caller]
    pub(super) fn go(&self, url: &str) {
        self.post("/url", &json!({"url": url}));
    }

    #[track_caller]
    pub(super) fn run(&self, script: &str, arguments: &[Value]) -> Value {
        self.post(
            "/execute/sync",
            &json!({"script": script, "args": arguments}),
        )
    }

    #[track_caller]
    pub(super) fn run_to_its_end(&self, script: &str) -> Value {
        self.post("/execute/async", &json!({"script": script, "args": []}))
    }

    /// Presses and releases keys one after the other. Those without a character have code points of WebDriver's.
    #[track_caller]
    pub(super) fn press(&self, keys: &str) {
        let strokes: Vec<Value> = keys
            .chars()
            .flat_map(|key| {
                ["keyDown", "keyUp"].map(|stroke| json!({"type": stroke, "value": key}))
            })
            .collect();
        self.post(
            "/actions",
            &json!({"actions": [{"type": "key", "id": "keyboard", "actions": strokes}]}),
        );
    }

    /// A command of Chromium's own protocol.
    #[track_caller]
    pub(super) fn tell_chromium(&self, command: &str, parameters: &Value) {
        self.post(
            "/goog/cdp/execute",
            &json!({"cmd": command, "params": parameters}),
        );
    }

    /// What was said on the console since this was asked last.
    #[track_caller]
    pub(super) fn console(&self) -> Value {
        self.post("/se/log", &json!({"type": "browser"}))
    }

    /// What the window shows, as a PNG.
    #[track_caller]
    pub(super) fn screenshot(&self) -> Vec<u8> {
        let answer = self.agent.get(format!("{}/screenshot", self.url)).call();
        let value = value("/screenshot", answer);
        let text = value.as_str().expect("a text");
        STANDARD.decode(text).expect("Base64")
    }

    /// Ends the browser, if it is still there.
    pub(super) fn end(&self) {
        let _ = self.agent.delete(&self.url).call();
    }

    #[track_caller]
    fn post(&self, path: &str, body: &Value) -> Value {
        let request = self
            .agent
            .post(format!("{}{path}", self.url))
            .content_type("application/json");
        value(path, request.send(body.to_string()))
    }
}

/// What the driver answered, where that is no error.
#[track_caller]
fn value(path: &str, answer: Result<Response<Body>, ureq::Error>) -> Value {
    let mut response = answer.expect("the driver answers");
    let body = response.body_mut().with_config().limit(64 * 1024 * 1024);
    let text = body.read_to_string().expect("text");
    assert_eq!(response.status(), 200, "{path}: {text}");
    json(&text)["value"].take()
}
