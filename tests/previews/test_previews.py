"""Previews of links: fetched in the background, shared by cruds, and gone with the last of them."""

import asyncio
import io
from collections.abc import Callable
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
from PIL import Image
from quart import Quart

from cruddur.app import create_app
from cruddur.settings import Settings
from fakes.sink import Response
from fakes.web import FakeInternet, Web, html, redirect, titled
from pictures import file
from previews.waiting import previewed, settled, until
from support import Api, Member, count_rows, expire, serving, swept

PAGE = "http://news.example/story"
URL = "news.example/story"


@pytest.mark.rule("C87")
async def test_a_crud_gets_the_preview_of_its_first_link(author: Member, web: Web) -> None:
    web.pages[URL] = html(
        '<meta property="og:title" content="Caf&eacute;  &#x1F600;\n news">'
        '<meta property="og:description" content="What happened">'
        "<title>Another title</title>"
    )
    crud = await author.crud(f"read {PAGE} and http://other.example/")
    assert "preview" not in crud
    assert await previewed(author, crud) == {
        "url": PAGE,
        "site": "news.example",
        "title": "Café 😀 news",
        "description": "What happened",
        "picture_url": None,
    }
    assert web.fetched == [URL]


@pytest.mark.rule("C87")
async def test_every_list_shows_the_preview(author: Member, web: Web, database: Any) -> None:
    web.pages[URL] = titled()
    crud = await author.crud(f"tea {PAGE}")
    reply = await author.reply(crud["uuid"], f"more at {PAGE}#part")
    expected = await previewed(author, crud)
    assert await previewed(author, reply) == {**expected, "url": f"{PAGE}#part"}
    fan = await database.fetchval(
        "INSERT INTO users (issuer, subject, handle, display_name)"
        " VALUES ('test', 'fan', 'fan', 'Fan') RETURNING uuid"
    )
    await database.execute(
        "INSERT INTO notifications (user_uuid, actor_uuid, kind, activity_uuid)"
        " VALUES ($1, $2, 'like', $3)",
        author.uuid, fan, UUID(crud["uuid"]),
    )  # fmt: skip
    visitor = Api(author.http)
    for reader in (visitor, author):
        for path in (
            "/api/activities/home",
            "/api/activities/@author?shape=list",
            "/api/activities/search?term=tea",
        ):
            [shown] = await reader.get(path)
            assert shown["preview"] == expected, path
        thread = await reader.get(f"/api/activities/{reply['uuid']}")
        assert thread["ancestors"][0]["preview"] == expected
    [group] = await author.get("/api/notifications")
    assert group["activity"]["preview"] == expected


@pytest.mark.rule("C87")
async def test_cruds_with_the_same_address_share_one_fetch(
    author: Member, web: Web, database: asyncpg.Connection
) -> None:
    web.pages[URL] = titled()
    first = await author.crud(PAGE)
    assert (await previewed(author, first))["title"] == "A title"
    for text in (f"again {PAGE}", f"and {PAGE}#here", "HTTP://NEWS.example:80/story"):
        assert (await previewed(author, await author.crud(text)))["title"] == "A title"
    assert web.fetched == [URL]
    assert await count_rows(database, "previews") == 1


async def test_a_crud_with_an_idempotency_key_gets_its_preview(author: Member, web: Web) -> None:
    web.pages[URL] = titled()
    crud = await author.post(
        "/api/activities",
        {"message": PAGE, "ttl": "1-day"},
        headers={"Idempotency-Key": "a-key"},
    )
    assert await previewed(author, crud)


PICTURE = "news.example/picture"


def with_picture(**picture: Any) -> dict[str, Response]:
    """Return a page and its picture."""
    exif = Image.Exif()
    exif[0x010E] = "private description"
    body = file(Image.new("RGB", (1200, 900), "teal"), "JPEG", exif=exif)
    return {
        URL: html('<title>A title</title><meta property="og:image" content="picture">'),
        PICTURE: Response(**{"body": body, "content_type": "image/jpeg", **picture}),
    }


@pytest.mark.rule("C88")
async def test_the_picture_is_converted_and_served_by_this_service(
    author: Member, web: Web
) -> None:
    web.pages |= with_picture()
    preview = await previewed(author, await author.crud(PAGE, "3-hours"))
    assert preview["picture_url"].startswith("/api/previews/")
    response = await author.request("GET", preview["picture_url"])
    assert response.headers["content-type"] == "image/jpeg"
    assert response.headers["cache-control"] == "private, max-age=3600"
    assert b"private description" not in response.content
    with Image.open(io.BytesIO(response.content)) as image:
        assert image.size == (600, 315)


@pytest.mark.rule("C88")
async def test_the_picture_is_cached_until_the_end_of_the_crud_and_gone_then(
    author: Member, web: Web, database: asyncpg.Connection
) -> None:
    web.pages |= with_picture()
    crud = await author.crud(PAGE)
    preview = await previewed(author, crud)
    await database.execute("UPDATE activities SET expires_at = now() + interval '90 seconds'")
    response = await author.request("GET", preview["picture_url"])
    [seconds] = response.headers["cache-control"].split("max-age=")[1:]
    assert 0 <= int(seconds) <= 90
    await expire(database, crud["uuid"])
    await author.get(preview["picture_url"], expect=404)


async def test_a_picture_that_cannot_be_had_leaves_the_preview_without_one(
    author: Member, web: Web
) -> None:
    cases = {
        "missing": {"status": 404},
        "no picture": {"body": b"<svg/>", "content_type": "image/svg+xml"},
        "damaged": {"body": b"\xff\xd8\xff"},
        "another type": {"content_type": "text/html"},
    }
    for name, picture in cases.items():
        pages = with_picture(**picture)
        web.pages[f"{name.replace(' ', '-')}.example/story"] = pages[URL]
        web.pages[f"{name.replace(' ', '-')}.example/picture"] = pages[PICTURE]
        crud = await author.crud(f"http://{name.replace(' ', '-')}.example/story")
        assert (await previewed(author, crud))["picture_url"] is None, name


@pytest.mark.rule("C88")
async def test_a_preview_is_deleted_with_the_last_crud_that_has_it(
    author: Member, web: Web, dsn: str, database: asyncpg.Connection
) -> None:
    web.pages |= with_picture()
    cruds = [await author.crud(f"{n} {PAGE}") for n in range(3)]
    previews = [await previewed(author, crud) for crud in cruds]
    picture = previews[0]["picture_url"]
    await author.delete(f"/api/activities/{cruds[0]['uuid']}")
    await expire(database, cruds[1]["uuid"])
    await swept(dsn)
    assert await count_rows(database, "previews") == 1
    await author.request("GET", picture)
    await expire(database, cruds[2]["uuid"])
    await author.get(picture, expect=404)
    await swept(dsn)
    for table in ("previews", "activity_links", "released_previews"):
        assert await count_rows(database, table) == 0, table
    await author.get(picture, expect=404)


async def test_a_link_without_an_end_in_sight_keeps_its_preview(
    author: Member, web: Web, dsn: str, database: asyncpg.Connection
) -> None:
    """A preview that the sweeper deletes just when it gets another crud is fetched again."""
    web.pages[URL] = titled()
    crud = await author.crud(PAGE)
    await previewed(author, crud)
    await database.execute("DELETE FROM previews")
    assert await count_rows(database, "activity_links") == 1
    other = await author.crud("http://other.example/")  # wakes the queue
    await previewed(author, crud)
    assert web.fetched.count(URL) == 2
    await author.delete(f"/api/activities/{other['uuid']}")


@pytest.mark.rule("C89")
@pytest.mark.parametrize(
    "response",
    [
        pytest.param(Response(404, b"", "text/html"), id="missing"),
        pytest.param(Response(200, b"{}"), id="another type"),
        pytest.param(html("<title>  \u202e </title>"), id="no title"),
    ],
)
async def test_a_page_without_a_preview_is_fetched_once(
    response: Response, author: Member, web: Web, database: asyncpg.Connection
) -> None:
    web.pages[URL] = response
    crud = await author.crud(PAGE)
    await settled(database)
    await author.crud(f"again {PAGE}")
    web.pages["other.example/"] = titled()
    await previewed(author, await author.crud("http://other.example/"))
    assert web.fetched == [URL, "other.example/"]
    assert "preview" not in (await author.get(f"/api/activities/{crud['uuid']}"))["activity"]


@pytest.mark.rule("C89")
async def test_a_server_that_fails_is_tried_three_times(
    author: Member, web: Web, database: asyncpg.Connection
) -> None:
    web.pages[URL] = Response(503, b"", "text/html")
    await author.crud(PAGE)
    for attempt, minutes in ((1, 1), (2, 10)):
        await until(
            database,
            "SELECT attempts = $1 AND fetch_at BETWEEN now() + $2 * interval '30 seconds'"
            " AND now() + $2 * interval '1 minute' FROM previews",
            attempt,
            minutes,
        )
        assert len(web.fetched) == attempt
        await database.execute("UPDATE previews SET fetch_at = now()")
        await author.crud(f"{PAGE}#wake")
    await web.arrival(lambda: len(web.fetched) == 3)  # the last one is claimed before it is made
    await settled(database)
    assert web.fetched == [URL] * 3


async def test_the_queue_survives_a_restart(
    previewing: Callable[..., Quart], web: Web, database: asyncpg.Connection
) -> None:
    web.pages[URL] = titled()
    web.mode = "hang"
    app = previewing()
    async with serving(app) as api:
        author = await Member.enter(api, database, app, "author", "Author")
        crud = await author.crud(PAGE)
        await web.arrival(lambda: web.requests)
    web.mode = "ok"
    await database.execute("UPDATE previews SET fetch_at = now()")  # the lease is over
    async with serving(previewing()) as api:
        assert await previewed(api, crud)


async def test_several_workers_fetch_each_page_once(
    previewing: Callable[..., Quart], web: Web, database: asyncpg.Connection
) -> None:
    pages = [f"news.example/{n}" for n in range(20)]
    web.pages = {page: titled() for page in pages}
    apps = [previewing() for _ in range(3)]
    async with apps[0].test_app(), apps[1].test_app(), apps[2].test_app():
        authors = []
        for n, app in enumerate(apps):
            transport = httpx.ASGITransport(app=app)
            http = httpx.AsyncClient(transport=transport, base_url="http://localhost:4567")
            authors.append(await Member.enter(Api(http), database, app, f"author_{n}", "Author"))
        await asyncio.gather(
            *(author.crud(f"http://{page}") for author in authors for page in pages)
        )
        await settled(database, len(pages))
        assert sorted(web.fetched) == sorted(pages)
        for author in authors:
            await author.http.aclose()


async def test_without_previews_nothing_is_fetched(
    api: Api, andrew: Member, app: Quart, settings: Settings, internet: FakeInternet,
    database: asyncpg.Connection,
) -> None:  # fmt: skip
    assert settings.previews == "off"
    off = create_app(settings, network=internet)
    async with serving(off) as other:
        author = await Member.enter(other, database, off, "author", "Author")
        await author.crud(f"read {PAGE}")
        await author.reply((await author.crud("tea"))["uuid"], PAGE)
    assert internet.looked_up == []
    assert await count_rows(database, "activity_links") == 0


def test_previews_are_on_by_default() -> None:
    assert Settings().previews == "on"


@pytest.mark.parametrize(
    "url",
    [
        "https://cruddur.example/@worf",
        "https://cruddur.example./@worf",
        "HTTPS://APP.example/",
        "http://short.example/",
    ],
)
async def test_a_crud_does_not_show_another_crud_after_its_end(
    url: str,
    previewing: Callable[..., Quart],
    internet: FakeInternet,
    web: Web,
    database: asyncpg.Connection,
) -> None:
    """A link to this service has no preview, also at the end of a redirect."""
    web.pages = {
        "short.example/": redirect("http://cruddur.example/"),
        "cruddur.example/": titled(),
    }
    app = previewing(backend_url="https://cruddur.example", frontend_url="https://app.example")
    async with serving(app) as api:
        author = await Member.enter(api, database, app, "author", "Author")
        await author.crud(url)
        await settled(database, await count_rows(database, "activity_links"))
        assert "preview" not in str(await api.get("/api/activities/home"))
    assert set(internet.looked_up) <= {"short.example"}
