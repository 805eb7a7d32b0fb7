"""No-op tasks on Celery: `python celery_tasks.py TASKS` sends them, starts one prefork worker and prints its rate.

Everything is in one database of Redis, under a prefix of its own, and removed at the end.
"""

import json
import os
import signal
import subprocess
import sys
import time
import uuid

from celery import Celery
from redis import Redis

URL = os.environ.get("SIDING_BENCH_REDIS", "redis://127.0.0.1:6379/9")
PREFIX = os.environ.setdefault("SIDING_BENCH_PREFIX", f"siding-bench-{uuid.uuid4().hex}:")

app = Celery("celery_tasks", broker=URL, backend=URL)
app.conf.broker_transport_options = {"global_keyprefix": PREFIX}
app.conf.result_backend_transport_options = {"global_keyprefix": PREFIX}


@app.task(name="add")
def add(x, y):
    return x + y


def drained(redis, tasks, worker):
    """The tasks per second from the first look that finds some of them taken to the one that finds none left."""
    began, left = None, tasks
    while left:
        if worker.poll() is not None:
            sys.exit("the worker ended early")
        time.sleep(0.02)
        left = redis.llen(f"{PREFIX}celery")
        if began is None and left < tasks:
            began, taken = time.monotonic(), tasks - left
    return (tasks - taken) / (time.monotonic() - began)


def main(tasks):
    redis = Redis.from_url(URL)
    with app.producer_pool.acquire(block=True) as producer:
        for number in range(tasks):
            add.apply_async((number, 1), producer=producer)
    command = [sys.executable, "-m", "celery", "-A", "celery_tasks", "worker", "--pool", "prefork", "--loglevel", "ERROR"]
    worker = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=sys.stderr)
    try:
        print(json.dumps({"per_second": drained(redis, tasks, worker)}))
    finally:
        worker.send_signal(signal.SIGTERM)
        worker.wait()
        for key in redis.scan_iter(f"{PREFIX}*", count=1000):
            redis.delete(key)


if __name__ == "__main__":
    main(int(sys.argv[1]))
