"""What the pages of people and cruds say before their scripts run, and the feeds of profiles."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4
from xml.etree import ElementTree

import asyncpg
import httpx
import pytest
from PIL import Image
from quart import Quart

from cruddur.app import create_app
from cruddur.settings import Settings
from outage import FOREVER, Limits
from pictures import file
from support import Api, Member, expire, insert_user, refused, serving, visiting

ORIGIN = "https://cruddur.example"
VISIT = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
ATOM = "{http://www.w3.org/2005/Atom}"
INDEX = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8" />'
    '<meta name="description" content="Say it now." /><title>Cruddur</title>'
    '<script type="module" src="/assets/index.js"></script></head>'
    '<body><div id="root"></div></body></html>'
    f"<!-- {'as long as the index of a build ' * 40} -->"
)

HOSTILE = [
    "</title><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "&lt;b&gt; &amp; <!-- --> ]]> <![CDATA[",
    "a \x01 \x0b \x1b[31m \ufffe b",
    "first line\nsecond line",
    "\N{RIGHT-TO-LEFT OVERRIDE}abc \U0001f596",
]


class Head(HTMLParser):
    """The elements of a page's head.

    Attributes:
        title: the text of the title.
        metas: the contents of the meta elements, by name or property.
        links: the addresses of the links, by relation.
        scripts: the addresses of the scripts.
    """

    def __init__(self, page: str) -> None:
        super().__init__()
        self.title = ""
        self.metas: dict[str, str] = {}
        self.links: dict[str, str] = {}
        self.scripts: list[str | None] = []
        self._is_title = False
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self._is_title = tag == "title"
        if tag == "meta":
            name = found.get("name") or found.get("property") or "charset"
            assert name not in self.metas, name
            self.metas[name] = found.get("content", "")
        elif tag == "link":
            self.links[found["rel"]] = found["href"]
        elif tag == "script":
            self.scripts.append(found.get("src"))
        assert not any(name.startswith("on") for name in found), found
        assert tag in {"html", "head", "meta", "title", "link", "script", "body", "div"}, tag

    def handle_data(self, data: str) -> None:
        if self._is_title:
            self.title += data
            self._is_title = False


@pytest.fixture(scope="module")
async def site(
    worker_settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Quart]:
    """The application with a front end and a public origin, started."""
    directory = tmp_path_factory.mktemp("front-end")
    (directory / "index.html").write_text(INDEX)
    app = create_app(
        replace(worker_settings, frontend_directory=str(directory), backend_url=ORIGIN)
    )
    async with app.test_app():
        yield app


@pytest.fixture
async def browser(site: Quart, database: asyncpg.Connection) -> AsyncIterator[httpx.AsyncClient]:
    """A client that sends the headers of a browser."""
    async with visiting(site) as api:
        api.http.headers.update(VISIT)
        yield api.http


@pytest.fixture
async def worf(browser: httpx.AsyncClient, site: Quart, database: asyncpg.Connection) -> Member:
    """Worf, signed in."""
    return await Member.enter(Api(browser), database, site, "worf", "Worf, son of Mogh")


async def head_of(browser: httpx.AsyncClient, path: str) -> Head:
    response = await browser.get(path)
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    head = Head(response.text)
    assert head.scripts == ["/assets/index.js"]
    return head


async def test_the_page_of_a_crud_describes_it(
    browser: httpx.AsyncClient, worf: Member, database: asyncpg.Connection
) -> None:
    await database.execute("UPDATE users SET avatar_digest = 'abc' WHERE uuid = $1", worf.uuid)
    crud = await worf.crud("Today is a good\nday to #crud", ttl="3-days")
    address = f"{ORIGIN}/@worf/status/{crud['uuid']}"
    for path in (f"/@worf/status/{crud['uuid']}", f"/@WORF/status/{crud['uuid']}?from=chat"):
        head = await head_of(browser, path)
        assert head.title == "Worf, son of Mogh: “Today is a good day to #crud” · Cruddur"
        assert head.links["canonical"] == head.metas["og:url"] == address
        ends = datetime.fromisoformat(crud["expires_at"])
        expected = (
            f"Expires in 2 days, on {ends.day} {ends:%B %Y at %H:%M} UTC."
            " “Today is a good day to #crud”"
        )
        assert head.metas["description"] == head.metas["og:description"] == expected
        assert head.metas["og:title"] == "Worf, son of Mogh (@worf) on Cruddur"
        assert head.metas["og:type"] == "article"
        assert head.metas["og:site_name"] == "Cruddur"
        assert head.metas["og:image"] == f"{ORIGIN}/api/avatars/{worf.uuid}.jpg?v=abc"
        assert head.metas["article:author"] == f"{ORIGIN}/@worf"
        assert datetime.fromisoformat(head.metas["article:expiration_time"]) == ends
        assert head.metas["twitter:card"] == "summary"


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (timedelta(days=29, hours=23, minutes=59), "29 days"),
        (timedelta(days=1, minutes=1), "1 day"),
        (timedelta(hours=23, minutes=59), "23 hours"),
        (timedelta(hours=1, minutes=1), "1 hour"),
        (timedelta(minutes=59, seconds=59), "59 minutes"),
        (timedelta(seconds=59), "less than a minute"),
    ],
)
async def test_the_time_left_is_in_the_description(
    browser: httpx.AsyncClient,
    worf: Member,
    database: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
    left: timedelta,
    words: str,
) -> None:
    crud = await worf.crud()
    now = datetime.fromisoformat(crud["created_at"])

    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return now.astimezone(tz)

    monkeypatch.setattr("cruddur.routes.pages.datetime", Clock)
    await database.execute(
        "UPDATE activities SET expires_at = $1 WHERE uuid = $2", now + left, UUID(crud["uuid"])
    )
    head = await head_of(browser, f"/@worf/status/{crud['uuid']}")
    assert head.metas["description"].startswith(f"Expires in {words}, on ")


async def test_the_page_of_a_profile_describes_its_user(
    browser: httpx.AsyncClient, worf: Member
) -> None:
    await worf.crud()
    draft = {"display_name": "Worf", "bio": "Security.\n#honour above all."}
    await worf.put("/api/profile/update", draft)
    head = await head_of(browser, "/@Worf/")
    assert head.title == "Worf (@worf) · Cruddur"
    assert head.links["canonical"] == head.metas["og:url"] == f"{ORIGIN}/@worf"
    assert head.links["alternate"] == f"{ORIGIN}/@worf/feed.atom"
    assert head.metas["description"] == "1 live crud on Cruddur. Security. #honour above all."
    assert head.metas["og:title"] == "Worf (@worf) on Cruddur"
    assert head.metas["og:type"] == "profile"
    assert head.metas["profile:username"] == "worf"
    assert "og:image" not in head.metas


@pytest.mark.parametrize("text", HOSTILE)
async def test_what_people_write_is_text(
    browser: httpx.AsyncClient, worf: Member, text: str
) -> None:
    await worf.put("/api/profile/update", {"display_name": text[:50], "bio": text})
    crud = await worf.crud(text)
    line = " ".join(text.split())
    about_crud = await head_of(browser, f"/@worf/status/{crud['uuid']}")
    assert about_crud.metas["og:description"].endswith(f"“{line}”")
    assert f"“{line}”" in about_crud.title
    about_worf = await head_of(browser, "/@worf")
    assert about_worf.metas["description"].endswith(line)

    feed = ElementTree.fromstring((await browser.get("/@worf/feed.atom")).content)
    allowed = re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", "\ufffd", text)
    assert feed.findtext(f"{ATOM}subtitle") == allowed
    content = feed.findtext(f"{ATOM}entry/{ATOM}content") or ""
    shown = Content(content)
    assert shown.text.startswith(allowed.replace("\n", ""))
    assert shown.tags <= {"p", "br"}


class Content(HTMLParser):
    """The text and the elements of a feed's entry."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text = ""
        self.tags: set[str] = set()
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert not attrs
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


async def test_long_texts_are_cut(browser: httpx.AsyncClient, worf: Member) -> None:
    crud = await worf.crud("crud")
    reply = await worf.reply(crud["uuid"], "word " * 200)
    head = await head_of(browser, f"/@worf/status/{reply['uuid']}")
    assert len(head.title) < 120
    assert len(head.metas["description"]) < 400
    assert head.metas["description"].endswith("word…”")


@pytest.mark.rule("C5", "C35", "C48", "C70")
async def test_the_page_of_nobody_and_of_no_crud_is_404(
    browser: httpx.AsyncClient, worf: Member, database: asyncpg.Connection
) -> None:
    await insert_user(database, "odo", "Odo")
    gone = await worf.crud("vaporous")
    await expire(database, gone["uuid"])
    deleted = await worf.crud("vaporous")
    await worf.delete(f"/api/activities/{deleted['uuid']}")
    live = await worf.crud("vaporous")
    missing = [
        "/@nobody",
        "/@no-body",
        f"/@worf/status/{uuid4()}",
        f"/@worf/status/{gone['uuid']}",
        f"/@worf/status/{deleted['uuid']}",
        f"/@odo/status/{live['uuid']}",
    ]
    pages = [await browser.get(path) for path in missing]
    assert {page.status_code for page in pages} == {404}
    assert {page.text for page in pages} == {INDEX}
    assert {page.headers["cache-control"] for page in pages} == {"no-store"}
    assert {page.headers["x-robots-tag"] for page in pages} == {"noarchive"}
    for path in (*missing, "/@nobody/feed.atom"):
        response = await browser.get(path, headers={"Accept": "*/*"})
        assert response.status_code == 404
        assert refused(response) == ["not_found"]


@pytest.mark.rule("C15", "C34")
async def test_no_cache_keeps_a_page_longer_than_its_crud(
    browser: httpx.AsyncClient, worf: Member, database: asyncpg.Connection
) -> None:
    crud = await worf.crud("vaporous")
    path = f"/@worf/status/{crud['uuid']}"
    page = await browser.get(path)
    assert page.headers["cache-control"] == "no-store"
    robots = page.headers["x-robots-tag"].removeprefix("noarchive, unavailable_after: ")
    assert datetime.fromisoformat(robots) == datetime.fromisoformat(crud["expires_at"])
    feed = await browser.get("/@worf/feed.atom")
    assert feed.headers["cache-control"] == "private, no-cache"
    assert feed.headers["x-robots-tag"] == "noindex"
    for response in (page, feed):
        assert "vaporous" in response.text
    await expire(database, crud["uuid"])
    tag = {"If-None-Match": feed.headers["etag"]}
    for response in (
        await browser.get(path),
        await browser.get("/@worf"),
        await browser.get("/@worf/feed.atom", headers=tag),
    ):
        assert "vaporous" not in response.text
        assert crud["uuid"] not in response.text


async def test_without_its_database_a_page_still_loads(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its scripts show the failure, and try again."""
    (tmp_path / "index.html").write_text(INDEX)
    limits = Limits(monkeypatch)
    app = create_app(replace(settings, frontend_directory=str(tmp_path), pool_size=1))
    async with serving(app) as api:
        async with app.extensions["cruddur"].database.connection():
            limits.acquire(0.2)
            page = await api.http.get("/@worf", headers=VISIT)
            assert (page.status_code, page.text) == (503, INDEX)
            assert page.headers["retry-after"] == "5"
            assert page.headers["cache-control"] == "no-store"
            assert refused(await api.http.get("/@worf")) == ["unavailable"]
            assert refused(await api.http.get("/@worf/feed.atom", headers=VISIT)) == ["unavailable"]
        limits.acquire(FOREVER)
        assert (await api.http.get("/@worf", headers=VISIT)).status_code == 404


async def test_a_head_request_has_the_status_of_the_page(
    browser: httpx.AsyncClient, worf: Member
) -> None:
    for path, status in (("/@worf", 200), ("/@worf/feed.atom", 200), ("/@nobody", 404)):
        response = await browser.head(path)
        assert (response.status_code, response.content) == (status, b"")


@pytest.mark.rule("C70")
async def test_a_feed_lists_a_users_live_cruds_and_reposts(
    browser: httpx.AsyncClient, site: Quart, worf: Member, database: asyncpg.Connection
) -> None:
    odo = await Member.enter(Api(browser), database, site, "odo", "Odo")
    theirs = await odo.crud("I am the wall")
    own = await worf.crud("Today is a good day\nto crud")
    await worf.reply(own["uuid"], "a reply is on its crud's page")
    await worf.put(f"/api/activities/{theirs['uuid']}/repost")
    response = await browser.get("/@WORF/feed.atom")
    assert response.headers["content-type"] == "application/atom+xml; charset=utf-8"
    assert response.text.startswith("<?xml")
    feed = ElementTree.fromstring(response.content)
    assert feed.findtext(f"{ATOM}id") == f"{ORIGIN}/@worf"
    assert feed.findtext(f"{ATOM}title") == "Worf, son of Mogh (@worf) · Cruddur"
    links = {link.get("rel"): link.get("href") for link in feed.iterfind(f"{ATOM}link")}
    assert links == {"self": f"{ORIGIN}/@worf/feed.atom", "alternate": f"{ORIGIN}/@worf"}
    entries = {entry.findtext(f"{ATOM}id"): entry for entry in feed.iterfind(f"{ATOM}entry")}
    assert list(entries) == [f"urn:uuid:{theirs['uuid']}", f"urn:uuid:{own['uuid']}"]
    repost, crud = entries.values()
    assert repost.findtext(f"{ATOM}author/{ATOM}name") == "Odo"
    assert crud.findtext(f"{ATOM}title") == "Today is a good day to crud"
    link = crud.find(f"{ATOM}link")
    assert link is not None
    assert link.get("href") == f"{ORIGIN}/@worf/status/{own['uuid']}"
    content = crud.findtext(f"{ATOM}content") or ""
    assert content.startswith("<p>Today is a good day<br/>to crud</p><p>Expires on ")
    times = [feed.findtext(f"{ATOM}updated"), crud.findtext(f"{ATOM}published")]
    assert times == [own["created_at"].replace("Z", "+00:00")] * 2

    unchanged = await browser.get(
        "/@worf/feed.atom", headers={"If-None-Match": response.headers["etag"]}
    )
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    await database.execute("DELETE FROM activities")
    empty = ElementTree.fromstring((await browser.get("/@worf/feed.atom")).content)
    assert empty.findtext(f"{ATOM}author/{ATOM}name") == "Worf, son of Mogh"
    assert empty.findtext(f"{ATOM}updated") == "1970-01-01T00:00:00+00:00"


@pytest.mark.rule("C34", "C70", "C83")
async def test_a_link_and_a_feed_show_the_pictures_of_a_crud(
    browser: httpx.AsyncClient, worf: Member, database: asyncpg.Connection
) -> None:
    pictures = []
    for color in ("red", "blue"):
        content = file(Image.new("RGB", (60, 40), color))
        uploaded = await worf.request("POST", "/api/pictures", content=content)
        pictures.append({"uuid": uploaded.json()["uuid"], "alt": f'a "{color}" <field>'})
    body = {"message": "look", "ttl": "1-day", "pictures": pictures}
    crud = await worf.post("/api/activities", body)
    first, second = (f"{ORIGIN}{picture['url']}" for picture in crud["pictures"])

    path = f"/@worf/status/{crud['uuid']}"
    head = await head_of(browser, path)
    assert head.metas["og:image"] == first
    assert head.metas["og:image:alt"] == 'a "red" <field>'
    assert (head.metas["og:image:width"], head.metas["og:image:height"]) == ("60", "40")
    assert head.metas["twitter:card"] == "summary_large_image"

    feed = ElementTree.fromstring((await browser.get("/@worf/feed.atom")).content)
    links = feed.findall(f"{ATOM}entry/{ATOM}link[@rel='enclosure']")
    assert [(link.get("href"), link.get("type")) for link in links] == [
        (first, "image/jpeg"),
        (second, "image/jpeg"),
    ]
    content = feed.findtext(f"{ATOM}entry/{ATOM}content") or ""
    assert (
        f'<img src="{second}" alt="a &quot;blue&quot; &lt;field&gt;" width="60" height="40"/>'
        in content
    )
    await expire(database, crud["uuid"])
    for url in (path, "/@worf/feed.atom", first, second):
        response = await browser.get(url)
        assert "/api/pictures/" not in response.text, url


async def test_pages_and_feeds_are_compressed(browser: httpx.AsyncClient, worf: Member) -> None:
    crud = await worf.crud("Today is a good day. " * 10)
    for path in ("/@worf", f"/@worf/status/{crud['uuid']}", "/@worf/feed.atom"):
        plain = await browser.get(path, headers={"Accept-Encoding": "identity"})
        packed = await browser.get(path, headers={"Accept-Encoding": "br, gzip"})
        assert "content-encoding" not in plain.headers
        assert packed.headers["content-encoding"] == "gzip"
        assert int(packed.headers["content-length"]) < int(plain.headers["content-length"])
        for response in (plain, packed):
            assert response.headers["vary"].lower().count("accept-encoding") == 1
            assert "Today is a good day." in response.text or path == "/@worf"
