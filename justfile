# `just ci` is what CI runs.

default:
    @just --list

# Everything that CI checks.
ci:
    .ci/run

# The reference service on embedded defaults: http://127.0.0.1:8000, admin on http://127.0.0.1:8001.
run *args:
    cargo run --release -- {{args}}

test:
    cargo test --workspace --all-features

# Virtual environments with the versions of Celery that the tests speak to, in target/celery.
celery-venvs:
    crates/siding-tasks/tests/celery/python/venvs.sh

# A virtual environment with what reads metrics and traces in the tests, in target/telemetry.
telemetry-venv:
    crates/siding/tests/python/telemetry_venv.sh

lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets --all-features -- -D warnings
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --all-features --no-deps
    cargo deny check bans licenses sources

# Hand-made atomics against the model checker loom.
model:
    RUSTFLAGS="--cfg siding_model" LOOM_MAX_PREEMPTIONS=3 cargo test -p siding-runtime --lib model

# Kills processes that send and run tasks, a thousand times.
crash rounds="1000":
    SIDING_CRASH_ROUNDS={{rounds}} cargo test -p siding-tasks --test it crash -- --nocapture

# The table of the README, measured here; `just bench --peer fastapi --peer axum` for the comparison.
bench *args:
    cargo build --release -p siding-demo -p siding-cli
    target/release/siding bench {{args}}

# Users in PostgreSQL on 127.0.0.1:5432, by sqlx and diesel, beside FastAPI with SQLAlchemy.
bench-users *args:
    just bench --only users,users-page --peer fastapi {{args}}

# Calls to child processes alone: round trips beside the thread lane, long arguments, the start of a child.
bench-processes:
    cargo bench -p siding-runtime --bench processes

# The lanes alone: round trips, throughput beside tokio's `spawn_blocking`, growth, child processes.
bench-lanes:
    cargo bench -p siding-runtime

# /hello with the dashboard open over /hello with it closed, with 1,000 routes.
bench-dashboard *args:
    just bench --only dashboard {{args}}

# Models in batches and without, and beside ONNX Runtime behind FastAPI; then /health beside a service that is busy, hangs, and is killed.
bench-inference *args:
    just bench --only predict,predict-hung,inference --peer fastapi {{args}}

# The parser of inference requests, fuzzed for some seconds; takes cargo-fuzz, and a nightly toolchain for its sanitizer.
fuzz seconds="60":
    cd crates/siding-inference && cargo +nightly fuzz run infer_request -- -max_total_time={{seconds}}

# The embedded task store: group commit, claims beside a million finished tasks, wake-up of another process.
bench-store:
    cargo bench -p siding-tasks --bench store

# The pictures of the dashboard in docs/images, by the test that checks its views; with pngquant they are a third of the size.
screenshots:
    SIDING_SCREENSHOTS={{justfile_directory()}}/docs/images cargo test -p siding-demo --all-features --test it dashboard::views
    ! command -v pngquant || pngquant --force --ext .png --skip-if-larger docs/images/*.png
