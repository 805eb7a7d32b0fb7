//! The functions that the tests call, and what the tests need.

#![expect(
    clippy::exit,
    clippy::print_stdout,
    reason = "functions end their process and print, to see what becomes of it"
)]

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use siding_runtime::{
    Builder, Call, CallError, FunctionErrorKind, Functions, LaneSnapshot, ProcessesConfig, RouteId,
    Runtime, WorkContext, serve_child,
};

use crate::support::DEADLINE;

pub(crate) const CONTEXT: WorkContext = WorkContext::new(RouteId::OFFLOAD);
/// The way to `serve_child` in this program.
pub(crate) const CHILD_ARGS: [&str; 3] = ["--exact", "processes::support::child", "--nocapture"];

/// Where children come in. As a test of its own it only shows that this process is none.
#[test]
fn child() {
    let served = serve_child(&functions());
    assert!(served.is_none_or(|code| code == std::process::ExitCode::SUCCESS));
}

pub(crate) fn functions() -> Functions {
    let mut functions = Functions::new();
    functions.register("double", |n: u32| n * 2);
    functions.register("pid", |()| std::process::id());
    functions.register("panic", |message: String| -> () { panic!("{message}") });
    functions.register("exit", |code: i32| -> () { std::process::exit(code) });
    functions.register("text", |bytes: usize| "x".repeat(bytes));
    functions.register("length", |text: String| text.len());
    functions.register("allocate", |bytes: usize| vec![1_u8; bytes].len());
    functions.register("print", |(out, err): (String, String)| {
        print!("{out}");
        eprint!("{err}");
    });
    functions.register("stdin", |()| {
        let mut text = String::new();
        let read = std::io::stdin().read_to_string(&mut text);
        read.map(|_| text).map_err(|e| e.to_string())
    });
    functions.register("hang", |meeting: PathBuf| -> () {
        let _here = report(&meeting);
        loop {
            std::thread::park();
        }
    });
    functions.register("spin", |meeting: PathBuf| -> () {
        let _here = report(&meeting);
        loop {
            std::hint::spin_loop();
        }
    });
    functions.register("wait", |meeting: PathBuf| {
        let mut here = report(&meeting);
        // Until the test closes its end.
        here.read_to_end(&mut Vec::new()).map_err(|e| e.to_string())
    });
    functions.register_raw("reverse", |bytes| {
        if bytes.is_empty() {
            return Err(FunctionErrorKind::Failed("nothing to reverse".to_owned()));
        }
        Ok(bytes.iter().rev().copied().collect())
    });
    functions
}

fn report(meeting: &PathBuf) -> UnixStream {
    let mut stream = UnixStream::connect(meeting).expect("the test listens");
    stream
        .write_all(&std::process::id().to_le_bytes())
        .expect("it reads");
    stream
}

pub(crate) fn runtime(change: impl FnOnce(&mut ProcessesConfig)) -> Runtime {
    let mut config = ProcessesConfig {
        children: 1,
        ..ProcessesConfig::default()
    };
    change(&mut config);
    builder(config).build().expect("starts")
}

pub(crate) fn builder(config: ProcessesConfig) -> Builder {
    crate::support::builder()
        .processes(config)
        .functions(functions())
        .child_args(CHILD_ARGS)
}

/// The result of a call, which comes in time.
#[track_caller]
pub(crate) fn wait<R: serde::de::DeserializeOwned>(
    runtime: &Runtime,
    call: Call<R>,
) -> Result<R, CallError> {
    runtime
        .block_on(async { tokio::time::timeout(DEADLINE, call).await })
        .expect("an answer in time")
}

/// Calls a function and waits for its result.
#[track_caller]
pub(crate) fn call<R: serde::de::DeserializeOwned>(
    runtime: &Runtime,
    name: &str,
    arguments: impl serde::Serialize,
) -> Result<R, CallError> {
    let call = runtime.handle().processes().run(CONTEXT, name, &arguments);
    wait(runtime, call)
}

/// Waits for figures of the lane that satisfy `condition`.
#[track_caller]
pub(crate) fn figures(what: &str, runtime: &Runtime, condition: impl Fn(&LaneSnapshot) -> bool) {
    let lane = runtime.handle().processes();
    crate::support::eventually(what, || condition(&lane.snapshot()).then_some(()));
}

/// Where functions tell that they run.
pub(crate) struct Meeting {
    pub(crate) path: PathBuf,
    listener: UnixListener,
}

impl Meeting {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("siding-test-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let listener = UnixListener::bind(&path).expect("a free path");
        Self { path, listener }
    }

    /// Waits for a function to begin.
    #[track_caller]
    pub(crate) fn guest(&self) -> Guest {
        self.listener.set_nonblocking(true).expect("a socket");
        let (mut stream, _) =
            crate::support::eventually("a function's report", || self.listener.accept().ok());
        stream.set_nonblocking(false).expect("a socket");
        stream.set_read_timeout(Some(DEADLINE)).expect("a socket");
        let mut pid = [0; 4];
        stream.read_exact(&mut pid).expect("a report");
        Guest {
            pid: u32::from_le_bytes(pid),
            stream,
        }
    }
}

impl Drop for Meeting {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// A function that runs.
pub(crate) struct Guest {
    pub(crate) pid: u32,
    stream: UnixStream,
}

impl Guest {
    /// Waits until its process is gone, which closes its end.
    #[track_caller]
    pub(crate) fn wait_for_end(mut self) {
        let began = Instant::now();
        let end = self.stream.read(&mut [0]);
        assert!(
            matches!(end, Ok(0))
                || end.is_err_and(|e| e.kind() == std::io::ErrorKind::ConnectionReset),
            "process {} is still there after {:?}",
            self.pid,
            began.elapsed()
        );
    }

    pub(crate) fn pid(&self) -> rustix::process::Pid {
        i32::try_from(self.pid)
            .ok()
            .and_then(rustix::process::Pid::from_raw)
            .expect("a process id")
    }
}
