"""ONNX Runtime behind FastAPI, with the requests of the Open Inference Protocol, for `siding bench --peer fastapi`.

One run a request, on the thread pool; each of as many workers as there are cores has one thread for it, which is the fastest
arrangement of those that were tried.
"""

import json
import os
from pathlib import Path

import numpy as np
import onnxruntime as ort
from fastapi import FastAPI, Request, Response
from starlette.concurrency import run_in_threadpool

TYPES = {"FP32": np.float32, "INT32": np.int32}
LENGTH = "inference-header-content-length"

app = FastAPI()


def load(folder: Path) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    file = str(folder / "1" / "model.onnx")
    return ort.InferenceSession(file, options, providers=["CPUExecutionProvider"])


models = {folder.name: load(folder) for folder in Path(os.environ["SIDING_MODELS"]).iterdir()}


@app.get("/health")
async def health():
    return {"status": "ok"}


@app.post("/v2/models/{model}/infer")
async def infer(model: str, request: Request):
    body = await request.body()
    if LENGTH in request.headers:
        length = int(request.headers[LENGTH])
        inputs, at = {}, length
        for tensor in json.loads(body[:length])["inputs"]:
            size = tensor["parameters"]["binary_data_size"]
            data = np.frombuffer(body, TYPES[tensor["datatype"]], size // 4, at)
            inputs[tensor["name"]] = data.reshape(tensor["shape"])
            at += size
        output = await run_in_threadpool(run, models[model], inputs)
        name, data = output.name, output.value.tobytes()
        described = {"name": name, "datatype": "FP32", "shape": output.value.shape}
        described["parameters"] = {"binary_data_size": len(data)}
        head = json.dumps({"model_name": model, "outputs": [described]}).encode()
        headers = {LENGTH: str(len(head))}
        return Response(head + data, media_type="application/octet-stream", headers=headers)
    inputs = {
        tensor["name"]: np.array(tensor["data"], TYPES[tensor["datatype"]]).reshape(tensor["shape"])
        for tensor in json.loads(body)["inputs"]
    }
    output = await run_in_threadpool(run, models[model], inputs)
    described = {"name": output.name, "datatype": "FP32", "shape": output.value.shape}
    described["data"] = output.value.ravel().tolist()
    return {"model_name": model, "outputs": [described]}


class Output:
    def __init__(self, name, value):
        self.name = name
        self.value = value


def run(session, inputs) -> Output:
    name = session.get_outputs()[0].name
    return Output(name, session.run([name], inputs)[0])
