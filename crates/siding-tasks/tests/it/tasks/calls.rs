//! Calls of one task: arguments, results, errors.

use std::collections::BTreeMap;

use siding_tasks::{
    BrokerError, Exchange, GetError, RawJson, SendError, State, TaskContext, TaskError, Tasks,
};

use super::app::App;
use crate::support::{PATIENCE, json};

async fn add(x: i64, y: i64) -> i64 {
    x + y
}

fn halve(x: u32) -> Result<u32, std::num::ParseIntError> {
    match x % 2 {
        0 => Ok(x / 2),
        _ => "odd".parse(),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "a task owns its arguments")]
fn names(context: TaskContext, greeting: String, name: Option<String>) -> String {
    format!("{}: {greeting} {name:?}", context.name())
}

#[test]
fn an_async_task_returns_its_result() {
    let app = App::new();
    let add = app.tasks.register("add", add);
    app.serve(async {
        let result = add.delay((2, 3)).await.unwrap();
        assert_eq!(result.get(PATIENCE).await.unwrap(), 5);
        assert_eq!(result.state().await.unwrap(), State::Success);
    });
}

/// A step of a workflow that is for one is left out, and the steps before it have ended.
#[test]
fn the_embedded_store_has_no_exchanges() {
    let app = App::new();
    let add = app.tasks.register("add", add);
    app.serve(async {
        let call = add.apply_async((2, 3));
        let sent = call.exchange(Exchange::direct("shop"), "one").await;
        let Err(SendError::Broker(BrokerError::Unsupported(why))) = sent else {
            panic!("{sent:?}");
        };
        assert!(why.contains("direct://shop/one"), "{why}");
        let first = add.s((2, 3)).task_id("first");
        let chain = first | add.s((1,)).broadcast("reload");
        chain.delay().await.unwrap();
        let first = app.tasks.result::<i64>("first");
        assert_eq!(first.get(PATIENCE).await.unwrap(), 5);
        let call = add.apply_async((2, 3)).broadcast("reload");
        let result = call.queue("celery").await.unwrap();
        assert_eq!(result.get(PATIENCE).await.unwrap(), 5);
    });
}

#[test]
fn a_plain_task_runs_on_the_thread_lane() {
    let app = App::new();
    let where_am_i = app
        .tasks
        .register("where", || std::thread::current().name().map(str::to_owned));
    let handle = app.runtime.handle().clone();
    app.serve(async {
        let result = where_am_i.delay(()).await.unwrap();
        let name = result.get(PATIENCE).await.unwrap();
        assert!(name.is_some_and(|name| name.contains("thread")));
    });
    // A job is counted as completed only after its caller has heard, so that may be yet to come.
    let lanes = handle.lanes();
    assert_eq!(lanes.map(|lane| lane.admitted), [1, 0, 0]);
    let routes = handle.routes().all();
    assert!(routes.iter().any(|route| route.spec().name == "task where"));
}

#[test]
fn an_error_comes_back_with_its_type_and_text() {
    let app = App::new();
    let halve = app.tasks.register("halve", halve);
    app.serve(async {
        assert_eq!(
            halve.delay(8).await.unwrap().get(PATIENCE).await.unwrap(),
            4
        );
        let error = halve
            .delay(7)
            .await
            .unwrap()
            .get(PATIENCE)
            .await
            .unwrap_err();
        let GetError::Failed { exception, .. } = error else {
            panic!("{error}");
        };
        assert_eq!(exception.exc_type, "ParseIntError");
        assert_eq!(exception.message, "invalid digit found in string");
    });
}

#[test]
fn a_panic_is_a_failure_with_its_message() {
    let app = App::new();
    let plain = app
        .tasks
        .register("plain", |n: u8| -> u8 { panic!("plain {n}") });
    let poll = app
        .tasks
        .register("poll", async |n: u8| -> u8 { panic!("poll {n}") });
    app.serve(async {
        for (task, text) in [
            (plain.delay(1).await, "plain 1"),
            (poll.delay(2).await, "poll 2"),
        ] {
            let error = task.unwrap().get(PATIENCE).await.unwrap_err();
            let GetError::Failed { exception, .. } = error else {
                panic!("{error}");
            };
            assert_eq!((&*exception.exc_type, &*exception.message), ("Panic", text));
        }
    });
}

#[test]
fn arguments_may_come_by_name_once_they_have_names() {
    let app = App::new();
    let _names = app
        .tasks
        .register("names", names)
        .arguments(["greeting", "name"]);
    app.serve(async {
        let kwargs = [
            ("name".to_owned(), json(r#""Ada""#)),
            ("greeting".to_owned(), json(r#""hi""#)),
        ];
        let result = app
            .tasks
            .send_task::<String>("names", vec![], kwargs)
            .await
            .unwrap();
        assert_eq!(
            result.get(PATIENCE).await.unwrap(),
            r#"names: hi Some("Ada")"#
        );
        let result = app
            .tasks
            .send_task::<String>("names", vec![json(r#""ho""#)], [])
            .await
            .unwrap();
        assert_eq!(result.get(PATIENCE).await.unwrap(), "names: ho None");
    });
}

/// What is wrong with a call of `names`, as its sender sees it.
#[track_caller]
fn check_refused(args: &[&str], kwargs: &[(&str, &str)], named: bool, expected: &str) {
    let app = App::new();
    let task = app.tasks.register("names", names);
    if named {
        let _ = task.arguments(["greeting", "name"]);
    }
    let args: Vec<RawJson> = args.iter().map(|text| json(text)).collect();
    let kwargs: BTreeMap<String, RawJson> = kwargs
        .iter()
        .map(|(name, text)| ((*name).to_owned(), json(text)))
        .collect();
    let error = app.serve(async {
        let result = app
            .tasks
            .send_task::<String>("names", args, kwargs)
            .await
            .unwrap();
        result.get(PATIENCE).await.unwrap_err()
    });
    let GetError::Failed { exception, .. } = error else {
        panic!("{error}");
    };
    assert_eq!(exception.exc_type, "TypeError");
    assert!(
        exception.message.contains(expected),
        "{}",
        exception.message
    );
}

#[test]
fn wrong_arguments_are_named() {
    check_refused(
        &["1"],
        &[],
        true,
        r#"argument "greeting" is no alloc::string::String"#,
    );
    check_refused(&[], &[], true, r#"argument "greeting" is missing"#);
    check_refused(&[], &[], false, "argument 1 is missing");
    check_refused(
        &["1", "2", "3"],
        &[],
        true,
        "takes 2 positional arguments but 3 were given",
    );
    check_refused(
        &[r#""a""#],
        &[("greeting", "1")],
        true,
        r#"multiple values for argument "greeting""#,
    );
    check_refused(
        &[],
        &[("nme", "1")],
        true,
        r#"unexpected keyword argument "nme"; it knows greeting, name"#,
    );
    check_refused(&[], &[("name", "1")], false, "its arguments have no names");
}

#[test]
fn an_unknown_task_fails_and_can_be_sent_again_later() {
    let app = App::new();
    let task = app.tasks.clone();
    app.serve(async {
        let result = task
            .send_task::<i64>("later", vec![json("1")], [])
            .await
            .unwrap();
        let error = result.get(PATIENCE).await.unwrap_err();
        let GetError::Failed { exception, .. } = error else {
            panic!("{error}");
        };
        assert_eq!(exception.exc_type, "NotRegistered");
        let _ = task.register("later", |n: i64| n + 1);
        let broker = task.broker().unwrap();
        assert!(broker.replay(result.id().clone()).await.unwrap());
        assert_eq!(result.get(PATIENCE).await.unwrap(), 2);
    });
}

#[test]
fn sending_before_connecting_says_so() {
    let tasks = Tasks::new();
    let add = tasks.register("add", add);
    let error = crate::support::block_on(async { add.delay((1, 2)).await.unwrap_err() });
    assert!(matches!(error, SendError::NotConnected));
    assert!(error.to_string().contains("not connected to a broker yet"));
}

#[test]
#[should_panic(expected = "two tasks are registered as \"add\"")]
fn a_name_is_taken_once() {
    let tasks = Tasks::new();
    let _ = tasks.register("add", add);
    let _ = tasks.register("add", add);
}

#[test]
#[should_panic(expected = "whose error is no error")]
fn a_result_whose_error_would_be_a_success_is_refused() {
    let _ = Tasks::new().register("text", || -> Result<u8, String> { Err("lost".to_owned()) });
}

#[test]
fn a_unique_key_yields_the_task_that_is_there() {
    let app = App::new();
    let add = app.tasks.register("add", add);
    app.run(async {
        let first = add.apply_async((1, 1)).unique("once").await.unwrap();
        let second = add.apply_async((2, 2)).unique("once").await.unwrap();
        assert!(!first.is_duplicate());
        assert!(second.is_duplicate());
        assert_eq!(first.id(), second.id());
    });
}

#[test]
fn a_task_sent_by_a_task_is_its_child() {
    let app = App::new();
    let add = app.tasks.register("add", add);
    let inner = add.clone();
    let outer = app.tasks.register("outer", move |n: i64| {
        let add = inner.clone();
        async move { Ok::<_, TaskError>(add.delay((n, n)).await?.id().to_string()) }
    });
    app.serve(async {
        let result = outer.delay(4).await.unwrap();
        let child = result.get(PATIENCE).await.unwrap();
        assert_eq!(
            app.tasks
                .result::<i64>(child.clone())
                .get(PATIENCE)
                .await
                .unwrap(),
            8
        );
        let parent = app
            .tasks
            .result::<i64>(child.clone())
            .parent()
            .await
            .unwrap();
        assert_eq!(parent.as_ref(), Some(result.id()));
        assert_eq!(result.children().await.unwrap(), [child.into()]);
    });
}
