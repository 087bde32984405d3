"""No link makes the service reach a private network, wait for long, or use much memory."""

import gzip
import os
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest
from quart import Quart

from certificates import SECURE_HOST
from cruddur.app import create_app
from cruddur.public_web import client
from cruddur.settings import Settings
from fakes.sink import FAULTS, Response, ResponseFault
from fakes.web import PUBLIC, FakeInternet, Web, html, redirect, titled
from pictures import png
from previews.waiting import previewed, settled, until
from support import Api, Member, count_rows, serving

pytestmark = pytest.mark.rule("C89")

SPECIAL = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",  # metadata of Alibaba Cloud
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",  # the host of a virtual machine in Azure
    "169.254.169.254",  # metadata of most clouds
    "169.254.170.2",  # credentials of a container in ECS
    "172.16.0.1",
    "172.31.255.254",
    "192.0.0.192",  # metadata of Oracle Cloud
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",  # IPv4-compatible
    "::ffff:127.0.0.1",  # IPv4-mapped
    "::ffff:93.184.215.14",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",  # NAT64
    "64:ff9b::5db8:d70e",
    "64:ff9b:1::7f00:1",
    "100::1",
    "2001::1",  # Teredo
    "2001:0:5db8:d70e::1",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::1",  # 6to4
    "2002:5db8:d70e::1",
    "3fff::1",
    "4000::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",  # metadata of AWS
    "fe80::1",
    "fe80::1%lo",
    "fec0::1",
    "ff02::1",
]

ORDINARY = ["1.1.1.1", "93.184.215.14", "2606:4700:4700::1111", "2a00:1450:4001:800::200e"]


@pytest.fixture
def secure_web(internet: FakeInternet) -> Iterator[Web]:
    """A server with TLS, whose certificate is for SECURE_HOST only."""
    with Web(Path(os.environ["SSL_CERT_FILE"])) as server:
        internet.secure_web = server
        yield server


async def post(author: Member, links: list[str], database: asyncpg.Connection) -> None:
    """Post cruds with these links, and wait until all previews are settled."""
    for link in links:
        await author.crud(link)
    await settled(database, len(links))


async def shown(author: Member) -> int:
    """Return the number of cruds with a preview."""
    return sum("preview" in crud for crud in await author.get("/api/activities/home?limit=100"))


async def test_only_public_addresses_are_connected_to(
    author: Member, internet: FakeInternet, web: Web, database: asyncpg.Connection
) -> None:
    for n, address in enumerate([*SPECIAL, *ORDINARY]):
        internet.names[f"h{n}.example"] = [[address]]
        web.pages[f"h{n}.example/"] = titled()
    await post(author, [f"http://{host}/" for host in internet.names], database)
    assert {address for address, _ in internet.connected} == set(ORDINARY)
    assert await shown(author) == len(ORDINARY)


async def test_the_special_addresses_of_a_host_are_skipped(
    author: Member, internet: FakeInternet, web: Web, database: asyncpg.Connection
) -> None:
    internet.names["mixed.example"] = [["10.0.0.1", "::ffff:10.0.0.1", PUBLIC]]
    web.pages["mixed.example/"] = titled()
    await post(author, ["http://mixed.example/"], database)
    assert internet.connected == [(PUBLIC, 80)]


async def test_the_address_that_was_checked_is_the_one_that_is_connected_to(
    author: Member, internet: FakeInternet, web: Web, database: asyncpg.Connection
) -> None:
    """DNS rebinding: the name server answers with a private address from the second time on."""
    internet.names["rebound.example"] = [[PUBLIC], ["127.0.0.1"]]
    web.pages["rebound.example/"] = titled()
    await post(author, ["http://rebound.example/"], database)
    assert internet.looked_up == ["rebound.example"]
    assert internet.connected == [(PUBLIC, 80)]
    assert await shown(author) == 1


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "127.1", "0", "[::1]",
     "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "[fe80::1]"],
)  # fmt: skip
async def test_a_number_is_an_address_in_every_form(
    host: str, author: Member, internet: FakeInternet, web: Web, database: asyncpg.Connection
) -> None:
    """The link itself may have no preview. A redirect reaches the look-up."""
    web.pages["a.example/"] = redirect(f"http://{host}/")
    await post(author, ["http://a.example/"], database)
    assert internet.connected == [(PUBLIC, 80)]


@pytest.mark.parametrize(
    "target",
    [
        "http://private.example/",
        "//private.example/",
        "http://169.254.169.254/latest/meta-data/",
        "http://b.example:8080/",
        "http://b.example:22/",
        "http://user:secret@b.example/",
        "http://user@b.example/",
        "ftp://b.example/",
        "file:///etc/passwd",
        "gopher://b.example/",
        "data:text/html,<title>x</title>",
        "http://[",
        "http://b.example:99999/",
        f"http://b.example/{'x' * 2000}",
    ],
)
async def test_a_redirect_is_checked_like_the_link(
    target: str, author: Member, internet: FakeInternet, web: Web, database: asyncpg.Connection
) -> None:
    internet.names["private.example"] = [["10.0.0.1"]]
    web.pages["a.example/"] = redirect(target)
    await post(author, ["http://a.example/"], database)
    assert internet.connected == [(PUBLIC, 80)]
    assert await shown(author) == 0


@pytest.mark.parametrize(("count", "expected"), [(4, 1), (5, 0)])
async def test_at_most_four_redirects_are_followed(
    count: int, expected: int, author: Member, web: Web, database: asyncpg.Connection
) -> None:
    for n in range(count):
        web.pages[f"r{n}.example/"] = redirect(f"http://r{n + 1}.example/")
    web.pages[f"r{count}.example/"] = titled()
    await post(author, ["http://r0.example/"], database)
    assert await shown(author) == expected
    assert len(web.fetched) == 5


async def test_a_picture_is_fetched_with_the_same_protection(
    author: Member, internet: FakeInternet, web: Web, database: asyncpg.Connection
) -> None:
    internet.names["private.example"] = [["10.0.0.1"]]
    pictures = [
        "http://private.example/picture",
        "http://127.0.0.1/picture",
        "http://b.example:8080/picture",
        "file:///etc/passwd",
        "http://moved.example/picture",
        "http://[",
    ]
    web.pages["moved.example/picture"] = redirect("http://private.example/picture")
    for n, picture in enumerate(pictures):
        web.pages[f"p{n}.example/"] = html(
            f'<title>A title</title><meta property="og:image" content="{picture}">'
        )
    await post(author, [f"http://p{n}.example/" for n in range(len(pictures))], database)
    assert await shown(author) == len(pictures)
    assert set(web.fetched) == {f"p{n}.example/" for n in range(len(pictures))} | {
        "moved.example/picture"
    }


@pytest.mark.parametrize(
    "link",
    [
        "http://user:secret@b.example/",
        "http://b.example:8080/",
        "https://b.example:22/",
        f"http://b.example/{'ä' * 700}",
    ],
)
async def test_some_links_are_never_fetched(
    link: str, author: Member, internet: FakeInternet, database: asyncpg.Connection
) -> None:
    parent = await author.crud("tea")
    await author.reply(parent["uuid"], link)
    assert await count_rows(database, "activity_links") == 0
    assert internet.looked_up == []


async def test_the_certificate_must_be_for_the_name_of_the_link(
    author: Member, internet: FakeInternet, secure_web: Web, database: asyncpg.Connection
) -> None:
    secure_web.pages = {f"{SECURE_HOST}/": titled(), "other.example/": titled()}
    assert await previewed(author, await author.crud(f"https://{SECURE_HOST}/"))
    await author.crud("https://other.example/")
    await until(
        database,
        "SELECT attempts = 1 AND fetch_at < now() + interval '1 minute' FROM previews"
        " WHERE title IS NULL",
    )
    assert secure_web.fetched == [f"{SECURE_HOST}/"]


async def test_servers_learn_nothing_about_the_reader_or_from_each_other(
    author: Member, web: Web, database: asyncpg.Connection
) -> None:
    """Neither cookies nor the trace context leave the service."""
    cookie = {"Set-Cookie": "tracked=1; Path=/; Max-Age=1000"}
    web.pages["a.example/"] = redirect("http://a.example/next", **cookie)
    web.pages["a.example/next"] = replace(titled(), headers=cookie)
    web.pages["a.example/again"] = titled()
    await post(author, ["http://a.example/", "http://a.example/again"], database)
    assert len(web.requests) == 3
    for request in web.requests:
        names = {name.lower() for name in request.headers}
        assert names == {"host", "user-agent", "accept", "accept-encoding"}
        assert request.headers["User-Agent"].startswith("Cruddur/")


async def test_the_proxies_of_the_environment_do_not_apply(
    previewing: Callable[..., Quart],
    web: Web,
    internet: FakeInternet,
    database: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, web.refused_url)
    web.pages["a.example/"] = titled()
    app = previewing()
    async with serving(app) as api:
        author = await Member.enter(api, database, app, "author", "Author")
        assert await previewed(author, await author.crud("http://a.example/"))
    assert internet.connected == [(PUBLIC, 80)]


@pytest.fixture
async def hasty(
    previewing: Callable[..., Quart], database: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Member]:
    """A member of an application that waits a second for a page."""
    monkeypatch.setattr(client, "SECONDS", 1.0)
    app = previewing()
    async with serving(app) as api:
        yield await Member.enter(api, database, app, "author", "Author")


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("kind", ["page", "picture"])
async def test_a_response_that_is_sent_badly_ends(
    kind: str, fault: ResponseFault, hasty: Member, web: Web, database: asyncpg.Connection
) -> None:
    """It never ends, arrives slowly, or decompresses to 64 MiB."""
    title = '<title>A title</title><meta property="og:image" content="/picture">'
    web.pages["a.example/"] = html(title)
    web.pages["a.example/picture"] = Response(body=png(10, 10), content_type="image/png")
    path = "/" if kind == "page" else "/picture"
    page = web.pages[f"a.example{path}"]
    web.pages[f"a.example{path}"] = replace(page, fault=fault)
    await hasty.crud("http://a.example/")
    await until(
        database,
        "SELECT attempts = 1 AND (fetch_at IS NULL OR fetch_at < now() + interval '1 minute')"
        " FROM previews",
    )
    [crud] = await hasty.get("/api/activities/home")
    if kind == "picture":
        assert crud["preview"]["picture_url"] is None
    else:
        assert "preview" not in crud
    assert web.sent_badly < 32 * 1024 * 1024


async def test_a_compressed_page_is_read_to_its_limit(
    author: Member, web: Web, database: asyncpg.Connection
) -> None:
    """Its title is found, and what follows 512 KiB is not decompressed."""
    page = b"<title>A title</title>" + b"<p>text</p>" * 1_000_000
    web.pages["a.example/"] = Response(
        body=gzip.compress(page),
        content_type="text/html",
        headers={"Content-Encoding": "gzip"},
    )
    web.pages["b.example/"] = replace(web.pages["a.example/"], headers={"Content-Encoding": "br"})
    web.pages["c.example/"] = replace(web.pages["a.example/"], body=b"no gzip")
    links = [f"http://{name}.example/" for name in "abc"]
    await post(author, links, database)
    assert await shown(author) == 1


async def test_a_picture_that_is_too_large_is_not_read(
    author: Member, web: Web, database: asyncpg.Connection
) -> None:
    web.pages["a.example/"] = html(
        '<title>A title</title><meta property="og:image" content="/picture">'
    )
    web.pages["a.example/picture"] = Response(
        body=png(10, 10) + bytes(8 * 1024 * 1024), content_type="image/png"
    )
    preview = await previewed(author, await author.crud("http://a.example/"))
    assert preview["picture_url"] is None


async def test_a_page_that_is_expensive_to_parse_does_no_harm(
    author: Member, web: Web, database: asyncpg.Connection
) -> None:
    """A parser that builds the tree of HTML5 takes gigabytes for the first one."""
    bodies = [
        "<title>A title</title><p>" + "".join(f"<b {n}>" for n in range(500)) + "<p>x" * 120_000,
        "<title>A title</title>" + "<a " * 170_000,
        "<title>A title</title>" + "<!--" * 130_000,
        "<title>" * 70_000,
        "<meta " + "a " * 250_000,
        "&" * 500_000,
    ]
    for n, body in enumerate(bodies):
        web.pages[f"h{n}.example/"] = Response(body=body.encode(), content_type="text/html")
    await post(author, [f"http://h{n}.example/" for n in range(len(bodies))], database)
    web.pages["a.example/"] = titled()
    assert await previewed(author, await author.crud("http://a.example/"))


@pytest.mark.parametrize(
    ("text", "encoding", "content_type"),
    [
        pytest.param(
            "<title>Grüße</title>", "latin-1", "text/html; charset=ISO-8859-1", id="header"
        ),
        pytest.param(
            "<meta charset=shift_jis><title>東京</title>", "cp932", "text/html", id="meta"
        ),
        pytest.param("<title>Grüße</title>", "utf-8-sig", "text/html; charset=latin1", id="mark"),
        pytest.param("<title>Grüße</title>", "utf-8", "text/html", id="UTF-8"),
        pytest.param("<title>“Grüße”</title>", "cp1252", "text/html", id="guess"),
        pytest.param("<title>Grüße</title>", "utf-8", "text/html; charset=idna", id="no charset"),
        pytest.param("<title>Grüße</title>", "utf-8", "text/html; charset=../x", id="no name"),
        pytest.param("<title>Grüße</title>", "utf-8", "application/xhtml+xml", id="XHTML"),
    ],
)
async def test_a_page_is_read_in_its_charset(
    text: str, encoding: str, content_type: str, author: Member, web: Web
) -> None:
    web.pages["a.example/"] = Response(body=text.encode(encoding), content_type=content_type)
    preview = await previewed(author, await author.crud("http://a.example/"))
    expected = {"“Grüße”"} if encoding == "cp1252" else {"Grüße", "東京"}
    assert preview["title"] in expected


@pytest.mark.parametrize(
    ("head", "title", "description"),
    [
        pytest.param(
            '<meta name="twitter:title" content="A"><meta name="description" content="B">',
            "A", "B", id="twitter",
        ),
        pytest.param("<title>A &amp; B\u202e\x07C</title>", "A & B C", "", id="control"),
        pytest.param(f"<title>{'x' * 300}</title>", f"{'x' * 199}…", "", id="long"),
        pytest.param(
            '<script>"<title>no</title>"</script><title>A</title>'
            "<svg><title>no</title></svg>", "A", "", id="other titles",
        ),
        pytest.param("<title><img src=x onerror=alert(1)></title>", "<img src=x onerror=alert(1)>",
                     "", id="markup"),
    ],
)  # fmt: skip
async def test_the_texts_of_a_preview_are_plain_lines(
    head: str, title: str, description: str, author: Member, web: Web
) -> None:
    web.pages["a.example/"] = html(head)
    preview = await previewed(author, await author.crud("http://a.example/"))
    assert (preview["title"], preview["description"]) == (title, description)


async def test_the_site_is_the_host_that_the_reader_will_visit(author: Member, web: Web) -> None:
    """Neither the name that a page gives itself nor the end of a redirect, which may differ."""
    web.pages["www.evil.example/"] = redirect("http://bank.example/")
    web.pages["bank.example/"] = html(
        '<title>Your bank</title><meta property="og:site_name" content="bank.example">'
    )
    preview = await previewed(author, await author.crud("http://www.evil.example/"))
    assert preview["site"] == "evil.example"


async def test_an_address_that_does_not_respond_is_skipped(
    author: Member, internet: FakeInternet, web: Web, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    web.pages["a.example/"] = titled()
    internet.names["a.example"] = [["2606:4700:4700::1111", PUBLIC]]
    endpoint = internet.endpoint
    refused = int(web.refused_url.rpartition(":")[2])

    def reach(address: object, port: int) -> tuple[str, int]:
        host, found = endpoint(address, port)  # type: ignore[arg-type]  # an address
        return (host, refused) if ":" in str(address) else (host, found)

    monkeypatch.setattr(internet, "endpoint", reach)
    assert await previewed(author, await author.crud("http://a.example/"))


async def test_the_look_ups_of_the_operating_system_are_checked(
    settings: Settings, database: asyncpg.Connection
) -> None:
    """A refused host is not tried again; an unreachable one would be."""
    app = create_app(replace(settings, previews="on"))
    async with serving(app) as api:
        author = await Member.enter(api, database, app, "author", "Author")
        await post(author, ["http://127.0.0.1/", "http://[::1]/", "http://127.1/"], database)
        assert await database.fetchval("SELECT max(attempts) FROM previews") == 1
        assert await shown(author) == 0
