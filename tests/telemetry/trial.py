"""Failing routes for an application under test."""

import asyncio
from collections.abc import AsyncIterator

from quart import Quart, Response, abort, request, websocket

from cruddur.telemetry.background import background


class TrialError(RuntimeError):
    """The exception that the trial routes raise."""


def misbehave(app: Quart) -> None:
    """Add routes that fail in different ways.

    `app.extensions["trial_waits"]` is set when a request to /trial/wait is in progress.
    """
    waits = app.extensions["trial_waits"] = asyncio.Event()

    @app.get("/trial/fail")
    async def fail() -> Response:
        raise TrialError("the trial failed")

    @app.get("/trial/fail-in-words-of/<uuid:uuid>")
    async def quote(uuid: object) -> Response:
        raise TrialError(f"cannot read {request.args['term']!r} of {uuid}")

    @app.get("/trial/abort/<int:status>")
    async def stop(status: int) -> Response:
        abort(status)

    @app.get("/trial/stream")
    async def stream() -> Response:
        async def body() -> AsyncIterator[bytes]:
            yield b"first"
            await asyncio.sleep(0)
            raise TrialError("the stream failed")

        return Response(body(), content_type="text/plain")

    @app.get("/trial/stream-in-words-of")
    async def quoting_stream() -> Response:
        async def body() -> AsyncIterator[bytes]:
            yield b"first"
            await asyncio.sleep(0)
            raise TrialError(f"cannot stream {term!r}")

        term = request.args["term"]
        return Response(body(), content_type="text/plain")

    @app.get("/trial/caused")
    async def caused() -> Response:
        try:
            return {}["nothing"]
        except KeyError as error:
            raise TrialError("the trial failed") from error

    @app.get("/trial/wait")
    async def wait() -> Response:
        waits.set()
        await asyncio.Event().wait()
        raise AssertionError("the event is never set")

    @app.get("/trial/background")
    async def in_background() -> Response:
        async def job() -> None:
            with background("trial job"):
                await asyncio.sleep(0)
                if "fail" in wanted:
                    raise TrialError("the job failed")

        wanted = request.args
        app.add_background_task(job)
        return Response(b"begun")

    @app.websocket("/trial/echo/<room>")
    async def echo(room: str) -> None:
        await websocket.accept()
        text = await websocket.receive()
        if text == "fail":
            raise TrialError("the socket failed")
        await websocket.send(f"{room}: {text}")
