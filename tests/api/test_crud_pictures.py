"""Pictures of cruds: uploads, what cruds show of them, limits, and their end in every store."""

import asyncio
import io
import json
import os
import re
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from PIL import Image
from quart import Quart

from cruddur.app import create_app
from cruddur.db.sweeper import LOCK
from cruddur.picture_stores import s3
from cruddur.picture_stores.store import SIZES
from cruddur.process import periodic_jobs
from cruddur.services.pictures import PICTURE_BYTES
from cruddur.settings import Settings
from fakes.aws import REGION, FakeAws
from fakes.s3 import BUCKET, FakeS3
from patience import PATIENCE
from pictures import file
from support import Api, Member, count_rows, expire, refused, serving, swept
from telemetry.recorded import until

ROOT = Path(__file__).parents[2]
UPLOADS = "/api/pictures"
STORES = ["database", "directory", "s3"]


def drawing(width: int = 300, height: int = 200, color: str = "red") -> bytes:
    return file(Image.new("RGB", (width, height), color))


async def upload(member: Member, data: bytes | None = None, expect: int = 200) -> Any:
    """Upload a picture as the page does."""
    content = drawing() if data is None else data
    headers = {"Content-Type": "image/png"}
    response = await member.request(
        "POST", UPLOADS, content=content, headers=headers, expect=expect
    )
    return response.json()


async def post(member: Member, *choices: Any, expect: int = 200) -> Any:
    """Post a crud with these pictures."""
    body = {"message": "look", "ttl": "1-day", "pictures": list(choices)}
    return await member.post("/api/activities", body, expect=expect)


async def shown(member: Member, alt: str = "a red field") -> Any:
    """Upload a picture and post a crud that shows it."""
    picture = await upload(member)
    return await post(member, {"uuid": picture["uuid"], "alt": alt})


def urls(crud: Any) -> list[str]:
    """The addresses of all files of a crud."""
    return [picture[name] for picture in crud["pictures"] for name in ("url", "thumbnail_url")]


@dataclass(frozen=True)
class Place:
    """An application with one of the stores.

    Attributes:
        app: the application.
        api: its API, called by a visitor.
        names: returns the names of the stored files.
        s3: the bucket, if it is the store.
        folder: the directory, if it is the store.
    """

    app: Quart
    api: Api
    names: Callable[[], list[str]]
    s3: FakeS3 | None = None
    folder: Path | None = None

    async def member(self, conn: asyncpg.Connection, handle: str = "worf") -> Member:
        return await Member.enter(self.api, conn, self.app, handle, handle.title())

    async def sweep(self, dsn: str) -> None:
        """Do what the sweepers do every 15 seconds."""
        await swept(dsn)
        await self.app.extensions["cruddur"].crud_pictures.sweep()


@pytest.fixture
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3, "_FIRST_PAUSE", 0.0)


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch, quick_retries: None) -> Iterator[FakeS3]:
    with FakeS3() as fake:
        for name, value in fake.environment.items():
            monkeypatch.setenv(name, value)
        yield fake
        assert fake.problems == []


async def _file_rows(conn: asyncpg.Connection) -> list[str]:
    rows = await conn.fetch("SELECT picture_uuid, size FROM picture_files")
    return [f"{row['picture_uuid']}-{row['size']}" for row in rows]


@pytest.fixture(params=STORES)
async def place(
    request: pytest.FixtureRequest, settings: Settings, tmp_path: Path
) -> AsyncIterator[Place]:
    """An application with each store in turn."""
    if request.param == "database":
        async with serving(app := create_app(settings)) as api:
            yield Place(app, api, list)
        return
    if request.param == "directory":
        folder = tmp_path / "pictures of cruds"
        changed = replace(settings, picture_store=folder.as_uri())
        async with serving(app := create_app(changed)) as api:
            yield Place(app, api, lambda: [path.name for path in folder.iterdir()], folder=folder)
        return
    fake = request.getfixturevalue("bucket")
    changed = replace(settings, picture_store=f"s3://{BUCKET}/of/cruds", s3_endpoint=fake.url)
    async with serving(app := create_app(changed)) as api:
        yield Place(app, api, lambda: list(fake.objects), s3=fake)


@pytest.fixture
async def unswept(database: asyncpg.Connection) -> AsyncIterator[None]:
    """Disable the application's sweeper: expiry must not depend on it."""
    await database.execute("SELECT pg_advisory_lock($1)", LOCK)
    yield
    await database.execute("SELECT pg_advisory_unlock($1)", LOCK)


# --- Uploading and posting --------------------------------------------------------------


@pytest.mark.rule("C83")
async def test_a_crud_shows_its_pictures_in_their_order_everywhere(
    api: Api, andrew: Member, bayko: Member
) -> None:
    first, second = await upload(andrew, drawing(640, 480)), await upload(andrew, drawing(30, 50))
    crud = await post(
        andrew, {"uuid": second["uuid"], "alt": " Cafe\u0301 <b> "}, {"uuid": first["uuid"]}
    )
    assert crud["pictures"] == [
        {
            "url": f"/api/pictures/{second['uuid']}.jpg",
            "thumbnail_url": f"/api/pictures/{second['uuid']}/thumbnail.jpg",
            "alt": "Caf\u00e9 <b>",
            "width": 30,
            "height": 50,
        },
        {
            "url": f"/api/pictures/{first['uuid']}.jpg",
            "thumbnail_url": f"/api/pictures/{first['uuid']}/thumbnail.jpg",
            "alt": "",
            "width": 640,
            "height": 480,
        },
    ]
    await bayko.put(f"/api/activities/{crud['uuid']}/repost")
    page = f"/api/activities/{crud['uuid']}"
    views = [
        *await api.get("/api/activities/home"),
        *await api.get("/api/activities/home"),  # from the cache
        *await bayko.get("/api/activities/home"),
        *await api.get("/api/activities/@andrewbrown"),
        *await api.get("/api/activities/@bayko"),
        *await api.get("/api/activities/search?term=look"),
        (await api.get(page))["activity"],
        (await api.get(f"/api/activities/@andrewbrown/status/{crud['uuid']}"))["activity"],
        *await andrew.get("/api/activities/notifications"),
        *(group["activity"] for group in await andrew.get("/api/notifications")),
    ]
    assert [view["pictures"] for view in views] == [crud["pictures"]] * 10


@pytest.mark.rule("C83")
async def test_a_reply_has_pictures_and_a_plain_crud_has_none(
    api: Api, andrew: Member, bayko: Member
) -> None:
    crud = await andrew.crud()
    assert crud["pictures"] == []
    picture = await upload(bayko)
    body = {"message": "look", "pictures": [{"uuid": picture["uuid"], "alt": "x"}]}
    reply = await bayko.post(f"/api/activities/{crud['uuid']}/reply", body)
    assert len(reply["pictures"]) == 1
    thread = await api.get(f"/api/activities/{crud['uuid']}")
    assert thread["replies"][0]["pictures"] == reply["pictures"]
    [note] = await andrew.get("/api/activities/notifications")
    picture = await upload(andrew)
    body = {"message": "thanks", "pictures": [{"uuid": picture["uuid"]}]}
    nested = await andrew.post(f"/api/activities/{note['uuid']}/reply", body)
    assert nested["reply_to_activity_uuid"] == reply["uuid"]
    assert len(nested["pictures"]) == 1


@pytest.mark.usefixtures("acquainted")
async def test_a_reply_to_the_notification_of_a_message_has_no_pictures(
    andrew: Member, bayko: Member
) -> None:
    await bayko.message("andrewbrown")
    [note] = await andrew.get("/api/activities/notifications")
    body = {"message": "look", "pictures": [{"uuid": (await upload(andrew))["uuid"]}]}
    path = f"/api/activities/{note['uuid']}/reply"
    assert await andrew.post(path, body, expect=422) == ["pictures_invalid"]


@pytest.mark.rule("C83", "C84")
async def test_the_files_are_jpegs_without_metadata_that_fit_their_sizes(
    place: Place, database: asyncpg.Connection
) -> None:
    worf = await place.member(database)
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Kodak Brownie"  # rotated by 90 degrees
    data = file(Image.new("RGB", (3000, 1000), "blue"), "JPEG", exif=exif, comment=b"my home")
    uploaded = await upload(worf, data)
    assert (uploaded["width"], uploaded["height"]) == (683, 2048)
    crud = await post(worf, {"uuid": uploaded["uuid"]})
    sizes = []
    for url in urls(crud):
        response = await place.api.request("GET", url)
        assert response.headers["content-type"] == "image/jpeg"
        assert response.headers["x-content-type-options"] == "nosniff"
        assert b"Kodak" not in response.content
        assert b"my home" not in response.content
        image = Image.open(io.BytesIO(response.content))
        assert image.format == "JPEG"
        sizes.append(image.size)
        head = await place.api.http.head(url)
        assert (head.status_code, head.content) == (200, b"")
    assert sizes == [(683, 2048), (267, 800)]


@pytest.mark.rule("C84")
async def test_a_picture_that_no_crud_shows_is_not_served_even_to_its_member(
    place: Place, database: asyncpg.Connection
) -> None:
    worf = await place.member(database)
    uploaded = await upload(worf)
    assert UUID(uploaded["uuid"]).version == 4  # random
    for path in (
        f"{UPLOADS}/{uploaded['uuid']}.jpg",
        f"{UPLOADS}/{uploaded['uuid']}/thumbnail.jpg",
    ):
        for client in (place.api, worf):
            assert await client.get(path, expect=404) == ["not_found"]


@pytest.mark.rule("C83")
@pytest.mark.parametrize(
    "choices",
    [
        None, "x", {}, 7, [{}], [7], [{"uuid": "x"}], [{"uuid": "{own}", "alt": None}],
        [{"uuid": "{own}", "alt": 7}], [{"uuid": "{own}", "alt": "nul \x00"}],
        [{"uuid": "{own}", "alt": "x" * 1001}], [{"uuid": "{own}"}] * 2,
        [{"uuid": "{other}"}], [{"uuid": "{own}"}, {"uuid": "{other}"}],
        [{"uuid": "{used}"}], [{"uuid": "{unknown}"}], [{"uuid": "{expired}"}],
        [{"uuid": "{own}"}, *({"uuid": "{unknown}"},) * 4],
    ],
)  # fmt: skip
async def test_a_crud_shows_only_unused_pictures_of_its_author(
    choices: Any, andrew: Member, bayko: Member, database: asyncpg.Connection
) -> None:
    async def insert(owner: Member, seconds: int = 3600) -> str:
        uuid = await database.fetchval(
            "INSERT INTO pictures (user_uuid, width, height, expires_at)"
            " VALUES ($1, 1, 1, now() + $2) RETURNING uuid",
            owner.uuid, timedelta(seconds=seconds),
        )  # fmt: skip
        return str(uuid)

    own, used = await insert(andrew), await insert(andrew)
    crud = await andrew.crud()
    await post(andrew, {"uuid": used})
    names = {
        "{own}": own,
        "{other}": await insert(bayko),
        "{used}": used,
        "{expired}": await insert(andrew, 0),
        "{unknown}": str(uuid4()),
    }

    def filled(value: Any) -> Any:
        if isinstance(value, list):
            return [filled(one) for one in value]
        if isinstance(value, dict):
            return {name: filled(one) for name, one in value.items()}
        return names.get(value, value) if isinstance(value, str) else value

    body = {"message": "look", "ttl": "1-day", "pictures": filled(choices)}
    for path in ("/api/activities", f"/api/activities/{crud['uuid']}/reply"):
        assert await andrew.post(path, body, expect=422) == ["pictures_invalid"]
    assert await count_rows(database, "activities") == 2
    await post(andrew, {"uuid": own})  # it was not used up


async def test_one_of_two_concurrent_cruds_gets_the_picture(
    andrew: Member, database: asyncpg.Connection
) -> None:
    picture = await upload(andrew)
    body = {"message": "look", "ttl": "1-day", "pictures": [{"uuid": picture["uuid"]}]}
    responses = await asyncio.gather(
        *(andrew.http.post("/api/activities", json=body, headers=andrew.headers) for _ in range(4))
    )
    assert sorted(response.status_code for response in responses) == [200, 422, 422, 422]
    assert await count_rows(database, "activities") == 1


@pytest.mark.rule("C83")
async def test_a_session_that_has_ended_is_401_and_not_a_missing_picture(
    andrew: Member, database: asyncpg.Connection
) -> None:
    picture = await upload(andrew)
    await database.execute("DELETE FROM sessions")
    await post(andrew, {"uuid": picture["uuid"]}, expect=401)
    await upload(andrew, expect=401)


@pytest.mark.rule("C51")
async def test_a_repeated_post_shows_the_same_pictures(andrew: Member) -> None:
    picture = await upload(andrew)
    body = {"message": "look", "ttl": "1-day", "pictures": [{"uuid": picture["uuid"], "alt": "x"}]}
    keyed = {"headers": {"Idempotency-Key": "key"}}
    crud = await andrew.post("/api/activities", body, **keyed)
    assert await andrew.post("/api/activities", body, **keyed) == crud
    changed = {**body, "pictures": [{"uuid": picture["uuid"], "alt": "y"}]}
    refusal = await andrew.post("/api/activities", changed, expect=422, **keyed)
    assert refusal == ["idempotency_key_reused"]


# --- Limits -----------------------------------------------------------------------------


@pytest.mark.rule("C86")
@pytest.mark.parametrize("data", [b"", b"not a picture", drawing()[:40], b"<svg/>"])
async def test_what_is_not_a_picture_is_rejected(
    data: bytes, andrew: Member, database: asyncpg.Connection
) -> None:
    assert await upload(andrew, data, expect=422) == ["picture_invalid"]
    assert await count_rows(database, "pictures") == 0


@pytest.mark.rule("C86")
async def test_a_file_may_have_8_mib(andrew: Member) -> None:
    big = drawing() + bytes(PICTURE_BYTES - len(drawing()))
    await upload(andrew, big)
    assert await upload(andrew, big + b"x", expect=413) == ["payload_too_large"]


@pytest.mark.rule("C86")
async def test_a_member_may_upload_so_many_pictures_in_a_day(
    settings: Settings, database: asyncpg.Connection
) -> None:
    app = create_app(replace(settings, pictures_per_day=2))
    async with serving(app) as api:
        worf = await Member.enter(api, database, app, "worf", "Worf")
        odo = await Member.enter(api, database, app, "odo", "Odo")
        for _ in range(2):
            crud = await shown(worf)
            await worf.delete(f"/api/activities/{crud['uuid']}")  # it still counts
        response = await worf.http.post(UPLOADS, content=drawing(), headers=worf.headers)
        assert (response.status_code, refused(response)) == (429, ["rate_limited"])
        assert 86_000 < int(response.headers["retry-after"]) <= 86_400
        await upload(odo)
        await database.execute("UPDATE throttles SET resets_at = now()")
        await upload(worf)


@pytest.mark.rule("C86")
async def test_a_member_may_have_so_many_pictures(
    settings: Settings, database: asyncpg.Connection
) -> None:
    app = create_app(replace(settings, pictures_per_member=2))
    async with serving(app) as api:
        worf = await Member.enter(api, database, app, "worf", "Worf")
        odo = await Member.enter(api, database, app, "odo", "Odo")
        crud = await shown(worf)
        await upload(worf)
        assert await upload(worf, expect=422) == ["too_many_pictures"]
        await upload(odo)
        await worf.delete(f"/api/activities/{crud['uuid']}")
        await upload(worf)


# --- Caches and the end -----------------------------------------------------------------


@pytest.mark.rule("C84")
async def test_no_cache_shows_a_picture_for_longer_than_its_crud_lives(
    place: Place, database: asyncpg.Connection, unswept: None
) -> None:
    worf = await place.member(database)
    crud = await shown(worf)
    for url in urls(crud):
        response = await place.api.request("GET", url)
        assert response.headers["cache-control"] == "public, max-age=60, must-revalidate"
        tag = {"If-None-Match": response.headers["etag"]}
        unchanged = await place.api.request("GET", url, headers=tag, expect=304)
        assert unchanged.content == b""
        assert unchanged.headers["cache-control"] == "public, max-age=60, must-revalidate"
        await database.execute("UPDATE activities SET expires_at = now() + interval '30 seconds'")
        for headers in ({}, tag):
            soon = await place.api.http.get(url, headers=headers)
            age = re.fullmatch(
                r"public, max-age=(\d+), must-revalidate", soon.headers["cache-control"]
            )
            assert age is not None
            assert int(age[1]) < 30
        await database.execute("UPDATE activities SET expires_at = now() + interval '1 day'")


@pytest.mark.rule("C84")
async def test_a_picture_ends_with_its_crud_before_any_sweep(
    place: Place, database: asyncpg.Connection, unswept: None
) -> None:
    worf = await place.member(database)
    crud, deleted = await shown(worf), await shown(worf)
    tags = {url: (await place.api.request("GET", url)).headers["etag"] for url in urls(crud)}
    await expire(database, crud["uuid"])
    await worf.delete(f"/api/activities/{deleted['uuid']}")
    for url in (*urls(crud), *urls(deleted)):
        for headers in ({}, {"If-None-Match": tags.get(url, "x")}):
            response = await place.api.request("GET", url, headers=headers, expect=404)
            assert response.headers["cache-control"] == "no-store"
    assert await count_rows(database, "activities") == 1, "the row must still exist"


async def test_a_crud_that_expires_while_its_picture_is_read_does_not_show_it(
    bucket: FakeS3, settings: Settings, database: asyncpg.Connection, unswept: None
) -> None:
    changed = replace(settings, picture_store=f"s3://{BUCKET}", s3_endpoint=bucket.url)
    async with serving(app := create_app(changed)) as api:
        worf = await Member.enter(api, database, app, "worf", "Worf")
        crud = await shown(worf)
        await database.execute("UPDATE activities SET expires_at = now() + interval '0.5 seconds'")
        bucket.mode = "hang"
        reading = asyncio.create_task(api.http.get(urls(crud)[0]))
        await bucket.arrival(lambda: bucket.requests[-1].mode == "hang")
        await database.execute("SELECT pg_sleep(0.5)")
        bucket.mode = "ok"
        response = await asyncio.wait_for(reading, PATIENCE)
        assert (response.status_code, refused(response)) == (404, ["not_found"])


@pytest.mark.rule("C85")
async def test_a_sweep_removes_the_files_of_every_picture_that_has_ended(
    place: Place, dsn: str, database: asyncpg.Connection
) -> None:
    worf, odo = await place.member(database), await place.member(database, "odo")
    kept = await shown(odo)
    gone = [await shown(worf) for _ in range(2)]
    reply = {"message": "look", "pictures": [{"uuid": (await upload(odo))["uuid"]}]}
    await odo.post(f"/api/activities/{gone[0]['uuid']}/reply", reply)
    await expire(database, gone[0]["uuid"])
    await worf.delete(f"/api/activities/{gone[1]['uuid']}")
    await upload(worf)
    await database.execute("UPDATE pictures SET expires_at = now() WHERE expires_at IS NOT NULL")
    ezri = await place.member(database, "ezri")
    await shown(ezri)
    await upload(ezri)
    await database.execute("DELETE FROM users WHERE handle = 'ezri'")
    await place.sweep(dsn)
    assert await count_rows(database, "pictures") == 1
    assert await count_rows(database, "removed_pictures") == 0
    stored = place.names() or await _file_rows(database)
    assert len(stored) == 2
    for url in urls(kept):
        await place.api.request("GET", url)


@pytest.mark.rule("C85")
async def test_a_file_without_a_picture_is_swept(
    place: Place, dsn: str, database: asyncpg.Connection
) -> None:
    if not (place.s3 or place.folder):
        return  # a foreign key rules it out
    worf = await place.member(database)
    kept = await shown(worf)
    orphans = [f"{uuid4()}.jpg" for _ in range(3)] + [f"{uuid4()}-thumbnail.jpg"]
    foreign = ["README.txt", "1.jpg"]
    if place.folder:
        orphans.append(f"{uuid4()}.jpg.part")
    for name in (*orphans, *foreign):
        if place.s3:
            place.s3.objects[f"of/cruds/{name}"] = b"x"
        elif place.folder:
            (place.folder / name).write_bytes(b"x")
    outside = f"elsewhere/{uuid4()}.jpg"
    if place.s3:
        place.s3.objects[outside] = b"x"
    pictures = place.app.extensions["cruddur"].crud_pictures
    assert await pictures.sweep_orphans() == len(orphans)
    await place.sweep(dsn)
    left = {name.removeprefix("of/cruds/") for name in place.names()} - {outside}
    assert len(left) == 2 + len(foreign)
    assert left > set(foreign)
    assert not place.s3 or outside in place.s3.objects
    for url in urls(kept):
        await place.api.request("GET", url)


async def test_pictures_of_an_earlier_store_are_shown_until_they_end(
    settings: Settings, database: asyncpg.Connection, tmp_path: Path
) -> None:
    async with serving(app := create_app(settings)) as api:
        worf = await Member.enter(api, database, app, "worf", "Worf")
        crud = await shown(worf)
    changed = replace(settings, picture_store=(tmp_path / "pictures").as_uri())
    async with serving(create_app(changed)) as api:
        for url in urls(crud):
            await api.request("GET", url)


# --- Failures of the store --------------------------------------------------------------


@pytest.mark.parametrize("mode", ["500", "503", "429", "refuse", "401"])
async def test_a_store_that_fails_is_503_and_leaves_nothing(
    mode: Any, bucket: FakeS3, settings: Settings, dsn: str, database: asyncpg.Connection
) -> None:
    changed = replace(settings, picture_store=f"s3://{BUCKET}", s3_endpoint=bucket.url)
    async with serving(app := create_app(changed)) as api:
        place = Place(app, api, list, s3=bucket)
        worf = await place.member(database)
        crud, deleted = await shown(worf), await shown(worf)
        bucket.mode = mode
        assert await upload(worf, expect=503) == ["unavailable"]
        assert await count_rows(database, "pictures") == 2
        for url in urls(crud):
            assert await api.get(url, expect=503) == ["unavailable"]
        # What has ended is 404, and is deleted later.
        await worf.delete(f"/api/activities/{deleted['uuid']}")
        assert await api.get(urls(deleted)[0], expect=404) == ["not_found"]
        with pytest.raises(s3.StoreError):
            await place.sweep(dsn)
        assert await count_rows(database, "removed_pictures") == 2
        assert len(bucket.objects) == 4
        bucket.mode = "ok"
        await place.sweep(dsn)
        assert await count_rows(database, "removed_pictures") == 0
        assert len(bucket.objects) == 2
        await api.request("GET", urls(crud)[0])
        await upload(worf)
        bucket.problems.clear()


@pytest.mark.rule("C85")
async def test_the_service_sweeps_files_by_itself_also_after_its_store_has_failed(
    bucket: FakeS3,
    settings: Settings,
    database: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(periodic_jobs, "ORPHANS_SECONDS", 0.0)
    changed = replace(
        settings, picture_store=f"s3://{BUCKET}", s3_endpoint=bucket.url, sweep_interval=0.01
    )
    async with serving(app := create_app(changed)) as api:
        worf = await Member.enter(api, database, app, "worf", "Worf")
        crud = await shown(worf)
        bucket.mode = "503"
        await expire(database, crud["uuid"])
        await until(lambda: "the sweep of pictures is postponed: S3 returned 503" in caplog.text)
        assert len(bucket.objects) == 2
        bucket.objects[f"{uuid4()}.jpg"] = b"of no picture"
        bucket.mode = "ok"
        await until(lambda: not bucket.objects)


async def test_a_failed_call_is_repeated(
    bucket: FakeS3,
    settings: Settings,
    database: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    changed = replace(settings, picture_store=f"s3://{BUCKET}", s3_endpoint=bucket.url)
    async with serving(app := create_app(changed)) as api:
        worf = await Member.enter(api, database, app, "worf", "Worf")
        respond, failures = bucket.respond, iter(["refuse", "refuse"])

        def flaky(request: Any) -> Any:
            if next(failures, None):
                return bucket.refusal(503, "SlowDown")
            return respond(request)

        monkeypatch.setattr(bucket, "respond", flaky)
        await upload(worf)
        assert len(bucket.objects) == 2
        assert len(bucket.requests) == 4


async def test_another_process_repeats_a_deletion_that_was_not_finished(
    place: Place, dsn: str, database: asyncpg.Connection
) -> None:
    worf = await place.member(database)
    crud = await shown(worf)
    await worf.delete(f"/api/activities/{crud['uuid']}")
    await database.execute("UPDATE removed_pictures SET claimed_until = now() + interval '1 hour'")
    await place.sweep(dsn)
    assert await count_rows(database, "removed_pictures") == 1
    await database.execute("UPDATE removed_pictures SET claimed_until = now()")
    await place.sweep(dsn)
    assert await count_rows(database, "removed_pictures") == 0
    assert place.names() == []


async def test_a_directory_that_cannot_be_written_stops_the_start(
    settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "a file").touch()
    changed = replace(settings, picture_store=(tmp_path / "a file" / "pictures").as_uri())
    with pytest.raises(Exception, match="CRUDDUR_PICTURE_STORE"):
        async with serving(create_app(changed)):
            pass


async def test_a_missing_file_is_404(
    settings: Settings, database: asyncpg.Connection, tmp_path: Path
) -> None:
    changed = replace(settings, picture_store=tmp_path.as_uri())
    async with serving(app := create_app(changed)) as api:
        worf = await Member.enter(api, database, app, "worf", "Worf")
        crud = await shown(worf)
        for name in os.listdir(tmp_path):
            path = tmp_path / name
            assert path.stat().st_mode & 0o777 == 0o600
            path.unlink()
        for url in urls(crud):
            assert await api.get(url, expect=404) == ["not_found"]


async def test_the_calls_of_s3_are_understood_by_an_independent_implementation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """moto's. It also accepts the lifecycle rule that the documentation recommends."""
    lifecycle = json.loads((ROOT / "deploy" / "s3-lifecycle.json").read_text("utf-8"))
    with FakeAws() as aws:
        for name, value in aws.environment.items():
            monkeypatch.setenv(name, value)
        client = aws._client("s3")
        client.create_bucket(Bucket=BUCKET)
        client.put_bucket_lifecycle_configuration(Bucket=BUCKET, LifecycleConfiguration=lifecycle)
        bucket = s3.Bucket(BUCKET, f"{aws.url}/{BUCKET}", "a b/c é/", REGION)
        async with httpx.AsyncClient(trust_env=False) as http:
            store = s3.S3Store(bucket, http)
            kept, gone = uuid4(), uuid4()
            for uuid in (kept, gone):
                for size in SIZES:
                    await store.put(uuid, size, size.encode())
            assert await store.get(kept, "thumbnail") == b"thumbnail"
            assert await store.get(uuid4(), "full") is None
            assert {uuid async for batch in store.stored() for uuid in batch} == {kept, gone}
            for _ in range(2):
                await store.delete([gone])
            assert {uuid async for batch in store.stored() for uuid in batch} == {kept}
        client.close()
