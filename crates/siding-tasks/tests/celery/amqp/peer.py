"""Celery beside Siding on RabbitMQ: `celery -A peer worker` runs its tasks; `python peer.py` runs the script that it is given on
its standard input, and prints what that leaves in `out` as JSON. The broker is in SIDING_TEST_BROKER; queues may be in
SIDING_TEST_QUEUES: the name, its exchange and the exchange's type, the routing key; or the name of a broadcast."""

import json
import os
import sys

from celery import Celery, chain, group, signature
from celery.result import AsyncResult
from kombu import Connection, Exchange, Queue
from kombu.common import Broadcast

try:
    from kombu.transport import native_delayed_delivery as delayed
except ImportError:  # Before kombu 5.5 there is none.
    delayed = None

URL = os.environ["SIDING_TEST_BROKER"]

app = Celery("peer", broker=URL, backend=os.environ.get("SIDING_TEST_BACKEND", "rpc://"))
app.conf.update(task_routes={"rust.*": {"queue": "rust"}}, broker_connection_retry_on_startup=True)
queues = [
    Broadcast(one) if isinstance(one, str) else Queue(one[0], Exchange(one[1], type=one[2]), routing_key=one[3])
    for one in json.loads(os.environ.get("SIDING_TEST_QUEUES", "[]"))
]
app.conf.task_queues = queues or None


@app.task(name="py.add")
def add(x, y):
    return x + y


@app.task(name="py.fail")
def fail(message):
    raise ValueError(message)


@app.task(name="py.about", bind=True)
def about(self):
    info = self.request.delivery_info
    return {"priority": info["priority"], "exchange": info["exchange"], "routing_key": info["routing_key"],
            "origin": self.request.origin}


@app.task(name="py.tell")
def tell():
    """Says which process runs it."""
    app.send_task("rust.heard", (os.getpid(),))


if __name__ == "__main__":
    scope = dict(globals())
    exec(sys.stdin.read(), scope)
    print(json.dumps(scope["out"]))
