"""Runs what it is told: a line of JSON is a script, and the answer is a line of JSON, {"out": …} or {"error": …}.

A script has the application and everything in it, and leaves its answer in `out`.
"""

import faulthandler
import gc
import json
import sys
import time
import traceback

import app as module
from celery import chain, chord, group, signature
from celery.exceptions import TimeoutError
from celery.result import AsyncResult, GroupResult, ResultSet

def s(name, *args, **options):
    """A signature that says its queue, so that it gets there whoever sends it."""
    return signature(name, args=args, queue="rust" if name.startswith("rust.") else "celery", **options)


def si(name, *args, **options):
    return s(name, *args, immutable=True, **options)


def get(result, **options):
    """The result of a task or of a group.

    Celery subscribes to it and sends the task, or asks for its result, over two connections, and waits for ever if it was
    stored before the server has come to the first; asked again, it says what it is (celery#4857).
    """
    for _ in range(20):
        try:
            return result.get(timeout=1, **options)
        except TimeoutError:
            pass
    return result.get(timeout=1, **options)


class Heard(Exception):
    """A message that was waited for."""


def hear(result, state):
    """What is said of a task when it is in this state, before its end. A client of rpc:// cannot ask: its results come or do not."""

    def listen(message):
        if message["status"] == state:
            raise Heard(message)

    try:
        result.get(timeout=20, on_message=listen)
    except Heard as heard:
        return heard.args[0]


def until(result, state):
    """The same for a client that can ask."""
    while result.state != state:
        time.sleep(0.01)
    return {"status": result.state, "result": result.info}


# A result that is collected unsubscribes, and waits for ever if that is in the middle of another's unsubscribing.
gc.disable()
for line in sys.stdin:
    scope = {**vars(module), "s": s, "si": si, "get": get,
             "until": until if module.app.backend.persistent else hear, "chain": chain, "chord": chord, "group": group, "signature": signature,
             "AsyncResult": AsyncResult, "GroupResult": GroupResult, "ResultSet": ResultSet, "json": json, "out": None}
    # Says where a script hangs, before the test gives it up.
    faulthandler.dump_traceback_later(25)
    try:
        exec(json.loads(line), scope)
        answer = {"out": scope["out"]}
    except BaseException:
        answer = {"error": traceback.format_exc()}
    faulthandler.cancel_dump_traceback_later()
    print(json.dumps(answer, default=repr), flush=True)
    gc.collect()
