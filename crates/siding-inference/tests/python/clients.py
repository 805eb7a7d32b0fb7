"""What existing clients see: `tritonclient` over HTTP and gRPC, and ONNX Runtime for what is right.

usage: clients.py HOST:PORT MODELS [MAGIKA...]

Each MAGIKA is a name that MODELS' magika is served by, each on another runtime.
"""

import sys

import numpy as np
import onnxruntime
import tritonclient.grpc
import tritonclient.http
from tritonclient.utils import InferenceServerException

ADDRESS, MODELS, *MAGIKAS = sys.argv[1:]
HTTP, GRPC = tritonclient.http, tritonclient.grpc
# FP32 sums in another order: by the runtime, and by the rows that are summed together.
TOLERANCE = dict(rtol=1e-4, atol=1e-5)


def infer(api, client, model, inputs, binary=True, version="", **more):
    tensors = []
    for name, datatype, value in inputs:
        tensor = api.InferInput(name, list(value.shape), datatype)
        tensor.set_data_from_numpy(value, **({"binary_data": binary} if api is HTTP else {}))
        tensors.append(tensor)
    if api is HTTP and not binary:
        metadata = client.get_model_metadata(model, version)
        more["outputs"] = [HTTP.InferRequestedOutput(o["name"], binary_data=False) for o in metadata["outputs"]]
    return client.infer(model, tensors, model_version=version, **more)


def refused(words, status, call):
    try:
        call()
    except InferenceServerException as error:
        assert words in error.message(), error
        assert status in str(error.status()), error
    else:
        raise AssertionError(f"answered what should be refused: {words}")


def agrees_with_onnx_runtime(api, client):
    session = onnxruntime.InferenceSession(f"{MODELS}/magika/3/model.onnx")
    random = np.random.default_rng(3)
    rows = random.integers(0, 257, (5, 2048), np.int32)
    rows[1, 300:] = 256
    rows[2, :] = np.frombuffer((b"import os\nprint(os.name)\n" * 100)[:2048], np.uint8)
    right = session.run(None, {"bytes": rows})[0]
    for magika in MAGIKAS:
        ask = lambda rows: infer(api, client, magika, [("bytes", "INT32", rows)]).as_numpy("target_label")
        one_by_one = np.concatenate([ask(row[np.newaxis]) for row in rows])
        for found in [one_by_one, ask(rows)]:
            np.testing.assert_allclose(found, right, **TOLERANCE, err_msg=magika)
            assert (found.argmax(1) == right.argmax(1)).all()


def adds(api, client):
    a, b = np.arange(8, dtype=np.float32).reshape(2, 4), np.ones((2, 4), np.float32)
    inputs = [("a", "FP32", a), ("b", "FP32", b)]
    for binary in [True, False]:
        for version, by in [("1", 0), ("2", 100), ("", 100)]:
            reply = infer(api, client, "add", inputs, binary, version, request_id="seven")
            np.testing.assert_array_equal(reply.as_numpy("sum"), a + b + by)
    wrong = np.ones((2, 5), np.float32)
    bad = "400" if api is HTTP else "INVALID_ARGUMENT"
    gone = "404" if api is HTTP else "NOT_FOUND"
    refused("input `b` is missing", bad, lambda: infer(api, client, "add", inputs[:1]))
    refused("has the shape [2, 5]", bad, lambda: infer(api, client, "add", [inputs[0], ("b", "FP32", wrong)]))
    refused("the model takes FP32", bad, lambda: infer(api, client, "add", [inputs[0], ("b", "INT32", b.astype(np.int32))]))
    refused("no model `nothing`", gone, lambda: infer(api, client, "nothing", inputs))
    refused("of version `9`", gone, lambda: infer(api, client, "add", inputs, version="9"))


def passes_datatypes(api, client):
    ints = np.array([[2**62, -1]], np.int64)
    strings = np.array([["a", "größe"]], np.object_)
    halves = np.array([[0.5, -2.0]], np.float16)
    for binary in [True, False]:
        np.testing.assert_array_equal(infer(api, client, "ints", [("x", "INT64", ints)], binary).as_numpy("y"), ints)
        found = infer(api, client, "strings", [("x", "BYTES", strings)], binary).as_numpy("y")
        texts = [text.decode() if isinstance(text, bytes) else text for text in found[0]]
        assert texts == ["a", "größe"], found
    np.testing.assert_array_equal(infer(api, client, "halves", [("x", "FP16", halves)]).as_numpy("y"), halves)


def field(value, name):
    return value[name] if isinstance(value, dict) else getattr(value, name)


def tells_of_models(api, client):
    assert client.is_server_live() and client.is_server_ready()
    assert client.is_model_ready("add") and client.is_model_ready("add", "1")
    assert not client.is_model_ready("unknown_operator")
    assert field(client.get_server_metadata(), "name") == "siding-inference"
    metadata = client.get_model_metadata("add")
    assert list(field(metadata, "versions")) == ["1", "2"]
    assert [int(dim) for dim in field(field(metadata, "inputs")[0], "shape")] == [-1, 4]
    config = client.get_model_config("add")
    config = config if api is HTTP else config.config
    assert field(config, "max_batch_size") == 32
    index = client.get_model_repository_index()
    index = index if api is HTTP else index.models
    reasons = {field(entry, "name"): entry["reason"] if api is HTTP and "reason" in entry else getattr(entry, "reason", "") for entry in index}
    assert "Frobnicate" in reasons["unknown_operator"], reasons
    assert "the_product" in reasons["wrong_shape"] or "5" in reasons["wrong_shape"], reasons


def unloads_and_loads(api, client):
    client.unload_model("ints")
    assert not client.is_model_ready("ints")
    client.load_model("ints")
    assert client.is_model_ready("ints")


for api in [HTTP, GRPC]:
    client = api.InferenceServerClient(ADDRESS)
    for check in [tells_of_models, adds, passes_datatypes, agrees_with_onnx_runtime, unloads_and_loads]:
        check(api, client)
        print("ok", api.__name__, check.__name__)
    client.close()
