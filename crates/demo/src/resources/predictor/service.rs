//! The inference service as a process of its own beside this one, where no other is set.
//!
//! # Protocol
//! 1. A thread, the keeper, starts the process, passes its log on, waits for its end, and starts it again: soon at first, and then, while
//!    it does not last, after twice as long each time.
//! 2. The child is this program once more, which asks the kernel to be told when its parent ends, SIGKILL included, and then is the
//!    service ([`become_service`]). The kernel watches the thread that started it, which is why that is the keeper and lives as long.
//! 3. [`Service::close`] tells the process to stop, and the keeper to start no other.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, getppid, kill_process};
use siding::ExitCode;

use super::MODEL;

/// Tells this program that it is to become the service of the process that has this number.
const PARENT: &str = "SIDING_DEMO_SERVICE_OF";
/// Tells it where its models are.
const MODELS: &str = "SIDING_DEMO_SERVICE_MODELS";
/// The model, which is in this program, so that it can be started anywhere.
const MODEL_BYTES: &[u8] = include_bytes!("../../../../../models/magika/3/model.onnx");
const VERSION: &str = "3";
/// It is started again after this, and after twice as long each time that it did not last.
const PAUSE: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// Who ran for so long has lasted.
const LASTING: Duration = Duration::from_secs(10);
/// A process that was told to stop has so long.
const STOP_LIMIT: Duration = Duration::from_secs(5);

/// The service, kept alive. A cheap clone.
#[derive(Clone)]
pub(super) struct Service {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// The process, while it is there and not reaped: nobody else has its number.
    running: Option<Pid>,
    is_stopping: bool,
}

impl Service {
    /// Has it started, and kept alive, on a port of the loopback interface that is free now. Its models are in the directory `models`.
    pub(super) fn start(models: PathBuf) -> io::Result<Self> {
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let shared = Arc::<Shared>::default();
        let kept = Arc::clone(&shared);
        thread::Builder::new()
            .name("inference-keeper".to_owned())
            .spawn(move || kept.keep(&models, address))?;
        Ok(Self { address, shared })
    }

    /// Where it is to be asked.
    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Stops it, and waits for its end.
    pub(super) fn close(self) {
        let mut state = self.shared.lock();
        state.is_stopping = true;
        self.shared.changed.notify_all();
        for signal in [Signal::TERM, Signal::KILL] {
            let Some(pid) = state.running else { return };
            // It is there: it is not reaped.
            let _ = kill_process(pid, signal);
            let changed = &self.shared.changed;
            let ended =
                changed.wait_timeout_while(state, STOP_LIMIT, |state| state.running.is_some());
            state = ended.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Shared {
    fn keep(&self, models: &Path, address: SocketAddr) {
        let mut pause = PAUSE;
        loop {
            let began = Instant::now();
            match self.start(models, address) {
                Ok(Some(child)) => self.attend(child),
                Ok(None) => return,
                Err(error) => tracing::warn!("failed to start the inference service: {error}"),
            }
            if began.elapsed() >= LASTING {
                pause = PAUSE;
            }
            if self.wait(pause) == Told::Stop {
                return;
            }
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    /// Starts it, unless it is to stop.
    fn start(&self, models: &Path, address: SocketAddr) -> io::Result<Option<Child>> {
        let mut state = self.lock();
        if state.is_stopping {
            return Ok(None);
        }
        let mut command = Command::new(std::env::current_exe()?);
        // These are this process's settings: its addresses and data directory, for instance.
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("SIDING_") {
                command.env_remove(name);
            }
        }
        let child = command
            .args(["--admin", "off", "--bind", &address.to_string()])
            .env(MODELS, models)
            .env(PARENT, std::process::id().to_string())
            // Ctrl-C at a terminal is for this process, which tells the service when it has no more questions.
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        state.running = Some(Pid::from_child(&child));
        tracing::info!(
            "started the inference service, process {}, on {address}",
            child.id()
        );
        Ok(Some(child))
    }

    /// Passes its log on until it ends.
    fn attend(&self, mut child: Child) {
        if let Some(log) = child.stderr.take() {
            for line in BufReader::new(log).split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line);
                tracing::info!(target: "inference", "{}", line.trim_end());
            }
        }
        let running = child.id();
        // It has closed its log, and so is about to end: `close` waits a moment at most for the lock.
        let mut state = self.lock();
        let ended = child.wait();
        state.running = None;
        self.changed.notify_all();
        match ended {
            _ if state.is_stopping => tracing::info!("the inference service has stopped"),
            Ok(status) => {
                tracing::warn!("the inference service, process {running}, ended: {status}")
            }
            Err(error) => {
                tracing::warn!("the inference service, process {running}, is lost: {error}")
            }
        }
    }

    fn wait(&self, pause: Duration) -> Told {
        let waiting = self
            .changed
            .wait_timeout_while(self.lock(), pause, |state| !state.is_stopping);
        match waiting
            .unwrap_or_else(PoisonError::into_inner)
            .0
            .is_stopping
        {
            true => Told::Stop,
            false => Told::Nothing,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the keeper was told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    Nothing,
    Stop,
}

/// Becomes the inference service, in a process that was started to do so; returns `None` in any other.
pub(crate) fn become_service() -> Option<ExitCode> {
    let parent = std::env::var_os(PARENT)?;
    let models = PathBuf::from(std::env::var_os(MODELS)?);
    end_with(&parent);
    if let Err(error) = place_model(&models) {
        #[expect(clippy::print_stderr, reason = "the parent's log has what this says")]
        {
            let models = models.display();
            eprintln!(
                "the model cannot be written to {models}: {error}; set INFERENCE_URL to use another service"
            );
        }
        return Some(ExitCode::FAILURE);
    }
    Some(siding_inference::Service::new(models).app().run())
}

/// Puts the model that this program has in it where the service looks for models.
fn place_model(models: &Path) -> io::Result<()> {
    let version = models.join(MODEL).join(VERSION);
    let file = version.join("model.onnx");
    if fs::read(&file).is_ok_and(|found| found == MODEL_BYTES) {
        return Ok(());
    }
    fs::create_dir_all(&version)?;
    // Renamed into its place, so that nobody ever reads a part of it.
    let written = version.join(format!("model.onnx.{}", std::process::id()));
    fs::write(&written, MODEL_BYTES)?;
    fs::rename(written, file)
}

/// Has the kernel end this process when its parent ends. Elsewhere than on Linux it ends with a parent that drains only.
fn end_with(parent: &OsStr) {
    #[cfg(target_os = "linux")]
    {
        // It fails for no signal that exists.
        let _ = rustix::process::set_parent_process_death_signal(Some(Signal::TERM));
    }
    // The parent may have ended before that.
    let now = getppid().map_or(0, |pid| pid.as_raw_nonzero().get());
    if *parent != *now.to_string() {
        let _ = kill_process(rustix::process::getpid(), Signal::TERM);
    }
}
