"""`cruddur openapi`: print the served document, for tools that read it from a file."""

import asyncio
import os
import subprocess
import sys

import httpx
import msgspec


async def test_openapi_prints_the_served_document(http: httpx.AsyncClient) -> None:
    answer = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "cruddur", "openapi"],
        # No service runs at this address, and the text does not depend on the locale.
        env={
            "PATH": os.environ["PATH"],
            "CONNECTION_URL": "postgresql://127.0.0.1:1/none",
            "LC_ALL": "C",
        },
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert (answer.returncode, answer.stderr) == (0, b"")
    served = (await http.get("/openapi.json")).content
    assert answer.stdout == msgspec.json.format(served, indent=2) + b"\n"
    assert answer.stdout.startswith(b'{\n  "openapi": "3.1.0",\n')
