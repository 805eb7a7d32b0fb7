#!/usr/bin/env bash
# Magika for Python, which brings ONNX Runtime: what the demo's predictions must agree with. In target/venvs/magika.
# Makes what is missing, and leaves alone what is there.
set -euo pipefail
cd "$(dirname "$0")/../../../.."

venv=target/venvs/magika
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
"$venv/bin/python" -c 'import magika; assert magika.__version__ == "1.0.3"' 2>/dev/null \
    || "$venv/bin/python" -m pip install --quiet --disable-pip-version-check magika==1.0.3
