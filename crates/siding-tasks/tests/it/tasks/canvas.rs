//! Chains, groups and chords: known ones, and random ones against their direct evaluation.

use proptest::prelude::*;
use serde_json::{Value, json};
use siding_tasks::{Canvas, GetError, RawJson, State, Task, TaskError, chain, chord, group};

use super::app::App;
use crate::support::PATIENCE;

type Add = Task<(i64, i64), i64>;
type Sum = Task<(Vec<i64>,), i64>;

fn tasks(app: &App) -> (Add, Sum) {
    let add = app.tasks.register("add", async |x: i64, y: i64| x + y);
    let sum = app
        .tasks
        .register("sum", |list: Vec<i64>| list.iter().sum::<i64>());
    (add, sum)
}

#[test]
fn a_chain_hands_results_on() {
    let app = App::new();
    let (add, _) = tasks(&app);
    app.serve(async {
        let canvas = add.s((1, 2)) | add.s((10,)) | add.si((7, 7)) | add.s((100,));
        let result = canvas.delay().await.unwrap();
        assert_eq!(result.get(PATIENCE).await.unwrap(), 114);
        assert!(result.parent().await.unwrap().is_some());
    });
}

#[test]
fn tasks_that_are_known_by_name_alone_are_parts_too() {
    let app = App::new();
    let (add, _) = tasks(&app);
    app.serve(async {
        let one = vec![RawJson::of(&1).unwrap()];
        let canvas = add.s((1, 2)) | app.tasks.signature::<i64>("add", one.clone(), []);
        assert_eq!(
            canvas.delay().await.unwrap().get(PATIENCE).await.unwrap(),
            4
        );
        let unknown = app.tasks.signature::<i64>("python.add", one, []);
        let error = unknown.delay().await.unwrap().get(PATIENCE).await;
        let GetError::Failed { exception, .. } = error.unwrap_err() else {
            panic!("nobody has it");
        };
        assert_eq!(exception.exc_type, "NotRegistered");
    });
}

#[test]
fn a_group_has_all_results_in_order() {
    let app = App::new();
    let (add, _) = tasks(&app);
    app.serve(async {
        let result = group((0..5).map(|n| add.s((n, n)))).delay().await.unwrap();
        assert_eq!(result.get(PATIENCE).await.unwrap(), [0, 2, 4, 6, 8]);
        assert_eq!(result.states().await.unwrap(), [State::Success; 5]);
        assert_eq!(result.completed().await.unwrap(), 5);
    });
}

#[test]
fn a_chord_runs_its_body_with_all_results() {
    let app = App::new();
    let (add, sum) = tasks(&app);
    app.serve(async {
        let canvas = chord((0..5).map(|n| add.s((n, n))), sum.s(()) | add.s((1,)));
        assert_eq!(
            canvas.delay().await.unwrap().get(PATIENCE).await.unwrap(),
            21
        );
        let upgraded = add.s((1, 1)).then_group(group([add.s((1,)), add.s((2,))])) | sum.s(());
        assert_eq!(
            upgraded.delay().await.unwrap().get(PATIENCE).await.unwrap(),
            7
        );
    });
}

#[test]
fn a_chord_fails_with_its_first_part_and_calls_its_errbacks() {
    let app = App::new();
    let (add, sum) = tasks(&app);
    let fails = app
        .tasks
        .register("fails", |_n: i64| Err::<i64, _>(TaskError::new("no")));
    let (said, heard) = std::sync::mpsc::channel();
    let tell = app
        .tasks
        .register("tell", move |id: String| said.send(id).unwrap());
    app.serve(async {
        let body = sum.s(()).link_error(tell.s(()));
        let outer = chord(
            [chord([fails.s((1,)), add.s((1, 1))], body), add.s((2, 2))],
            sum.s(()),
        );
        let error = outer
            .delay()
            .await
            .unwrap()
            .get(PATIENCE)
            .await
            .unwrap_err();
        let GetError::Failed { exception, .. } = error else {
            panic!("{error}");
        };
        assert_eq!(exception.exc_type, "ChordError");
        let inner = heard.recv_timeout(PATIENCE).unwrap();
        let error = app
            .tasks
            .result::<i64>(inner)
            .get(PATIENCE)
            .await
            .unwrap_err();
        assert!(error.to_string().contains("ChordError"), "{error}");
    });
    assert!(heard.try_recv().is_err(), "errbacks are sent once");
}

#[test]
fn what_follows_a_failure_in_a_chain_fails_too() {
    let app = App::new();
    let (add, _) = tasks(&app);
    let fails = app
        .tasks
        .register("fails", |_n: i64| Err::<i64, _>(TaskError::new("no")));
    app.serve(async {
        let result = (fails.s((1,)) | add.s((1,)) | add.s((1,)))
            .delay()
            .await
            .unwrap();
        let error = result.get(PATIENCE).await.unwrap_err();
        assert!(error.to_string().contains("TaskError: no"), "{error}");
    });
}

#[test]
fn links_get_the_result_and_errbacks_the_id() {
    let app = App::new();
    let (add, _) = tasks(&app);
    let fails = app
        .tasks
        .register("fails", || Err::<i64, _>(TaskError::new("no")));
    let (said, heard) = std::sync::mpsc::channel();
    let tell = app
        .tasks
        .register("tell", move |what: Value| said.send(what).unwrap());
    app.serve(async {
        let _ = add.apply_async((2, 2)).link(tell.s(())).await.unwrap();
        assert_eq!(heard.recv_timeout(PATIENCE).unwrap(), json!(4));
        let failed = fails.apply_async(()).link_error(tell.s(())).await.unwrap();
        assert_eq!(
            heard.recv_timeout(PATIENCE).unwrap(),
            json!(failed.id().as_str())
        );
    });
}

/// A canvas to be evaluated both ways.
#[derive(Clone, Debug)]
enum Tree {
    Task { n: u64, immutable: bool },
    Chain(Vec<Self>),
    Group(Vec<Self>),
    Chord(Vec<Self>, Box<Self>),
}

/// Any function of its input and `n` that tells them apart.
fn mix(input: &Value, n: u64) -> u64 {
    let text = format!("{input} {n}");
    text.bytes()
        .fold(7, |hash, byte| (hash * 31 + u64::from(byte)) % 1_000_003)
}

impl Tree {
    fn size(&self) -> usize {
        match self {
            Self::Task { .. } => 1,
            Self::Chain(steps) => steps
                .iter()
                .rev()
                .map(Self::size)
                .find(|size| *size > 0)
                .unwrap_or(0),
            Self::Group(members) => members.iter().map(Self::size).sum(),
            Self::Chord(_, body) => body.size(),
        }
    }

    /// The results of its last tasks.
    fn evaluate(&self, input: &Value) -> Vec<u64> {
        match self {
            Self::Task { n, immutable: true } => vec![mix(&Value::Null, *n)],
            Self::Task { n, .. } => vec![mix(input, *n)],
            Self::Group(members) => members.iter().flat_map(|one| one.evaluate(input)).collect(),
            Self::Chord(header, body) => {
                let results: Vec<u64> = header.iter().flat_map(|one| one.evaluate(input)).collect();
                body.evaluate(&json!(results))
            }
            Self::Chain(steps) => {
                let mut steps = steps.iter().filter(|step| step.size() > 0);
                let Some(first) = steps.next() else {
                    return vec![];
                };
                let start = (first, first.evaluate(input));
                steps
                    .fold(start, |(before, results), step| {
                        let input = if before.is_single() {
                            json!(results[0])
                        } else {
                            json!(results)
                        };
                        (step, step.evaluate(&input))
                    })
                    .1
            }
        }
    }

    /// Whether its result is a value, not a list.
    fn is_single(&self) -> bool {
        match self {
            Self::Task { .. } => true,
            Self::Group(_) => false,
            Self::Chord(_, body) => body.is_single(),
            Self::Chain(steps) => steps
                .iter()
                .rev()
                .find(|step| step.size() > 0)
                .is_none_or(Self::is_single),
        }
    }

    fn canvas(&self, mix: &Task<(Value, Option<u64>), u64>) -> Canvas<u64> {
        let all = |list: &[Self]| list.iter().map(|one| one.canvas(mix)).collect::<Vec<_>>();
        match self {
            Self::Task { n, immutable } => {
                let canvas = mix.s((n,));
                if *immutable {
                    canvas.immutable()
                } else {
                    canvas
                }
            }
            // An empty one has to come from somewhere.
            Self::Chain(steps) if steps.is_empty() => Self::Group(vec![]).canvas(mix),
            Self::Chain(steps) => chain(all(steps)),
            Self::Group(members) if members.is_empty() => {
                let members = group([mix.s((0,))]).into_canvas().cast();
                emptied(members)
            }
            Self::Group(members) => group(all(members)).into_canvas().cast(),
            Self::Chord(header, body) => chord(all(header), body.canvas(mix)),
        }
    }
}

/// A group without its members.
fn emptied(group: Canvas<u64>) -> Canvas<u64> {
    group.map_signature(|signature| {
        let none = siding_tasks::RawJson::of(&[(); 0]).unwrap();
        signature.kwargs.insert("tasks".to_owned(), none);
    })
}

fn tree() -> impl Strategy<Value = Tree> {
    let leaf = (0..100_u64, any::<bool>()).prop_map(|(n, immutable)| Tree::Task { n, immutable });
    leaf.prop_recursive(4, 12, 3, |inner| {
        let list = prop::collection::vec(inner.clone(), 0..4);
        let body = inner.prop_filter("a chord has a body", |body| body.size() > 0);
        prop_oneof![
            list.clone().prop_map(Tree::Chain),
            list.clone().prop_map(Tree::Group),
            (list, body).prop_map(|(header, body)| Tree::Chord(header, Box::new(body))),
        ]
    })
}

#[test]
fn a_random_canvas_yields_what_its_direct_evaluation_does() {
    let app = App::new();
    let mix = app
        .tasks
        .register("mix", |first: Value, second: Option<u64>| match second {
            Some(n) => mix(&first, n),
            None => mix(&Value::Null, first.as_u64().unwrap_or(0)),
        });
    let worker = app.run(async { app.start(app.worker()) });
    let config = ProptestConfig {
        cases: 96,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    proptest!(config, |(tree in tree())| {
        let expected = tree.evaluate(&Value::Null);
        let results = app.run(async {
            let sent = group([tree.canvas(&mix)]).delay().await.unwrap();
            sent.get(PATIENCE).await.unwrap()
        });
        prop_assert_eq!(results, expected);
    });
    app.run(worker.stop());
}
