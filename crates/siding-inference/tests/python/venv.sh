#!/usr/bin/env bash
# The virtual environment of this crate's tests with Python clients: target/inference/venv. Makes it when it is missing.
set -euo pipefail
cd "$(dirname "$0")/../../../.."

directory=target/inference/venv
wanted="numpy onnx==1.23.* onnxruntime==1.32.* tritonclient[http,grpc]==2.73.*"
# Written last: an environment that was broken off has none.
if [ "$(cat "$directory/packages" 2>/dev/null)" != "$wanted" ]; then
    rm -rf "$directory"
    python3 -m venv "$directory"
    # shellcheck disable=SC2086 # several packages
    "$directory/bin/python" -m pip install --quiet --disable-pip-version-check $wanted
    printf '%s\n' "$wanted" >"$directory/packages"
fi
"$directory/bin/python" -c 'import onnxruntime, tritonclient.grpc, tritonclient.http; print(f"onnxruntime {onnxruntime.__version__}")'
