#!/usr/bin/env bash
# The virtual environment in which tests read metrics and traces with Python's own tools: target/telemetry.
# Makes it where it is missing, and leaves it alone where it is there. This is the one place that knows the versions.
set -euo pipefail
cd "$(dirname "$0")/../../../.."

directory="target/telemetry"
wanted="prometheus-client==0.26.0 celery[redis]==5.7.0 opentelemetry-sdk==1.45.* opentelemetry-exporter-otlp-proto-common==1.45.* opentelemetry-instrumentation-celery==0.66b2"

# Written last: an environment that was broken off has none.
[ "$(cat "$directory/packages" 2>/dev/null)" = "$wanted" ] && exit
rm -rf "$directory"
python3 -m venv "$directory"
# shellcheck disable=SC2086 # several packages
"$directory/bin/python" -m pip install --quiet --disable-pip-version-check $wanted
printf '%s\n' "$wanted" >"$directory/packages"
