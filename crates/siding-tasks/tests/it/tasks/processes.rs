//! Tasks of the process lane.

use std::io::Read;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use siding_runtime::serve_child;
use siding_tasks::{AsyncResult, GetError, Revocation, Task, TaskContext, Tasks};
use tokio::net::UnixListener;

use super::app::App;
use super::support::{On, PROCESSES, check_failed};
use crate::support::PATIENCE;

/// Tells the test that it runs, and keeps the line open as long as its process lives.
fn hang(meeting: PathBuf) {
    let _here = UnixStream::connect(meeting).unwrap();
    loop {
        std::hint::spin_loop();
    }
}

struct Registered {
    pid: Task<(), (u32, String)>,
    abort: Task<(), ()>,
    hang: Task<(PathBuf,), ()>,
}

fn register(tasks: &Tasks) -> Registered {
    let pid = |context: TaskContext| (std::process::id(), context.id().to_string());
    Registered {
        pid: tasks.register("pid", On::<PROCESSES, _>(pid)),
        abort: tasks.register(
            "abort",
            On::<PROCESSES, _>(|| -> () { std::process::abort() }),
        ),
        hang: tasks.register("hang", On::<PROCESSES, _>(hang)),
    }
}

/// Where children come in. As a test of its own it only shows that this process is none.
#[test]
fn child() {
    let tasks = Tasks::new();
    let _ = register(&tasks);
    let served = serve_child(&tasks.functions());
    assert!(served.is_none_or(|code| code == std::process::ExitCode::SUCCESS));
}

fn app() -> (App, Registered) {
    let tasks = Tasks::new();
    let _ = register(&tasks);
    let functions = tasks.functions();
    let app = App::on(|builder| {
        builder.functions(functions).child_args([
            "--exact",
            "tasks::processes::child",
            "--nocapture",
        ])
    });
    let registered = register(&app.tasks);
    (app, registered)
}

#[test]
fn it_runs_in_another_process_and_knows_itself() {
    let (app, tasks) = app();
    app.serve(async {
        let result = tasks.pid.delay(()).await.unwrap();
        let (pid, id) = result.get(PATIENCE).await.unwrap();
        assert_ne!(pid, std::process::id());
        assert_eq!(id, result.id().as_str());
    });
}

#[test]
fn a_crash_fails_the_task_and_nothing_else() {
    let (app, tasks) = app();
    app.serve(async {
        let error = tasks
            .abort
            .delay(())
            .await
            .unwrap()
            .get(PATIENCE)
            .await
            .unwrap_err();
        let GetError::Failed { exception, .. } = error else {
            panic!("{error}");
        };
        assert_eq!(exception.exc_type, "WorkerLostError");
        assert!(
            exception.message.contains("SIGABRT"),
            "{}",
            exception.message
        );
        tasks
            .pid
            .delay(())
            .await
            .unwrap()
            .get(PATIENCE)
            .await
            .unwrap();
    });
}

/// Sends `hang`, and returns its result and the line to its process, once it runs. Its time limit counts the start of its
/// child: one that never ran is sent again.
async fn hanging(task: &Task<(PathBuf,), ()>) -> (AsyncResult<()>, UnixStream) {
    loop {
        let dir = tempfile::TempDir::new().unwrap();
        let meeting = dir.path().join("meeting");
        let listener = UnixListener::bind(&meeting).unwrap();
        let result = task.delay(meeting).await.unwrap();
        tokio::select! {
            biased;
            line = listener.accept() => {
                let line = line.unwrap().0.into_std().unwrap();
                line.set_nonblocking(false).unwrap();
                line.set_read_timeout(Some(PATIENCE)).unwrap();
                return (result, line);
            }
            ended = result.get(PATIENCE) => check_failed(&ended.unwrap_err(), "TimeLimitExceeded"),
        }
    }
}

/// Waits for the end of the process on the other side.
fn gone(mut line: UnixStream) {
    assert_eq!(line.read(&mut [0]).unwrap(), 0);
}

#[test]
fn a_time_limit_kills_it() {
    let (app, mut tasks) = app();
    tasks.hang = tasks.hang.time_limit(Duration::from_secs(1));
    app.serve(async {
        let (result, line) = hanging(&tasks.hang).await;
        let error = result.get(PATIENCE).await.unwrap_err();
        assert!(error.to_string().contains("TimeLimitExceeded"), "{error}");
        gone(line);
    });
}

#[test]
fn a_revocation_kills_it() {
    let (app, tasks) = app();
    app.serve(async {
        let (result, line) = hanging(&tasks.hang).await;
        result.revoke(Revocation::Terminate).await.unwrap();
        assert!(matches!(
            result.get(PATIENCE).await,
            Err(GetError::Revoked { .. })
        ));
        gone(line);
    });
}

#[test]
#[should_panic(expected = "children of the process lane run plain functions only")]
fn an_async_fn_is_no_task_for_it() {
    let _ = Tasks::new().register("sleeps", On::<PROCESSES, _>(async || ()));
}
