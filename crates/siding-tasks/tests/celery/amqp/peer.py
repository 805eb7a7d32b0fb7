"""Celery beside Siding on RabbitMQ: `celery -A peer worker` runs its tasks; `python peer.py` runs the script that it is given on
its standard input, and prints what that leaves in `out` as JSON. The broker is in SIDING_TEST_BROKER."""

import json
import os
import sys

from celery import Celery, chain, group, signature
from celery.result import AsyncResult
from kombu import Connection, Exchange, Queue

try:
    from kombu.transport import native_delayed_delivery as delayed
except ImportError:  # Before kombu 5.5 there is none.
    delayed = None

URL = os.environ["SIDING_TEST_BROKER"]

app = Celery("peer", broker=URL, backend=os.environ.get("SIDING_TEST_BACKEND", "rpc://"))
app.conf.update(task_routes={"rust.*": {"queue": "rust"}}, broker_connection_retry_on_startup=True)


@app.task(name="py.add")
def add(x, y):
    return x + y


@app.task(name="py.fail")
def fail(message):
    raise ValueError(message)


@app.task(name="py.about", bind=True)
def about(self):
    info = self.request.delivery_info
    return {"priority": info["priority"], "routing_key": info["routing_key"], "origin": self.request.origin}


if __name__ == "__main__":
    scope = dict(globals())
    exec(sys.stdin.read(), scope)
    print(json.dumps(scope["out"]))
