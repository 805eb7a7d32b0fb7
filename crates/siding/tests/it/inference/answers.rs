//! What is asked and answered: typed tensors, and answers that are no use.

use siding::inference::{Client, DataType, InferErrorKind, Request, Tensor};

use super::fake::{Fake, Mood};
use super::{Caller, question};

#[test]
fn tensors_go_there_and_back() {
    let fake = Fake::start();
    let caller = Caller::new(&[&fake], |builder| builder);
    let pictures: Vec<f32> = (0..6_000_u16).map(f32::from).collect();
    let request = Request::new("any model/é")
        .input(Tensor::new("pictures", [2, 3, 1_000], &pictures).expect("fits"))
        .input(Tensor::strings("names", [2], ["", "Zoë"]).expect("fits"))
        .input(Tensor::new("none", [0, 5], &[0_i64; 0]).expect("fits"))
        .input(Tensor::from_bytes("half", [1], DataType::Fp16, &[0, 0x3c][..]).expect("fits"));
    let answer = caller
        .runtime
        .block_on(caller.client.infer(request.clone()));
    let answer = answer.expect("is answered");
    assert_eq!(
        (answer.model(), answer.version()),
        ("any model/é", Some("7"))
    );
    let output = answer.output("pictures").expect("is there");
    assert_eq!(output.shape(), [2, 3, 1_000]);
    assert_eq!(output.values::<f32>().expect("floats"), pictures);
    let names = answer.output("names").expect("is there");
    assert_eq!(names.byte_strings().expect("strings"), ["", "Zoë"]);
    let half = answer.output("half").expect("is there");
    assert_eq!(half.bytes(), &[0, 0x3c][..]);
    assert_eq!(answer.outputs().len(), 4);
    let missing = answer.output("more").expect_err("is not there").to_string();
    assert_eq!(missing, "models: model `any model/é` has no output `more`");
}

#[test]
fn a_refused_question_is_told_from_a_service_that_fails() {
    let fake = Fake::start();
    let caller = Caller::new(&[&fake], |builder| builder);
    let said = r#"{"error":"unknown model"}"#.to_owned();
    fake.is_in(Mood::Say(404, &[], said));
    for _ in 0..10 {
        let rejected = InferErrorKind::Rejected {
            status: 404,
            message: "unknown model".to_owned(),
        };
        assert_eq!(caller.failure(), rejected);
    }
    assert_eq!(caller.states(), ["closed"], "who refuses a question works");
}

#[test]
fn answers_that_make_no_sense_are_failures_of_the_replica() {
    let fake = Fake::start();
    let caller = Caller::new(&[&fake], |builder| {
        builder.ejection(
            1_000,
            std::time::Duration::from_secs(1),
            std::time::Duration::from_secs(1),
        )
    });
    for (headers, body, words) in [
        (&[][..], "no JSON", "makes no sense"),
        (&[], r#"{"outputs":7}"#, "makes no sense"),
        (
            &[("inference-header-content-length", "99")],
            "{}",
            "longer than all of it",
        ),
        (
            &[("inference-header-content-length", "x")],
            "{}",
            "longer than all of it",
        ),
        (
            &[],
            r#"{"outputs":[{"name":"x","shape":[18446744073709551615,2],"datatype":"FP32","data":[1]}]}"#,
            "more values than can be counted",
        ),
    ] {
        fake.is_in(Mood::Say(200, headers, body.to_owned()));
        match caller.failure() {
            InferErrorKind::Failed(why) => assert!(why.contains(words), "{why}"),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(caller.client.snapshot().replicas[0].failures, 5);
}

#[test]
fn an_answer_is_read_no_further_than_the_limit() {
    let fake = Fake::start();
    let caller = Caller::new(&[&fake], |builder| builder.answer_bytes_max(1_000));
    assert_eq!(caller.ask_often(1), 1);
    fake.is_in(Mood::Say(200, &[], "x".repeat(100_000_000)));
    match caller.failure() {
        InferErrorKind::Failed(why) => {
            assert!(why.ends_with("answered with more than 1000 bytes"), "{why}");
        }
        other => panic!("{other:?}"),
    }
    fake.is_in(Mood::Say(500, &[], "x".repeat(100_000_000)));
    assert!(
        matches!(caller.failure(), InferErrorKind::Failed(why) if why.ends_with("more than is read"))
    );
}

#[test]
fn connections_are_used_again() {
    let fake = Fake::start();
    let caller = Caller::new(&[&fake], |builder| builder);
    assert_eq!(caller.ask_often(50), 50);
    assert_eq!(fake.executions(), 50);
    // A request that comes before the last one's connection is back begins a connection, and then both are kept.
    assert!(fake.connections() <= 5, "{}", fake.connections());
}

#[test]
fn a_plain_function_asks_too() {
    let fake = Fake::start();
    let caller = Caller::new(&[&fake], |builder| builder);
    let client = caller.client.clone();
    let asking = caller.runtime.handle().threads().run(
        siding::runtime::WorkContext::new(siding::runtime::RouteId::OFFLOAD),
        move || client.infer_blocking(question()),
    );
    let answer = caller.runtime.block_on(asking).expect("runs");
    assert_eq!(answer.expect("is answered").version(), Some("7"));
}

#[test]
fn settings_that_make_no_sense_are_refused_without_their_password() {
    let client = || Client::builder("models").replica("http://127.0.0.1");
    let wrong = [
        (Client::builder("models"), "at least 1 replica"),
        (client().replica("ftp://me:hush@x"), "number 2"),
        (
            client().replica("http://me:hush@127.0.0.1"),
            "number 2) that it has already",
        ),
        (client().concurrency(0), "under way"),
        (client().retry_ratio(f32::NAN), "from 0 to 1 retries"),
        (client().deadline(std::time::Duration::ZERO), "deadline"),
    ];
    for (builder, words) in wrong {
        let error = builder.build().expect_err("makes no sense").to_string();
        assert!(error.contains(words) && !error.contains("hush"), "{error}");
    }
}
