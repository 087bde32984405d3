#!/usr/bin/env python3
"""Start Firefox, and relay the commands of WebDriver BiDi from Playwright to it.

Playwright runs this script as if it were the browser. Playwright 1.65 sets the color scheme of each
page by a command that Firefox 153 does not know. The tests set it by a preference
(`FIREFOX_PREFERENCES`), so the relay replaces this one error by a success. It passes on the answer
of a Firefox that knows the command.
"""

import asyncio
import json
import os
import re
import sys
from functools import partial
from typing import Any

from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve

COMMAND = "emulation.setMediaFeaturesOverride"

# Without time limits: on a busy machine, Firefox may need long to answer a ping.
OPTIONS: dict[str, Any] = {
    "compression": None,
    "max_size": None,
    "open_timeout": None,
    "ping_interval": None,
}

_LISTENING = re.compile(rb"WebDriver BiDi listening on (ws://\S+)")
_LINE_BYTES = 1024 * 1024


async def relay(url: str, playwright: ServerConnection) -> None:
    """Relay the messages of one connection until one side closes it."""
    replaced: set[int] = set()
    async with connect(f"{url}/session", **OPTIONS) as firefox:

        async def send_commands() -> None:
            async for message in playwright:
                command = json.loads(message)
                if command["method"] == COMMAND:
                    replaced.add(command["id"])
                await firefox.send(message)
            await firefox.close()

        commands = asyncio.create_task(send_commands())
        async for message in firefox:
            answer = json.loads(message)
            if answer.get("id") in replaced and answer.get("error") == "unknown command":
                message = json.dumps({"type": "success", "id": answer["id"], "result": {}})
            await playwright.send(message)
        await playwright.close()
        await commands


async def main() -> int:
    """Run Firefox, and return its exit code. Its output names the address of the relay."""
    firefox = await asyncio.create_subprocess_exec(
        os.environ["CRUDDUR_TEST_FIREFOX"],
        *sys.argv[1:],
        stderr=asyncio.subprocess.PIPE,
        limit=_LINE_BYTES,
    )
    assert firefox.stderr is not None
    async for line in firefox.stderr:
        if listening := _LISTENING.search(line):
            handler = partial(relay, listening[1].decode())
            server = await serve(handler, "127.0.0.1", 0, **OPTIONS)
            port = next(iter(server.sockets)).getsockname()[1]
            line = b"WebDriver BiDi listening on ws://127.0.0.1:%d\n" % port
        sys.stderr.buffer.write(line)
        sys.stderr.buffer.flush()
    return await firefox.wait()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
