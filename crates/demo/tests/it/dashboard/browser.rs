//! A headless Chromium, driven by WebDriver.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::web_driver::Session;
use crate::support::{eventually, leave_out};

/// What Chromium needs to run as root in a container, and to talk to nobody but the page.
const ARGUMENTS: [&str; 9] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
];

/// One browser at a time: two cores have enough to do with one.
static ONE: Mutex<()> = Mutex::new(());

/// The browser with one window, which shows a dashboard; gone when dropped.
pub(super) struct Browser {
    session: Session,
    driver: Child,
    origin: String,
    _profile: TempDir,
    _one: MutexGuard<'static, ()>,
}

/// How wide the window is, and whether the reader likes it dark.
#[derive(Clone, Copy)]
pub(super) struct Look {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) scheme: &'static str,
}

impl Browser {
    /// Starts it on the dashboard of an admin listener. `None` where there is no Chromium, which the test then says.
    pub(super) fn open(admin: SocketAddr) -> Option<Self> {
        let one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        let started = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let Ok(mut driver) = started else {
            leave_out("chromedriver is not installed");
            return None;
        };
        let port = port(&mut driver);
        let profile = TempDir::new().expect("a place for its profile");
        let browser = Self {
            session: Session::start(port, &capabilities(&profile)),
            driver,
            origin: format!("http://{admin}"),
            _profile: profile,
            _one: one,
        };
        browser.go("#/");
        Some(browser)
    }

    /// Shows a view by its address behind the `#`.
    #[track_caller]
    pub(super) fn go(&self, view: &str) {
        self.session.go(&format!("{}/{view}", self.origin));
    }

    /// What a script returns.
    #[track_caller]
    pub(super) fn run(&self, script: &str, arguments: &[Value]) -> Value {
        self.session.run(script, arguments)
    }

    /// What a script returns by the function that is its last argument.
    #[track_caller]
    pub(super) fn run_to_its_end(&self, script: &str) -> Value {
        self.session.run_to_its_end(script)
    }

    /// Waits until an element that the selector finds has these words.
    #[track_caller]
    pub(super) fn wait_for(&self, selector: &str, words: &str) {
        let script = "const [selector, words] = arguments;
            return [...document.querySelectorAll(selector)].some((element) => element.textContent.includes(words));";
        eventually(&format!("{selector} has {words:?}"), || {
            let found = self.run(script, &[selector.into(), words.into()]);
            (found == true).then_some(())
        });
    }

    /// The texts of the elements that the selector finds.
    #[track_caller]
    pub(super) fn texts(&self, selector: &str) -> Vec<String> {
        let script = "return [...document.querySelectorAll(arguments[0])].map((element) => element.textContent);";
        let texts = self.run(script, &[selector.into()]);
        serde_json::from_value(texts).expect("texts")
    }

    /// Clicks on the first element that the selector finds and that has these words, once it is there.
    #[track_caller]
    pub(super) fn click(&self, selector: &str, words: &str) {
        let script = "const [selector, words] = arguments;
            const element = [...document.querySelectorAll(selector)].find((element) => element.textContent.includes(words));
            element?.click();
            return Boolean(element);";
        eventually(&format!("{selector} with {words:?} is there"), || {
            let clicked = self.run(script, &[selector.into(), words.into()]);
            (clicked == true).then_some(())
        });
    }

    /// Presses keys, as a keyboard does, wherever the focus is.
    #[track_caller]
    pub(super) fn press(&self, keys: &str) {
        self.session.press(keys);
    }

    /// Gives the window another size and scheme.
    #[track_caller]
    pub(super) fn look(&self, look: Look) {
        let size = json!({"width": look.width, "height": look.height, "deviceScaleFactor": 1, "mobile": false});
        let scheme = json!({"features": [{"name": "prefers-color-scheme", "value": look.scheme}]});
        for (command, parameters) in [
            ("Emulation.setDeviceMetricsOverride", size),
            ("Emulation.setEmulatedMedia", scheme),
        ] {
            self.session.tell_chromium(command, &parameters);
        }
    }

    /// What the window shows, as a PNG.
    #[track_caller]
    pub(super) fn screenshot(&self) -> Vec<u8> {
        self.session.screenshot()
    }

    /// Checks that nothing was said on the console but what is harmless.
    #[track_caller]
    pub(super) fn assert_no_errors(&self) {
        let log = self.session.console();
        let log = log.as_array().expect("a list");
        let errors: Vec<_> = log
            .iter()
            .filter(|entry| entry["level"] == "SEVERE" || entry["level"] == "WARNING")
            .collect();
        assert!(errors.is_empty(), "{errors:#?}");
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        self.session.end();
        // It has ended already where it could not go on.
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

fn capabilities(profile: &TempDir) -> Value {
    let profile = format!("--user-data-dir={}", profile.path().display());
    let arguments: Vec<&str> = ARGUMENTS.into_iter().chain([profile.as_str()]).collect();
    json!({
        "browserName": "chrome",
        "goog:chromeOptions": {"args": arguments},
        "goog:loggingPrefs": {"browser": "ALL"},
    })
}

/// Where it listens: it says so once it does.
fn port(driver: &mut Child) -> u16 {
    let mut said = BufReader::new(driver.stdout.take().expect("piped"));
    let mut line = String::new();
    loop {
        line.clear();
        let read = said.read_line(&mut line).expect("text");
        assert_ne!(read, 0, "chromedriver ended before it listened");
        if let Some((_, port)) = line.split_once("started successfully on port ") {
            return port.trim().trim_end_matches('.').parse().expect("a port");
        }
    }
}
