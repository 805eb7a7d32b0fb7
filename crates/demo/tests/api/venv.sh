#!/usr/bin/env bash
# The virtual environment of the tests that read the OpenAPI document: target/api. Makes what is missing, and leaves alone what is
# there. This is the one place that knows the versions.
set -euo pipefail
cd "$(dirname "$0")/../../../.."

directory=target/api
wanted="openapi-spec-validator==0.9.* schemathesis==4.32.*"

# Written last: an environment that was broken off has none.
if [ "$(cat "$directory/packages" 2>/dev/null)" != "$wanted" ]; then
    rm -rf "$directory"
    python3 -m venv "$directory"
    # shellcheck disable=SC2086 # several packages
    "$directory/bin/python" -m pip install --quiet --disable-pip-version-check $wanted
    printf '%s\n' "$wanted" >"$directory/packages"
fi
"$directory/bin/schemathesis" --version
