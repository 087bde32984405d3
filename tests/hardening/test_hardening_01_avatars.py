"""The cost of decoding pictures is bounded and does not delay other requests."""

import asyncio
import os
import re
import resource
import signal
import struct
import subprocess
import sys
import threading
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import httpx
import pytest
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from PIL import Image
from quart import Quart

from cruddur.app import create_app
from cruddur.db.sweeper import sweep
from cruddur.identity import passwords
from cruddur.pictures.targets import Target
from cruddur.process.picture import CPU_SECONDS, MEMORY_BYTES, from_output, to_arguments
from cruddur.services import pictures as service
from cruddur.services.seed import PASSWORD
from cruddur.settings import Settings
from decoders import decoders, first_stops, frozen, is_limited, until
from patience import PATIENCE
from pictures import chunk, file, jpeg_of_scans, jpeg_of_segments, png, webp_chunks
from processes import Running, Serve
from support import (
    Api,
    Member,
    count_rows,
    refused,
    serving,
    serving_on_a_socket,
    untraced,
    visiting,
)

SMALL = file(Image.new("RGB", (64, 64), "green"))
SMALL_JPEG = file(Image.new("RGB", (64, 64), "green"), "JPEG")
SMALL_WEBP = file(Image.new("RGB", (64, 64), "green"), "WEBP")
CUT_OFF = file(Image.effect_noise((300, 300), 90))[:-9000]
"""Return bytes with the headers of a picture."""

BOMBS: dict[str, Callable[[], bytes]] = {
    "jpeg scans": lambda: jpeg_of_scans(1000, 1000, 3000),
    "jpeg scans of many pixels": lambda: jpeg_of_scans(4000, 4000, 40),
    "jpeg pixels": lambda: SMALL_JPEG.replace(b"\x08\x00\x40\x00\x40", b"\x08\xff\xff\xff\xff"),
    "jpeg segments": lambda: jpeg_of_segments(200_000),
    "jpeg without end": lambda: b"\xff\xd8" + b"\xff" * 1_000_000,
    "jpeg of arithmetic coding": lambda: SMALL_JPEG.replace(b"\xff\xc0", b"\xff\xc9"),
    "jpeg of two frames": lambda: SMALL_JPEG.replace(
        b"\xff\xda", SMALL_JPEG[(start := SMALL_JPEG.index(b"\xff\xc0")) : start + 19] + b"\xff\xda"
    ),
    "jpeg filling": lambda: SMALL_JPEG[:20] + bytes(1_000_000) + SMALL_JPEG[20:],
    "png pixels": lambda: png(5_000, 5_000),
    "png palette": lambda: png(8_000, 8_000, color_type=3),
    "png claim": lambda: SMALL.replace(struct.pack(">II", 64, 64), struct.pack(">II", 2**31, 9)),
    "png chunks": lambda: png(8, 8, before=chunk(b"tEXt", b"a\0b") * 30_000),
    "webp pixels": lambda: file(Image.new("RGBA", (5_000, 5_000)), "WEBP", lossless=True, method=0),
    "webp lossy pixels": lambda: file(Image.new("RGB", (5_000, 5_000)), "WEBP", method=0),
    "webp canvas": lambda: SMALL_WEBP[:12] + b"VP8X\x0a\0\0\0" + bytes(4) + b"\xff" * 6,
    "webp frames": lambda: webp_chunks(SMALL_WEBP, (b"ANMF" + bytes(4)) * 30_000),
    "gif pixels": lambda: file(Image.new("P", (6_000, 6_000)), "GIF"),
    "gif frame beside its screen": lambda: re.sub(
        rb",\x00\x00\x00\x00\x40\x00\x40\x00",
        b",\x00\x00\x00\x00\xff\xff\xff\xff",
        file(Image.new("P", (64, 64)), "GIF"),
    ),
    "gif comments": lambda: b"GIF89a" + struct.pack("<HHBBB", 64, 64, 0, 0, 0) + b"!\xfe"
    + b"\x01a" * 500_000 + b"\0",
}  # fmt: skip


EXPANDING = zlib.compress(bytes(100_000_000), 9)

HARMLESS: dict[str, Callable[[], bytes]] = {
    "png profile": lambda: png(8, 8, before=chunk(b"iCCP", b"a\0\0" + EXPANDING)),
    "png profiles": lambda: png(8, 8, before=chunk(b"iCCP", b"a\0\0x") * 2),
    "png texts": lambda: png(8, 8, before=chunk(b"zTXt", b"a\0\0" + EXPANDING) * 10),
    "png frames": lambda: png(8, 8, before=chunk(b"fcTL", bytes(26)) * 1_500),
    "webp frames": lambda: webp_chunks(SMALL_WEBP, (b"ANMF" + bytes(4)) * 1_500),
}
"""Pictures with costly metadata, which are not decoded."""


async def address(member: Member) -> str:
    url: str = (await member.post("/api/avatars/key_upload", {"extension": "png"}))["url"]
    return urlsplit(url).path


async def put(api: Api, path: str, data: bytes, expect: int = 200) -> Any:
    """Upload without a token, as the front ends do."""
    return (await api.request("PUT", path, content=data, expect=expect)).json()


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


async def test_hardening_01_a_decompression_bomb_is_refused_by_its_headers(
    andrew: Member,
) -> None:
    anybody = Api(andrew.http)
    path = await address(andrew)
    for kind, make in BOMBS.items():
        bomb = make()
        assert len(bomb) < 3_000_000, kind
        assert await put(anybody, path, bomb, expect=422) == ["avatar_invalid"], kind
    await put(anybody, path, SMALL)  # nothing was decoded, so the address stays valid


async def test_hardening_01_costly_metadata_are_skipped(andrew: Member) -> None:
    for kind, make in HARMLESS.items():
        response = await andrew.http.put(await address(andrew), content=make())
        assert response.status_code == 200, kind


@pytest.mark.parametrize(
    "make",
    [
        lambda: file(Image.new("RGB", (4_000, 3_000)), "JPEG", progressive=True),
        lambda: file(Image.new("L", (7_000, 7_000)), "JPEG"),
        lambda: file(
            Image.new("RGB", (640, 480), "red"), "MPO", save_all=True,
            append_images=[Image.new("RGB", (64, 48))],
        ),
        lambda: SMALL_JPEG + bytes(1000),
        lambda: SMALL_JPEG[:20] + b"\xff" * 3 + b"\0" + SMALL_JPEG[20:],
        lambda: png(4_096, 4_096),
        lambda: file(Image.new("RGB", (4_096, 4_096)), "WEBP", method=0),
        lambda: file(
            Image.new("P", (64, 64)), "GIF", save_all=True, comment=b"a comment" * 100,
            append_images=[Image.new("P", (64, 64), number) for number in range(50)],
        ),
    ],
    ids=["progressive", "large jpeg", "phone with a second picture", "trailer", "filling",
         "largest png",
         "largest webp", "animation"],
)  # fmt: skip
async def test_hardening_01_pictures_of_cameras_and_programs_are_accepted(
    andrew: Member, make: Callable[[], bytes]
) -> None:
    await put(Api(andrew.http), await address(andrew), make())


@pytest.mark.rule("C49")
async def test_hardening_01_an_upload_address_works_once(
    andrew: Member, settings: Settings, database: asyncpg.Connection
) -> None:
    anybody, path = Api(andrew.http), await address(andrew)
    invalid = await anybody.request("PUT", f"{path}x", content=SMALL, expect=403)
    await put(anybody, path, SMALL)
    again = await anybody.request("PUT", path, content=SMALL, expect=403)
    assert (again.content, untraced(again)) == (invalid.content, untraced(invalid))
    async with serving(create_app(settings)) as other:  # another worker
        assert await put(other, path, SMALL, expect=403) == ["generic_403"]
        await put(other, await address(andrew), SMALL)


async def test_hardening_01_of_two_uploads_to_one_address_one_is_accepted(
    andrew: Member, settings: Settings
) -> None:
    async with serving(create_app(settings)) as other:
        for _ in range(3):
            path = await address(andrew)
            responses = await asyncio.gather(
                *(api.http.put(path, content=SMALL) for api in (andrew, other))
            )
            assert sorted(one.status_code for one in responses) == [200, 403]


async def test_hardening_01_a_picture_that_fails_to_decode_uses_up_its_address(
    andrew: Member,
) -> None:
    anybody, path = Api(andrew.http), await address(andrew)
    for refusal in (b"no picture", b"", SMALL[:20]):
        assert await put(anybody, path, refusal, expect=422) == ["avatar_invalid"]
    await put(anybody, path, bytes(9_000_000), expect=413)
    assert await put(anybody, path, CUT_OFF, expect=422) == ["avatar_invalid"]
    await put(anybody, path, SMALL, expect=403)


async def test_hardening_01_used_addresses_are_forgotten_when_they_are_too_old(
    andrew: Member, database: asyncpg.Connection, dsn: str
) -> None:
    await put(Api(andrew.http), await address(andrew), SMALL)
    await sweep(dsn)
    assert await count_rows(database, "used_uploads") == 1
    left = await database.fetchval("SELECT expires_at - now() FROM used_uploads")
    assert 300 < left.total_seconds() <= 600
    await database.execute("UPDATE used_uploads SET expires_at = now()")
    while await sweep(dsn) is None:
        pass
    assert await count_rows(database, "used_uploads") == 0


@pytest.mark.usefixtures("first_decoder_stops")
async def test_hardening_01_a_user_uploads_one_picture_at_a_time(andrew: Member) -> None:
    anybody = Api(andrew.http)
    first, second = await address(andrew), await address(andrew)
    uploading = asyncio.create_task(put(anybody, first, SMALL))
    pid = await frozen(os.getpid())
    refusal = await anybody.request("PUT", second, content=SMALL, expect=429)
    assert refusal.json() == ["rate_limited"]
    os.kill(pid, signal.SIGCONT)
    await uploading
    await put(anybody, second, SMALL)


@pytest.mark.usefixtures("first_decoder_stops")
async def test_hardening_01_uploads_beyond_the_queue_are_refused_and_others_are_served(
    app: Quart,
    member: Callable[..., Any],
    codes: Callable[[str], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    most = 3
    monkeypatch.setattr(service, "MAX_UPLOADS", most)
    people = [await member(f"member{number}") for number in range(most + 1)]
    paths = [await address(one) for one in people]
    whole = SMALL + bytes(8 * 1024 * 1024 - len(SMALL))
    async with serving_on_a_socket(app) as url, httpx.AsyncClient(base_url=url) as http:
        anybody = Api(http)
        uploading = [asyncio.create_task(put(anybody, paths[0], whole))]
        pid = await frozen(os.getpid())
        converter = app.extensions["cruddur"].picture_converter
        uploading += [asyncio.create_task(put(anybody, path, whole)) for path in paths[1:-1]]
        await until(lambda: len(converter._uploading) == most)
        refusal = await anybody.request("PUT", paths[-1], content=whole, expect=503)
        assert refused(refusal) == ["unavailable"]
        assert not any(task.done() for task in uploading)

        mail = "worf@example.com"
        await anybody.post(
            "/api/auth/signup",
            {"email": mail, "password": PASSWORD, "handle": "worf", "display_name": "Worf"},
        )
        await anybody.post("/api/auth/confirm", {"email": mail, "code": codes(mail)})
        await anybody.post("/api/auth/signin", {"email": mail, "password": PASSWORD})
        assert decoders(os.getpid()) == [pid], "one at a time"

        os.kill(pid, signal.SIGCONT)
        await asyncio.gather(*uploading)
        await put(anybody, paths[-1], whole)


@pytest.mark.usefixtures("first_decoder_stops")
async def test_hardening_01_the_decoder_of_a_disconnected_client_is_killed(
    app: Quart, andrew: Member, bayko: Member
) -> None:
    path, next_path = await address(andrew), await address(andrew)
    async with serving_on_a_socket(app) as url, httpx.AsyncClient(base_url=url) as http:
        leaving = asyncio.create_task(http.put(path, content=SMALL))
        pid = await frozen(os.getpid())
        waiting = asyncio.create_task(put(Api(http), await address(bayko), SMALL))
        leaving.cancel()
        await until(lambda: not is_running(pid))
        await waiting
        await put(Api(http), next_path, SMALL)
    assert decoders(os.getpid()) == []


async def test_hardening_01_a_picture_that_takes_too_long_is_refused(
    andrew: Member, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(service, "DECODE_SECONDS", 0.001)
    refusal = await put(Api(andrew.http), await address(andrew), SMALL, expect=422)
    assert refusal == ["avatar_invalid"]
    assert decoders(os.getpid()) == []
    assert "the picture decoder was killed by signal 9" in caplog.messages


async def test_hardening_01_a_picture_that_needs_too_much_memory_is_refused(
    andrew: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "split", lambda _: None)
    huge = png(12_000, 12_000, color_type=3)
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss  # also of other programs
    assert await put(Api(andrew.http), await address(andrew), huge, expect=422) == [
        "avatar_invalid"
    ]
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    assert most == before or most * 1024 < MEMORY_BYTES


TARGET = to_arguments([Target(512, 512, "crop", "JPEG")])


@contextmanager
def decoder(**options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """The program, waiting for a picture."""
    process = subprocess.Popen(
        [sys.executable, "-m", "cruddur.process.picture", *TARGET],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        **options,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


async def test_hardening_01_the_decoder_is_limited_before_it_reads() -> None:
    with decoder(env={"PATH": "", "TMPDIR": "/nonexistent"}) as process:
        own = Path(f"/proc/{process.pid}")

        def limits() -> dict[str, str]:
            lines = (own / "limits").read_text().splitlines()[1:]
            return {line[:26].strip(): line[26:47].strip() for line in lines}

        await until(lambda: is_limited(process.pid))
        found = limits()
        assert found["Max cpu time"] == str(CPU_SECONDS)
        assert found["Max address space"] == str(MEMORY_BYTES)
        assert found["Max file size"] == found["Max core file size"] == "0"
        assert os.getpriority(os.PRIO_PROCESS, process.pid) > os.getpriority(os.PRIO_PROCESS, 0)
        output, _ = process.communicate(SMALL, timeout=PATIENCE)
        assert process.returncode == 0
        [result] = from_output(output)
        assert (result.data[:2], result.width, result.height) == (b"\xff\xd8", 512, 512)


def test_hardening_01_the_decoder_starts_without_the_service() -> None:
    script = (
        "import sys; from cruddur.process import picture; picture.main(sys.argv[1:]);"
        " print(*sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *TARGET], input=SMALL, capture_output=True, check=True
    )
    heavy = {"asyncio", "asyncpg", "httpx", "msgspec", "opentelemetry", "quart", "uvloop"}
    assert not heavy & set(done.stderr.decode().split())


@asynccontextmanager
async def uploading_to(serve: Serve, dsn: str, folder: Path) -> AsyncIterator[tuple[Running, int]]:
    """A service with a decoder that never ends."""
    stops = first_stops(folder)
    running = await asyncio.to_thread(lambda: serve("--setup", CONNECTION_URL=dsn, **stops).wait())
    async with httpx.AsyncClient(base_url=running.url) as http:
        body = {"email": "andrewbrown", "password": PASSWORD}
        token = (await http.post("/api/auth/signin", json=body)).json()["access_token"]
        member = Api(http, {"Authorization": f"Bearer {token}"})
        path = urlsplit(
            (await member.post("/api/avatars/key_upload", {"extension": "png"}))["url"]
        ).path
        upload = asyncio.create_task(http.put(path, content=SMALL))
        pid = await frozen(running.process.pid)
        yield running, pid
        upload.cancel()
        await asyncio.wait([upload])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
async def test_hardening_01_a_decoder_ends_with_the_service(
    serve: Serve, dsn: str, tmp_path: Path, number: int
) -> None:
    async with uploading_to(serve, dsn, tmp_path) as (running, pid):
        code = await asyncio.to_thread(running.stop, number)
        assert code == (0 if number == signal.SIGTERM else -9)
        await until(lambda: not is_running(pid))


async def sign_in(app: Quart, number: int) -> httpx.Response:
    """Use a separate address, because the number of concurrent calls per address is limited."""
    body = {"email": f"nobody{number}@example.com", "password": "a wrong password"}
    async with visiting(app, address=f"192.0.2.{number}") as api:
        return await api.http.post("/api/auth/signin", json=body)


class Hashing:
    """Block every password check until it is released, then fail it; count the checks."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.requested = self.running = self.most = 0
        self.release = threading.Event()
        lock = threading.Lock()

        def verify(*_: Any) -> None:
            with lock:
                self.running += 1
                self.most = max(self.most, self.running)
            self.release.wait(PATIENCE)
            with lock:
                self.running -= 1
            raise VerifyMismatchError

        run = passwords._threads.run

        async def request(*arguments: Any) -> Any:
            self.requested += 1
            return await run(*arguments)

        monkeypatch.setattr(PasswordHasher, "verify", verify)
        monkeypatch.setattr(passwords._threads, "run", request)


@pytest.fixture
def hashing(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hashing]:
    """Password checks that wait until the test releases them or ends."""
    made = Hashing(monkeypatch)
    yield made
    made.release.set()


async def test_hardening_01_a_hash_keeps_its_place_when_its_client_leaves(
    app: Quart, database: asyncpg.Connection, hashing: Hashing
) -> None:
    for number in range(6):
        task = asyncio.create_task(sign_in(app, number))
        await until(lambda number=number: hashing.requested > number)
        await until(lambda number=number: hashing.running >= min(number + 1, 2))
        task.cancel()
        await asyncio.wait([task])
    last = asyncio.create_task(sign_in(app, 99))
    await until(lambda: hashing.requested == 7)
    assert hashing.running == hashing.most == 2
    hashing.release.set()
    assert (await last).status_code == 401
    assert hashing.most == 2


async def test_hardening_01_sign_ins_beyond_the_queue_are_refused_at_once(
    settings: Settings, hashing: Hashing, caplog: pytest.LogCaptureFixture
) -> None:
    # Load shedding is off, because its limit depends on the load of the machine.
    application = create_app(replace(settings, overload_delay=0))
    async with serving(application) as api:
        waiting = [asyncio.create_task(sign_in(application, number)) for number in range(80)]
        await until(lambda: sum(task.done() for task in waiting) == 80 - 66)
        for task in waiting:
            if task.done():
                assert refused(task.result()) == ["unavailable"]
        assert not [record for record in caplog.records if record.levelname == "ERROR"]
        await api.get("/api/health-check")
        hashing.release.set()
        responses = await asyncio.gather(*waiting)
        assert sorted({one.status_code for one in responses}) == [401, 503]
