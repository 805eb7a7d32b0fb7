//! The runtimes beside each other, and what is told where one lacks something.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use bytes::Bytes;
use siding::Drained;
use siding_inference::Runtime;
use siding_inference::protocol::{Datatype, Shape, Tensor};
use siding_inference::runtime::{Device, LoadOptions, Model, OnnxRuntime, RunError, Tract};

use crate::support::{
    copy, get, leave_out, onnx_runtime_library, post, serve_with, shipped_models, test_models,
};

const ONE: LoadOptions = LoadOptions {
    device: Device::Cpu,
    threads: 1,
    instances: 1,
};

fn onnx_runtime() -> Option<OnnxRuntime> {
    let library = onnx_runtime_library();
    if library.is_none() {
        leave_out("no library of ONNX Runtime; tests/python/venv.sh brings one");
    }
    library.map(|library| OnnxRuntime {
        library: Some(library),
    })
}

fn load(runtime: &dyn Runtime, file: &Path) -> Arc<dyn Model> {
    runtime.load(file, ONE).expect("loads")
}

fn tensor(name: &str, datatype: Datatype, dims: [usize; 2], data: impl Into<Bytes>) -> Tensor {
    Tensor::new(name, datatype, Shape::from(dims.to_vec()), data.into()).expect("fits")
}

/// Inputs of every test model, by its name.
fn questions() -> [(&'static str, Vec<Tensor>); 4] {
    let floats: Bytes = [1.5_f32, -2.0, 3.0, 0.25, 5.0, 6.0, 7.0, f32::MIN]
        .map(f32::to_le_bytes)
        .concat()
        .into();
    let ints = [i64::MAX, -1, 0, 7].map(i64::to_le_bytes).concat();
    let strings = [&[1, 0, 0, 0, b'a', 6, 0, 0, 0], "größ".as_bytes()].concat();
    [
        (
            "add",
            ["a", "b"]
                .map(|name| tensor(name, Datatype::Fp32, [2, 4], floats.clone()))
                .to_vec(),
        ),
        ("ints", vec![tensor("x", Datatype::Int64, [2, 2], ints)]),
        (
            "halves",
            vec![tensor("x", Datatype::Fp16, [1, 2], vec![0, 0x3c, 1, 0xc0])],
        ),
        (
            "strings",
            vec![tensor("x", Datatype::Bytes, [1, 2], strings)],
        ),
    ]
}

#[test]
fn both_say_the_same_of_a_model_and_give_the_same_for_the_same() {
    let Some(onnx_runtime) = onnx_runtime() else {
        return;
    };
    for (name, inputs) in questions() {
        let file = test_models().join(name).join("1/model.onnx");
        let [one, other] = [&Tract as &dyn Runtime, &onnx_runtime].map(|it| load(it, &file));
        assert_eq!(one.inputs(), other.inputs(), "{name}");
        assert_eq!(one.outputs(), other.outputs(), "{name}");
        assert_eq!(one.run(&inputs), other.run(&inputs), "{name}");
    }
}

#[test]
fn onnx_runtime_runs_bf16_which_tract_refuses() {
    let file = test_models().join("brains/1/model.onnx");
    let refused = Tract.load(&file, ONE).expect_err("tract has no BF16");
    assert!(refused.0.contains("Bfloat16"), "{refused}");
    let Some(onnx_runtime) = onnx_runtime() else {
        return;
    };
    let data = [0x80, 0x3f, 1, 0xc0];
    let input = tensor("x", Datatype::Bf16, [1, 2], data.to_vec());
    let outputs = load(&onnx_runtime, &file).run(&[input]).expect("runs");
    assert_eq!(outputs[0].datatype(), Datatype::Bf16);
    assert_eq!(outputs[0].data()[..], data);
}

#[test]
fn what_onnx_runtime_does_not_load_is_told_with_the_node_at_fault() {
    let Some(onnx_runtime) = onnx_runtime() else {
        return;
    };
    for (model, words) in [
        ("unknown_operator", ["the_node_at_fault", "Frobnicate"]),
        ("wrong_shape", ["the_product", "dimensions"]),
    ] {
        let file = test_models().join(model).join("1/model.onnx");
        let refused = onnx_runtime.load(&file, ONE).expect_err(model);
        for word in words {
            assert!(refused.0.contains(word), "{refused}");
        }
    }
}

#[test]
fn neither_takes_strings_that_are_no_text() {
    let Some(onnx_runtime) = onnx_runtime() else {
        return;
    };
    let file = test_models().join("strings/1/model.onnx");
    let wrong = tensor("x", Datatype::Bytes, [1, 1], vec![1, 0, 0, 0, 0xff]);
    for runtime in [&Tract as &dyn Runtime, &onnx_runtime] {
        let RunError(error) = load(runtime, &file)
            .run(std::slice::from_ref(&wrong))
            .expect_err("no text");
        assert!(error.contains("not UTF-8"), "{error}");
    }
}

#[test]
fn as_many_instances_as_it_has_run_at_the_same_time() {
    let Some(onnx_runtime) = onnx_runtime() else {
        return;
    };
    let options = LoadOptions {
        instances: 2,
        ..ONE
    };
    let file = shipped_models().join("magika/3/model.onnx");
    let model = onnx_runtime.load(&file, options).expect("loads");
    let row = |filling: i32| {
        let data = filling.to_le_bytes().repeat(2048);
        [tensor("bytes", Datatype::Int32, [1, 2048], data)]
    };
    let alone = [65, 10].map(|filling| model.run(&row(filling)).expect("runs"));
    std::thread::scope(|scope| {
        // More than there are instances: the last waits for one.
        for (filling, right) in [65, 10, 65].into_iter().zip(alone.iter().cycle()) {
            let model = &model;
            scope.spawn(move || assert_eq!(&model.run(&row(filling)).expect("runs"), right));
        }
    });
}

#[test]
fn a_device_that_is_not_there_is_a_reason_and_not_the_cpu_instead() {
    let options = LoadOptions {
        device: Device::Cuda(63),
        ..ONE
    };
    let file = test_models().join("add/1/model.onnx");
    let refused = Tract.load(&file, options).expect_err("is for the CPU");
    assert!(refused.0.contains("not on `cuda:63`"), "{refused}");
    let Some(onnx_runtime) = onnx_runtime() else {
        return;
    };
    let refused = onnx_runtime.load(&file, options).expect_err("no such GPU");
    assert!(
        refused.0.contains("`cuda:63`") && refused.0.contains("CUDA"),
        "{refused}"
    );
}

#[test]
fn a_model_chooses_its_runtime_and_is_served_by_it() {
    let Some(onnx_runtime) = onnx_runtime() else {
        return;
    };
    let models = tempfile::tempdir().expect("made");
    for (model, config) in [
        ("add", "runtime = \"onnxruntime\"\nthreads = 2\n"),
        ("ints", "device = \"cuda\"\n"),
        ("halves", "device = \"gpu\"\n"),
        ("strings", "runtime = \"other\"\n"),
        ("wrong_shape", "runtime = \"onnxruntime\"\n"),
    ] {
        copy(model, models.path());
        std::fs::write(models.path().join(model).join("model.toml"), config).expect("written");
    }
    let running = serve_with(models.path(), vec![Arc::new(Tract), Arc::new(onnx_runtime)]);
    let address = running.address();
    let metadata = get(address, "/v2/models/add").body;
    assert_eq!(metadata["inputs"][0]["shape"], serde_json::json!([-1, 4]));
    let config = get(address, "/v2/models/add/config").body;
    assert_eq!(config["backend"], "onnxruntime");
    assert_eq!(config["max_batch_size"], 32);
    let reason = |model: &str| {
        get(address, &format!("/v2/models/{model}/ready"))
            .body
            .to_string()
    };
    assert!(
        reason("ints").contains("tract runs on the CPU"),
        "{}",
        reason("ints")
    );
    assert!(
        reason("halves").contains("no device `gpu`"),
        "{}",
        reason("halves")
    );
    let none = reason("strings");
    assert!(
        none.contains("no runtime `other`, but tract, onnxruntime"),
        "{none}"
    );
    let refused = reason("wrong_shape");
    let place = models.path().to_string_lossy();
    assert!(
        refused.contains("the_product") && !refused.contains(&*place),
        "{refused}"
    );
    assert_eq!(running.drain(std::future::pending()), Drained::Complete);
}

/// The program, ended when dropped.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What a program whose environment names this library says of a model that wants ONNX Runtime, while it serves another.
fn reason_with(library: &Path) -> String {
    let models = tempfile::tempdir().expect("made");
    copy("add", models.path());
    copy("ints", models.path());
    let config = "runtime = \"onnxruntime\"\n";
    std::fs::write(models.path().join("add/model.toml"), config).expect("written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_siding-inference"));
    command
        .args(["--bind", "127.0.0.1:0", "--admin", "127.0.0.1:0"])
        .env("SIDING_MODELS", models.path())
        .env("ORT_DYLIB_PATH", library)
        .stderr(Stdio::piped());
    let mut program = Program(command.spawn().expect("starts"));
    // Kept to the end: the program logs what it is asked.
    let mut log = BufReader::new(program.0.stderr.take().expect("piped")).lines();
    let address = log
        .by_ref()
        .map_while(Result::ok)
        .find_map(|line| {
            let (_, address) = line.split_once("siding-inference listens on http://")?;
            Some(address.to_owned())
        })
        .expect("says where it listens");
    let address = address.trim().parse().expect("an address");
    assert_eq!(get(address, "/v2/models/ints/ready").status, 200);
    let index = post(address, "/v2/repository/index", b"").body;
    let entries = index.as_array().expect("a list");
    let add = entries.iter().find(|entry| entry["name"] == "add");
    let add = add.expect("is there");
    assert_eq!(add["state"], "UNAVAILABLE");
    add["reason"].as_str().expect("a reason").to_owned()
}

#[test]
fn without_the_library_the_models_that_want_it_say_so_and_others_are_served() {
    let reason = reason_with(Path::new("/nowhere/libonnxruntime.so"));
    for words in [
        "/nowhere/libonnxruntime.so",
        "ORT_DYLIB_PATH",
        "1.17 or later",
    ] {
        assert!(reason.contains(words), "{reason}");
    }
}

#[test]
fn what_is_no_library_or_another_is_told_of_like_one_that_is_missing() {
    let file = test_models().join("add/1/model.onnx");
    let reason = reason_with(&file);
    assert!(reason.contains("model.onnx"), "{reason}");
    let nothing = "";
    if let Some(library) = compiled(nothing) {
        let reason = reason_with(&library.path().join("library.so"));
        assert!(
            reason.contains("does not export `OrtGetApiBase`"),
            "{reason}"
        );
    }
}

#[test]
fn a_library_that_is_too_old_is_a_reason_with_its_version() {
    let old = r#"
        #[repr(C)]
        pub struct Base(extern "C" fn(u32) -> usize, extern "C" fn() -> *const u8);
        extern "C" fn api(_: u32) -> usize { 0 }
        extern "C" fn version() -> *const u8 { b"1.10.0\0".as_ptr() }
        static BASE: Base = Base(api, version);
        #[unsafe(no_mangle)]
        pub extern "C" fn OrtGetApiBase() -> *const Base { &BASE }
    "#;
    if let Some(library) = compiled(old) {
        let reason = reason_with(&library.path().join("library.so"));
        for words in ["'1.17.x'", "'1.10.0'", "ORT_DYLIB_PATH"] {
            assert!(reason.contains(words), "{reason}");
        }
    }
}

/// A folder with `library.so`, made of this Rust; none where there is no compiler.
fn compiled(source: &str) -> Option<tempfile::TempDir> {
    let folder = tempfile::tempdir().expect("made");
    let file = folder.path().join("library.rs");
    std::fs::write(&file, source).expect("written");
    let compiler = Command::new("rustc")
        .args(["--edition=2024", "--crate-type=cdylib", "-o"])
        .args([folder.path().join("library.so"), file])
        .status();
    match compiler {
        Ok(status) => {
            assert!(status.success(), "the library does not compile");
            Some(folder)
        }
        Err(_) => {
            leave_out("no rustc");
            None
        }
    }
}
