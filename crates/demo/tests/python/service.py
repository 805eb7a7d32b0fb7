#!/usr/bin/env python3
"""Magika's model behind the Open Inference Protocol, as far as the demo sees it; and what Magika itself says of files.

service.py --bind HOST:PORT     serves, with ONNX Runtime
service.py identify FILE...     prints a JSON line for each
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy
from magika import Magika

MAGIKA = Magika()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.answer(200, b"", {})

    def do_POST(self):
        assert self.path == "/v2/models/magika/infer", self.path
        body = self.rfile.read(int(self.headers["content-length"]))
        length = int(self.headers["inference-header-content-length"])
        (tokens,) = json.loads(body[:length])["inputs"]
        assert (tokens["name"], tokens["datatype"]) == ("bytes", "INT32"), tokens
        values = numpy.frombuffer(body[length:], "<i4").reshape(tokens["shape"])
        (scores,) = MAGIKA._onnx_session.run(["target_label"], {"bytes": values})
        data = scores.astype("<f4").tobytes()
        output = {
            "name": "target_label",
            "shape": list(scores.shape),
            "datatype": "FP32",
            "parameters": {"binary_data_size": len(data)},
        }
        head = json.dumps({"model_name": "magika", "outputs": [output]}).encode()
        self.answer(200, head + data, {"Inference-Header-Content-Length": len(head)})

    def answer(self, status, body, headers):
        self.send_response(status)
        for name, value in {**headers, "Content-Length": len(body)}.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


def serve(address):
    host, port = address.rsplit(":", 1)
    server = ThreadingHTTPServer((host, int(port)), Handler)
    print(f"serves on {address}", file=sys.stderr, flush=True)
    server.serve_forever()


def identify(path):
    result = MAGIKA.identify_bytes(Path(path).read_bytes())
    output = result.output
    print(json.dumps({
        "label": str(output.label),
        "mime": output.mime_type,
        "group": output.group,
        "description": output.description,
        "is_text": output.is_text,
        "score": result.score,
    }))


if sys.argv[1] == "--bind":
    serve(sys.argv[2])
else:
    for path in sys.argv[2:]:
        identify(path)
