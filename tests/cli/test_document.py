"""`cruddur openapi`: print the served document, for tools that read it from a file."""

import asyncio
import subprocess
import sys

import httpx
import msgspec

from patience import PATIENCE
from processes import inherited


async def test_openapi_prints_the_served_document(http: httpx.AsyncClient) -> None:
    response = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "cruddur", "openapi"],
        # No service runs at this address, and the text does not depend on the locale.
        env={
            **inherited(),
            "CONNECTION_URL": "postgresql://127.0.0.1:1/none",
            "LC_ALL": "C",
        },
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (response.returncode, response.stderr) == (0, b"")
    served = (await http.get("/openapi.json")).content
    assert response.stdout == msgspec.json.format(served, indent=2) + b"\n"
    assert response.stdout.startswith(b'{\n  "openapi": "3.1.0",\n')
