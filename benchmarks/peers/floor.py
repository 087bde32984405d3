"""The floor: the cost of Hypercorn alone, with a ready response.

There is no framework, database or tracing; the bytes are a recorded response of Cruddur.
"""

import json
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

ANSWERS: dict[str, bytes] = {
    request: body.encode()
    for request, body in json.loads(Path(os.environ["FLOOR_ANSWERS"]).read_text()).items()
}


async def app(
    scope: dict[str, Any],
    receive: Callable[[], Awaitable[dict[str, Any]]],
    send: Callable[[dict[str, Any]], Awaitable[None]],
) -> None:
    """The ASGI application."""
    if scope["type"] == "lifespan":
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    while (await receive()).get("more_body"):
        pass
    is_signed_in = any(name == b"authorization" for name, _ in scope["headers"])
    caller = " signed in" if is_signed_in else ""
    body = ANSWERS[f"{scope['method']} {scope['path']}{caller}"]
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
