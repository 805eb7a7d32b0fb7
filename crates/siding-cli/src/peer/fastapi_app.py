"""The demo's handlers on FastAPI, for `siding bench --peer fastapi`."""

import asyncio
import time

from fastapi import FastAPI

app = FastAPI()


@app.get("/health")
async def health():
    return {"status": "ok"}


@app.get("/async")
async def waits(ms: int = 1000):
    await asyncio.sleep(ms / 1000)
    return {"status": "done"}


@app.get("/sync")
def sleeps_its_thread(ms: int = 1000):
    time.sleep(ms / 1000)
    return {"status": "done"}


@app.get("/bad")
async def sleeps_the_event_loop(ms: int = 1000):
    time.sleep(ms / 1000)
    return {"status": "done"}


@app.get("/hello")
async def hello():
    return "Hello, World!"


@app.get("/hello-sync")
def hello_sync():
    return "Hello, World!"
