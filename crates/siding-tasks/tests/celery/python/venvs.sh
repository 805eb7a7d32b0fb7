#!/usr/bin/env bash
# The virtual environments that tests and examples use, each with one version of Celery: target/celery/5.7 and 5.4.
# Makes what is missing, and leaves alone what is there. This is the one place that knows the versions.
set -euo pipefail
cd "$(dirname "$0")/../../../../.."

# The newest, with what watches it; and an older one with the kombu of its time.
declare -A packages=(
    [5.7]="celery[redis]==5.7.0 kombu==5.7.* flower==2.2.*"
    [5.4]="celery[redis]==5.4.0 kombu==5.4.*"
)

make_venv() {
    local directory="target/celery/$1"
    local wanted="${packages[$1]}"
    # Written last: an environment that was broken off has none.
    [ "$(cat "$directory/packages" 2>/dev/null)" = "$wanted" ] && "$directory/bin/python" -c 'import celery, redis' && return
    rm -rf "$directory"
    python3 -m venv "$directory"
    # shellcheck disable=SC2086 # several packages
    "$directory/bin/python" -m pip install --quiet --disable-pip-version-check $wanted
    printf '%s\n' "$wanted" >"$directory/packages"
}

for version in "${!packages[@]}"; do
    make_venv "$version"
    "target/celery/$version/bin/python" -c 'import celery, kombu, redis; print(f"celery {celery.__version__}, kombu {kombu.__version__}, redis-py {redis.__version__}")'
done
