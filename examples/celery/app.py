"""A Celery application that calls the tasks of a Siding application, and has tasks that the Siding application calls.

README.md says how to start both. `python app.py` calls; `celery -A app worker -Q python` works.
"""

import os

from celery import Celery, chain, chord

BROKER = os.environ.get("SIDING_BROKER", "redis://localhost:6379/0")
RESULTS = "rpc://" if BROKER.startswith("amqp") else BROKER

app = Celery("app", broker=BROKER, backend=RESULTS)
# Each language has a queue of its own, as each worker knows only its own tasks.
app.conf.task_routes = {"python.*": {"queue": "python"}, "rust.*": {"queue": "rust"}}


@app.task(name="python.greet")
def greet(name):
    return f"Hello {name}, from Python"


@app.task(name="python.describe")
def describe(number):
    return f"{number:,} was computed in Rust, and is described in Python"


@app.task(name="python.total")
def total(numbers):
    return sum(numbers)


# Tasks of the Siding application are known by their names alone.
sum_of_squares = app.signature("rust.sum_of_squares")
# What follows a Rust task is sent by Rust's worker, which has no `task_routes`: the step itself says its queue.
then_describe = describe.s().set(queue="python")
then_total = total.s().set(queue="python")


def main():
    """Calls Rust: by itself, in a chain, in a chord, and with an argument that makes it fail."""
    print("called:", app.send_task("rust.sum_of_squares", kwargs={"n": 1_000}).get(timeout=20))
    print("chain:", chain(sum_of_squares.clone((1_000,)), then_describe)().get(timeout=20))
    if RESULTS != "rpc://":  # Celery has no chords there.
        parts = [sum_of_squares.clone((n,)) for n in (10, 100, 1_000)]
        print("chord:", chord(parts)(then_total).get(timeout=20))
    try:
        sum_of_squares.clone((10_000_000,)).delay().get(timeout=20)
    except OverflowError as error:
        print("failed as it should:", error)


if __name__ == "__main__":
    main()
