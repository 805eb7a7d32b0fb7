//! Calls by `delay`, `apply_async` and `send_task`, and what their results say.

use std::sync::Arc;

use serde_json::{Value, json};

use super::app::{self, Marks};
use crate::fleet::{Client, Fleet, Over, Running};

#[test]
fn celery_5_7_gets_results() {
    Fleet::on_redis("5.7", calls);
}

#[test]
fn celery_5_4_gets_results() {
    Fleet::on_redis("5.4", calls);
}

#[test]
fn celery_5_7_gets_results_over_rabbitmq() {
    Fleet::over(Over::RabbitMq, "5.7", calls);
}

#[test]
fn celery_5_4_gets_results_over_rabbitmq() {
    Fleet::over(Over::RabbitMq, "5.4", calls);
}

#[test]
fn celery_5_7_gets_results_of_rabbitmq_from_redis() {
    Fleet::over(Over::RabbitMqAndRedis, "5.7", calls);
}

async fn calls(fleet: Arc<Fleet>) {
    let marks = app::register(&fleet);
    let worker = Running::start(fleet.worker().track_started());
    let mut client = fleet.client();
    calls_return(&mut client).await;
    values_of_every_kind_come_back(&mut client).await;
    results_say_what_became_of_it(&mut client).await;
    results_of_groups_are_gathered(&mut client).await;
    if fleet.space.over.keeps_results() {
        results_are_kept_until_they_are_forgotten(&mut client).await;
    }
    failures_are_raised(&mut client).await;
    wrong_calls_are_explained(&mut client).await;
    a_running_task_is_started(&mut client, &marks).await;
    ignored_results_are_not_kept(&mut client).await;
    worker.stop().await;
}

async fn calls_return(client: &mut Client) {
    let script = "
        add = signature('rust.add')
        out = [
            get(add.delay(1, 2)),
            get(add.apply_async((1,), {'y': 5})),
            get(app.send_task('rust.add', kwargs={'x': 3, 'y': 4})),
            get(add.clone((10, 20)).apply_async(task_id='an-id-of-its-own', priority=9, headers={'x': 1})),
            get(add.apply_async((2, 2), compression='gzip', expires=60, countdown=0.01, time_limit=30, soft_time_limit=20.5,
                            argsrepr='(…)', shadow='other', retries=1)),
            get(app.send_task('rust.about', task_id='root')),
        ]
    ";
    assert_eq!(
        client.run(script).await,
        json!([3, 6, 7, 30, 4, ["root", "root", null]])
    );
}

async fn values_of_every_kind_come_back(client: &mut Client) {
    let script = r#"
        import datetime, decimal, math, uuid
        values = [None, True, -1, 10**200, 1.5, 1e300, '', 'ünï ☃ \0 "', '\ud83d', [], {}, {'': [{'a': [[]]}]}]
        marked = [datetime.datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=datetime.timezone.utc), datetime.date(2026, 1, 2),
                  datetime.time(1, 2), decimal.Decimal('1.50'), uuid.UUID(int=1), b'abc', b'\x00\xff', math.inf, -math.inf]
        echo = lambda value: get(app.send_task('rust.echo', (value,)))
        wrong = [repr(value) for value in values + marked if echo(value) != value]
        types = get(app.send_task('rust.types', (marked[0], b'\x00\xff', math.nan), {'decimal': decimal.Decimal('0.10')}))
        at, some_bytes, number, was_nan = types.pop('back')
        out = [wrong, math.isnan(echo(math.nan)), types, at == marked[0], some_bytes == b'\x00\xff', math.isnan(number), was_nan]
    "#;
    let types =
        json!({"at": "2026-01-02T03:04:05.678000+00:00", "bytes": [0, 255], "decimal": "0.10"});
    assert_eq!(
        client.run(script).await,
        json!([[], true, types, true, true, true, true])
    );
}

async fn results_say_what_became_of_it(client: &mut Client) {
    let script = "
        result = app.send_task('rust.add', (1, 2))
        unknown = AsyncResult('nobody')
        value = get(result)
        out = [value, result.state, result.ready(), result.successful(), result.failed(), result.traceback, result.children,
               result.date_done.tzinfo is not None, unknown.state, unknown.result]
    ";
    let expected = json!([
        3,
        "SUCCESS",
        true,
        true,
        false,
        null,
        [],
        true,
        "PENDING",
        null
    ]);
    assert_eq!(client.run(script).await, expected);
}

async fn results_of_groups_are_gathered(client: &mut Client) {
    let script = "
        add = signature('rust.add')
        many = group(add.clone((n, n)) for n in range(10)).apply_async()
        values = get(many)
        some = ResultSet([add.delay(1, 1), add.delay(2, 2)])
        out = [values, many.successful(), many.completed_count(), [get(one) for one in some]]
    ";
    let doubles: Vec<_> = (0..10).map(|number| 2 * number).collect();
    assert_eq!(client.run(script).await, json!([doubles, true, 10, [2, 4]]));
}

/// Anybody who has the id can ask for them, as often as they like.
async fn results_are_kept_until_they_are_forgotten(client: &mut Client) {
    let script = "
        add = signature('rust.add')
        many = group(add.clone((n, n)) for n in range(3)).apply_async()
        values = get(many)
        many.save()
        again = GroupResult.restore(many.id, app=app)
        one = add.delay(1, 1)
        out = [values, get(again), get(one), get(AsyncResult(one.id))]
        one.forget()
        out.append(one.state)
    ";
    let expected = json!([[0, 2, 4], [0, 2, 4], 2, 2, "PENDING"]);
    assert_eq!(client.run(script).await, expected);
}

async fn failures_are_raised(client: &mut Client) {
    let script = "
        def raised(*args):
            result = app.send_task('rust.fail', args)
            try:
                return get(result)
            except Exception as error:
                return [type(error).__mro__[1].__name__, type(error).__module__, repr(error), result.state, result.traceback]
        quiet = app.send_task('rust.fail', ('KeyError', 'x'))
        out = [raised('ValueError', 'no'), raised('OutOfCheese', \"it's\"), repr(get(quiet, propagate=False)),
               isinstance(quiet.result, KeyError)]
    ";
    let traceback = "in src/lib.rs, line 7";
    let expected = json!([
        [
            "Exception",
            "builtins",
            "ValueError('no')",
            "FAILURE",
            traceback
        ],
        [
            "Exception",
            "celery.exceptions",
            "OutOfCheese(\"it's\")",
            "FAILURE",
            traceback
        ],
        "KeyError('x')",
        true
    ]);
    assert_eq!(client.run(script).await, expected);
}

async fn wrong_calls_are_explained(client: &mut Client) {
    let script = "
        def raised(*args, **options):
            try:
                return get(app.send_task(*args, **options))
            except Exception as error:
                return [type(error).__name__, str(error)]
        out = [raised('rust.add', (1, 2, 3)), raised('rust.add', (1,), {'z': 2}), raised('rust.add', (1, 'x')),
               raised('rust.nobody_knows', queue='rust')]
    ";
    let answers: Vec<(String, String)> = serde_json::from_value(client.run(script).await).unwrap();
    let types: Vec<_> = answers.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(
        types,
        ["TypeError", "TypeError", "TypeError", "NotRegistered"],
        "{answers:?}"
    );
    assert_eq!(
        answers[0].1,
        "rust.add() takes 2 positional arguments but 3 were given"
    );
    assert!(
        answers[1].1.contains("unexpected keyword argument"),
        "{answers:?}"
    );
    assert!(answers[3].1.contains("rust.nobody_knows"), "{answers:?}");
}

async fn a_running_task_is_started(client: &mut Client, marks: &Marks) {
    client.run("app.runs = app.send_task('rust.gate')").await;
    marks.gate_began().await;
    let script = "
        info = until(app.runs, 'STARTED')['result']
        out = [sorted(info), info['hostname']]
    ";
    assert_eq!(
        client.run(script).await,
        json!([["hostname", "pid"], "rust@test"])
    );
    marks.gate.0.add_permits(1);
    assert_eq!(client.run("out = get(app.runs)").await, json!("through"));
}

async fn ignored_results_are_not_kept(client: &mut Client) {
    let script = "
        ignored = app.send_task('rust.add', (1, 1), ignore_result=True)
        # The worker's end of the next one comes after the start of the first, which is enough for one that keeps nothing.
        get(app.send_task('rust.add', (1, 1)))
        out = AsyncResult(ignored.id).state
    ";
    assert_eq!(client.run(script).await, Value::from("PENDING"));
}
