"""Workers that are killed: `celery_fleet.py TASKS [COMMAND...]`, for `siding bench`.

The file that SIDING_BENCH_SENT names, if it does, has the ids of tasks that were sent already, as JSON.

Four workers share one queue, two of them COMMAND, or all four Celery's. Every two seconds one of them, by chance, is killed with
SIGKILL, its children too, and another takes its place. What has neither a result nor is to be found in Redis at the end is lost.
"""

import json
import os
import random
import sys
import time

from redis import Redis

from celery_tasks import PREFIX, URL, VISIBILITY_TIMEOUT, app, clean, kill, left, send, sleep, start, stop

TASK_S = 0.02
BETWEEN_KILLS_S = 2.0
# How long to wait for the next result once nothing waits: Python's workers look for lost claims every 100 s.
PATIENCE_S = 130 if VISIBILITY_TIMEOUT else 15


def without_result(redis, ids):
    pipeline = redis.pipeline(transaction=False)
    for id in ids:
        pipeline.exists(app.backend.get_key_for_task(id).decode())
    return [id for id, found in zip(ids, pipeline.execute()) if not found]


def kept(redis):
    """The ids of all messages that are in Redis, waiting or claimed."""
    waiting = redis.lrange(f"{PREFIX}celery", 0, -1)
    claimed = [json.dumps(json.loads(entry)[0]) for entry in redis.hvals(f"{PREFIX}unacked")]
    return {json.loads(message)["headers"]["id"] for message in [*waiting, *claimed]}


def run(redis, commands, missing):
    """Kills and replaces workers until everything has a result, or no more results come."""
    workers = [start(command) for command in commands]
    kills, next_kill, last_result = 0, time.monotonic() + BETWEEN_KILLS_S, time.monotonic()
    try:
        while missing and time.monotonic() < last_result + PATIENCE_S:
            time.sleep(0.2)
            still = without_result(redis, missing)
            if len(still) < len(missing):
                missing, last_result = still, time.monotonic()
            if time.monotonic() >= next_kill and left(redis)[0]:
                victim = random.randrange(len(workers))
                kill(workers[victim])
                workers[victim] = start(commands[victim])
                kills, next_kill = kills + 1, next_kill + BETWEEN_KILLS_S
        return missing, kills, last_result
    finally:
        for worker in workers:
            stop(worker)


def sent(tasks):
    if "SIDING_BENCH_SENT" not in os.environ:
        return send(sleep, tasks, lambda _: (TASK_S,))
    with open(os.environ["SIDING_BENCH_SENT"]) as ids:
        return json.load(ids)


def main(tasks, *command):
    redis = Redis.from_url(URL)
    commands = [["prefork"]] * (2 if command else 4) + [list(command)] * (2 if command else 0)
    try:
        ids = sent(int(tasks))
        began = time.monotonic()
        missing, kills, last_result = run(redis, commands, ids)
        found = kept(redis)
        lost = [id for id in missing if id not in found]
        report = {"lost": len(lost), "left": len(missing) - len(lost), "kills": kills, "seconds": last_result - began}
        print(json.dumps(report))
    finally:
        clean(redis)


if __name__ == "__main__":
    main(*sys.argv[1:])
