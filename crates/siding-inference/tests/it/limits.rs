//! Requests that are too many or too late, and models that panic. The models here do what the test says.

use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use serde_json::json;
use siding::{Drained, Running};
use siding_inference::protocol::{Datatype, Tensor, TensorMetadata};
use siding_inference::runtime::{LoadError, LoadOptions, Model, RunError};
use siding_inference::{Runtime, Service};

use crate::support::{DEADLINE, Reply, eventually, get, post, settings};

const INFER: &str = "/v2/models/echo/infer";

/// A runtime whose models give back what they take, each run once it is let.
#[derive(Debug)]
struct Held(Arc<Gate>);

/// Where runs wait.
#[derive(Debug)]
struct Gate {
    began: Mutex<Sender<()>>,
    let_go: Mutex<Receiver<()>>,
}

/// The test's side of the gate.
struct Keeper {
    began: Receiver<()>,
    let_go: Sender<()>,
}

fn gate() -> (Arc<Gate>, Keeper) {
    let (began, has_begun) = channel();
    let (let_go, may_go) = channel();
    let gate = Gate {
        began: Mutex::new(began),
        let_go: Mutex::new(may_go),
    };
    let keeper = Keeper {
        began: has_begun,
        let_go,
    };
    (Arc::new(gate), keeper)
}

impl Runtime for Held {
    fn name(&self) -> &'static str {
        "held"
    }

    fn load(&self, file: &Path, _: LoadOptions) -> Result<Arc<dyn Model>, LoadError> {
        assert!(
            !file.to_string_lossy().contains("panics_when_loaded"),
            "the runtime is broken"
        );
        Ok(Arc::new(Echo {
            gate: Arc::clone(&self.0),
            inputs: [metadata("x")],
            outputs: [metadata("y")],
        }))
    }
}

fn metadata(name: &str) -> TensorMetadata {
    TensorMetadata {
        name: name.to_owned(),
        datatype: Datatype::Uint8,
        shape: vec![1],
    }
}

#[derive(Debug)]
struct Echo {
    gate: Arc<Gate>,
    inputs: [TensorMetadata; 1],
    outputs: [TensorMetadata; 1],
}

impl Model for Echo {
    fn inputs(&self) -> &[TensorMetadata] {
        &self.inputs
    }

    fn outputs(&self) -> &[TensorMetadata] {
        &self.outputs
    }

    fn run(&self, inputs: &[Tensor]) -> Result<Vec<Tensor>, RunError> {
        // Whoever has dropped the keeper holds nothing.
        if self
            .gate
            .began
            .lock()
            .expect("nobody panics with it")
            .send(())
            .is_ok()
        {
            let _ = self
                .gate
                .let_go
                .lock()
                .expect("nobody panics with it")
                .recv_timeout(DEADLINE);
        }
        let input = &inputs[0];
        assert!(input.data()[..] != [13], "the model is broken");
        let output = Tensor::new(
            "y",
            Datatype::Uint8,
            input.shape().clone(),
            input.data().clone(),
        );
        Ok(vec![output.expect("as long as the input")])
    }
}

/// Serves `echo`, of which one request runs and one waits.
fn serve(gate: Arc<Gate>, models: &Path) -> Running {
    for model in ["echo", "panics_when_loaded"] {
        let folder = models.join(model);
        std::fs::create_dir_all(folder.join("1")).expect("made");
        std::fs::write(folder.join("1/model.onnx"), b"").expect("written");
        let config =
            "runtime = \"held\"\nwarm_up = 0\ninstances = 1\n[batching]\nwaiting_max = 1\n";
        std::fs::write(folder.join("model.toml"), config).expect("written");
    }
    let mut service = Service::new(models);
    service.runtimes.push(Arc::new(Held(gate)));
    service
        .app()
        .with_settings(settings())
        .start()
        .expect("starts")
}

fn question(value: u8, timeout_us: u64) -> Vec<u8> {
    let input = json!({ "name": "x", "shape": [1], "datatype": "UINT8", "data": [value] });
    json!({ "inputs": [input], "parameters": { "timeout": timeout_us } })
        .to_string()
        .into_bytes()
}

fn value(reply: &Reply) -> Option<u64> {
    reply.body["outputs"][0]["data"][0].as_u64()
}

#[test]
fn who_is_too_many_is_refused_at_once_and_told_when_to_come_back() {
    let models = tempfile::tempdir().expect("made");
    let (gate, keeper) = gate();
    let running = serve(gate, models.path());
    let address = running.address();
    std::thread::scope(|scope| {
        let first = scope.spawn(|| post(address, INFER, &question(1, 0)));
        keeper.began.recv_timeout(DEADLINE).expect("it runs");
        // Nobody sees from outside that one waits, but that the next is refused.
        let others =
            [2, 3].map(|value| scope.spawn(move || post(address, INFER, &question(value, 0))));
        let refused = eventually("one is refused", || {
            others.iter().position(|other| other.is_finished())
        });
        let mut others = others.map(Some);
        let refused = others[refused]
            .take()
            .expect("is there")
            .join()
            .expect("answered");
        assert_eq!(refused.status, 503, "{refused:?}");
        assert_eq!(refused.header("retry-after").as_deref(), Some("1"));
        assert_eq!(
            refused.body["error"],
            "too many requests wait for the model"
        );
        assert_eq!(get(address, "/v2/health/live").status, 200);
        keeper.let_go.send(()).expect("it waits");
        assert_eq!(value(&first.join().expect("answered")), Some(1));
        keeper.began.recv_timeout(DEADLINE).expect("the other runs");
        keeper.let_go.send(()).expect("it waits");
        let waited = others.into_iter().flatten().next().expect("is there");
        assert_eq!(waited.join().expect("answered").status, 200);
    });
    assert_eq!(running.drain(std::future::pending()), Drained::Complete);
}

#[test]
fn who_is_late_is_told_so_although_the_model_is_busy_and_is_never_run() {
    let models = tempfile::tempdir().expect("made");
    let (gate, keeper) = gate();
    let running = serve(gate, models.path());
    let address = running.address();
    std::thread::scope(|scope| {
        let first = scope.spawn(|| post(address, INFER, &question(1, 0)));
        keeper.began.recv_timeout(DEADLINE).expect("it runs");
        let late = post(address, INFER, &question(2, 1_000));
        assert_eq!(late.status, 504, "{late:?}");
        let words = late.body["error"].as_str().expect("an error");
        assert!(words.contains("the deadline passed"), "{words}");
        keeper.let_go.send(()).expect("it waits");
        assert_eq!(value(&first.join().expect("answered")), Some(1));
        // Its place is free again, and it is not what runs next.
        let next = scope.spawn(|| post(address, INFER, &question(3, 0)));
        keeper.began.recv_timeout(DEADLINE).expect("it runs");
        keeper.let_go.send(()).expect("it waits");
        assert_eq!(value(&next.join().expect("answered")), Some(3));
    });
    assert!(keeper.began.try_recv().is_err(), "the late one was run");
    assert_eq!(running.drain(std::future::pending()), Drained::Complete);
}

#[test]
fn a_panic_is_one_requests_failure_and_one_models() {
    let models = tempfile::tempdir().expect("made");
    let (gate, keeper) = gate();
    drop(keeper);
    let running = serve(gate, models.path());
    let address = running.address();
    let broken = post(address, INFER, &question(13, 0));
    assert_eq!(broken.status, 500, "{broken:?}");
    let error = broken.body["error"].as_str().expect("an error");
    assert!(
        !error.contains("is broken"),
        "details are for the log: {error}"
    );
    let reply = post(address, INFER, &question(7, 0));
    assert_eq!(value(&reply), Some(7), "{reply:?}");
    let not_loaded = get(address, "/v2/models/panics_when_loaded/ready");
    assert_eq!(not_loaded.status, 503, "{not_loaded:?}");
    assert_eq!(running.drain(std::future::pending()), Drained::Complete);
}
