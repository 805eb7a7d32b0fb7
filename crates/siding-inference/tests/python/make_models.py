"""Makes the models of the tests, in tests/models: run with a Python that has `onnx`."""

import pathlib
import sys

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper, save

ROOT = pathlib.Path(__file__).parent.parent / "models"


def tensor(name, kind, *dims):
    return helper.make_tensor_value_info(name, kind, dims)


def write(path, nodes, inputs, outputs, weights=(), is_valid=True):
    graph = helper.make_graph(nodes, "g", inputs, outputs, [numpy_helper.from_array(w, n) for n, w in weights])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    if is_valid:
        checker.check_model(model)
    path.parent.mkdir(parents=True, exist_ok=True)
    save(model, path)


def identity(name, kind):
    write(
        ROOT / name / "1" / "model.onnx",
        [helper.make_node("Identity", ["x"], ["y"])],
        [tensor("x", kind, "N", 2)],
        [tensor("y", kind, "N", 2)],
    )


def add(version, by):
    write(
        ROOT / "add" / str(version) / "model.onnx",
        [helper.make_node("Add", ["a", "b"], ["s"]), helper.make_node("Add", ["s", "by"], ["sum"])],
        [tensor("a", TensorProto.FLOAT, "N", 4), tensor("b", TensorProto.FLOAT, "N", 4)],
        [tensor("sum", TensorProto.FLOAT, "N", 4)],
        [("by", np.float32(by))],
    )


def mlp(path, width, layers):
    """Weights so large that reading them costs more than a row's arithmetic: a batch reads them once."""
    random = np.random.default_rng(7)
    nodes, weights, last = [], [], "x"
    for layer in range(layers):
        weights.append((f"w{layer}", random.standard_normal((width, width), np.float32) / np.float32(width**0.5)))
        nodes.append(helper.make_node("MatMul", [last, f"w{layer}"], [f"m{layer}"]))
        nodes.append(helper.make_node("Relu", [f"m{layer}"], [f"r{layer}"]))
        last = f"r{layer}"
    write(
        path,
        nodes,
        [tensor("x", TensorProto.FLOAT, "N", width)],
        [tensor(last, TensorProto.FLOAT, "N", width)],
        weights,
    )


def main():
    if len(sys.argv) > 1:
        mlp(pathlib.Path(sys.argv[1]), 1024, 4)
        return
    add(1, 0)
    add(2, 100)
    (ROOT / "add" / "model.toml").write_text('versions = "all"\n')
    identity("ints", TensorProto.INT64)
    identity("halves", TensorProto.FLOAT16)
    identity("brains", TensorProto.BFLOAT16)
    identity("strings", TensorProto.STRING)
    write(
        ROOT / "unknown_operator" / "1" / "model.onnx",
        [helper.make_node("Frobnicate", ["x"], ["y"], "the_node_at_fault")],
        [tensor("x", TensorProto.FLOAT, "N", 4)],
        [tensor("y", TensorProto.FLOAT, "N", 4)],
        is_valid=False,
    )
    write(
        ROOT / "wrong_shape" / "1" / "model.onnx",
        [helper.make_node("MatMul", ["x", "w"], ["y"], "the_product")],
        [tensor("x", TensorProto.FLOAT, 1, 4)],
        [tensor("y", TensorProto.FLOAT, 1, 3)],
        [("w", np.zeros((5, 3), np.float32))],
    )


main()
