"""Celery, and whatever else takes its tasks, on the Redis of this machine: for `siding bench`.

    celery_tasks.py rate TASKS COMMAND...   sends no-op tasks, starts the worker COMMAND, and prints its rate
    celery_tasks.py enqueue TASKS           sends no-op tasks, and prints the rate of that
    celery_tasks.py clean                   deletes every key

COMMAND is `prefork`, `threads`, or a program that reads the environment of Siding. Everything is in one database, under the
prefix SIDING_KEY_PREFIX.
"""

import json
import os
import signal
import subprocess
import sys
import time

from celery import Celery
from redis import Redis

URL = os.environ["SIDING_BROKER"]
PREFIX = os.environ["SIDING_KEY_PREFIX"]
# For the fleet that is to lose nothing: Celery's own switches for that.
VISIBILITY_TIMEOUT = os.environ.get("SIDING_BENCH_VISIBILITY_TIMEOUT")

app = Celery("celery_tasks", broker=URL, backend=URL)
app.conf.broker_transport_options = {"global_keyprefix": PREFIX}
app.conf.result_backend_transport_options = {"global_keyprefix": PREFIX}
if VISIBILITY_TIMEOUT:
    app.conf.broker_transport_options["visibility_timeout"] = int(VISIBILITY_TIMEOUT)
    app.conf.task_acks_late = True
    app.conf.task_reject_on_worker_lost = True


@app.task(name="add")
def add(x, y):
    return x + y


@app.task(name="sleep")
def sleep(seconds):
    time.sleep(seconds)
    return seconds


def send(task, tasks, arguments):
    """Sends `tasks` of them as fast as Python can, and returns their ids."""
    with app.producer_pool.acquire(block=True) as producer:
        return [task.apply_async(arguments(number), producer=producer).id for number in range(tasks)]


def start(command):
    """Starts a worker, in a group of its own, so that its children can be killed with it."""
    if command in (["prefork"], ["threads"]):
        command = [sys.executable, "-m", "celery", "-A", "celery_tasks", "worker", "--pool", command[0]]
        command += ["--concurrency", "2", "--loglevel", "ERROR", "--hostname", f"{time.monotonic_ns()}@bench"]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=sys.stderr, start_new_session=True)


def stop(worker):
    worker.send_signal(signal.SIGTERM)
    try:
        worker.wait(20)
    except subprocess.TimeoutExpired:
        kill(worker)


def kill(worker):
    """Kills a worker and its children, as a machine that fails does."""
    os.killpg(worker.pid, signal.SIGKILL)
    worker.wait()


def clean(redis):
    for key in redis.scan_iter(f"{PREFIX}*", count=1000):
        redis.delete(key)


def left(redis):
    """How many tasks wait, and how many are claimed and not acknowledged."""
    return redis.llen(f"{PREFIX}celery"), redis.hlen(f"{PREFIX}unacked")


def rate(redis, tasks, command):
    """The tasks per second from the first look that finds some of them done to the one that finds none left."""
    send(add, tasks, lambda number: (number, 1))
    worker = start(command)
    try:
        began, remaining = None, tasks
        while remaining:
            if worker.poll() is not None:
                sys.exit("the worker ended early")
            time.sleep(0.02)
            remaining = sum(left(redis))
            if began is None and remaining < tasks:
                began, done = time.monotonic(), tasks - remaining
        return (tasks - done) / (time.monotonic() - began)
    finally:
        stop(worker)


def enqueue(tasks):
    """The calls per second of one process that sends one after another."""
    add.delay(0, 1)
    began = time.monotonic()
    for number in range(tasks):
        add.delay(number, 1)
    return tasks / (time.monotonic() - began)


def main(what, *arguments):
    redis = Redis.from_url(URL)
    try:
        if what == "rate":
            print(json.dumps({"per_second": rate(redis, int(arguments[0]), list(arguments[1:]))}))
        elif what == "enqueue":
            print(json.dumps({"per_second": enqueue(int(arguments[0]))}))
    finally:
        clean(redis)


if __name__ == "__main__":
    main(*sys.argv[1:])
