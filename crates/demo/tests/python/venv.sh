#!/usr/bin/env bash
# Installs Magika for Python, which brings ONNX Runtime: what the demo's answers must agree with. Idempotent.
set -euo pipefail

venv="${CARGO_TARGET_DIR:-$(git rev-parse --show-toplevel)/target}/venvs/magika"
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
"$venv/bin/python" -c 'import magika; assert magika.__version__ == "1.0.3"' 2>/dev/null \
    || "$venv/bin/pip" install --quiet --disable-pip-version-check magika==1.0.3
