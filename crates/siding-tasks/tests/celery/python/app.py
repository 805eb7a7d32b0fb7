"""The Python side of the tests: one application, for clients and for workers.

Its settings come from the environment, as JSON in SIDING_TEST_CONF.
"""

import json
import os
import signal
import sys
import threading
import time

import redis
from celery import Celery
from celery.exceptions import SoftTimeLimitExceeded
from kombu import Exchange, Queue
from kombu.common import Broadcast

conf = json.loads(os.environ["SIDING_TEST_CONF"])
# Queues as JSON has them: the name, its exchange and the exchange's type, the routing key; or the name of a broadcast.
queues = [
    Broadcast(one) if isinstance(one, str) else Queue(one[0], Exchange(one[1], type=one[2]), routing_key=one[3])
    for one in conf.pop("queues", [])
]

app = Celery("tests")
app.conf.update(
    broker_connection_retry_on_startup=True,
    worker_hijack_root_logger=False,
    task_routes={"rust.*": {"queue": "rust"}},
    task_queues=queues or None,
    **conf,
)


def end_with_parent():
    """Ends this process and its children once whoever started it is gone: standard input ends then."""

    def wait():
        while os.read(0, 4096):
            pass
        os.killpg(os.getpgrp(), signal.SIGKILL)

    threading.Thread(target=wait, daemon=True).start()


if os.environ.get("SIDING_TEST_ROLE") == "worker":
    end_with_parent()


@app.task
def add(x, y):
    return x + y


@app.task
def total(numbers):
    return sum(numbers)


@app.task
def echo(*args, **kwargs):
    return [list(args), kwargs]


@app.task
def show(*args, **kwargs):
    """The arguments as Python sees them."""
    return [[repr(arg) for arg in args], {name: repr(value) for name, value in kwargs.items()}]


@app.task
def tell():
    """Says which process runs it."""
    app.send_task("rust.heard", (os.getpid(),))


@app.task
def fail(*args):
    raise ValueError(*args)


@app.task(bind=True)
def request(self):
    """What the worker knows of the message."""
    known = dict(self.request.__dict__)
    names = ["id", "task", "eta", "expires", "group", "group_index", "retries", "timelimit", "root_id", "parent_id",
             "argsrepr", "kwargsrepr", "origin", "ignore_result", "replaced_task_nesting", "stamped_headers", "stamps",
             "reply_to", "correlation_id", "delivery_info", "headers", "trace"]
    return {name: known.get(name) for name in names}


@app.task
def started_at():
    return time.time()


@app.task
def slow(seconds):
    """Ends early when it is asked to."""
    try:
        time.sleep(seconds)
    except SoftTimeLimitExceeded:
        return "asked"
    return "slept"


@app.task
def after_failure(task_id):
    """Of one argument, so that Celery sends it as a task instead of calling it at once."""
    return task_id


@app.task(name="mixed.hold", bind=True)
def hold(self, number):
    """Says that it runs, and where, and ends when it is told to. Siding's workers have the same task (mixed/marks.rs)."""
    marks = redis.Redis.from_url(os.environ["SIDING_TEST_REDIS"])
    prefix = os.environ["SIDING_TEST_PREFIX"] + "marks."
    marks.hincrby(prefix + "runs", number, 1)
    marks.rpush(prefix + "began", self.request.hostname)
    marks.blpop(prefix + "go." + self.request.hostname)
    return number
