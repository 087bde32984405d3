"""Pages of cruds are compressed for clients that accept it; responses with secrets are not."""

import httpx
import pytest

from support import Api, Member

HOME = "/api/activities/home"
LONG = "Say it now, it will be gone soon. " * 8
MANY = 12


@pytest.fixture
async def cruds(andrew: Member) -> None:
    """Enough text for a compressed page."""
    for number in range(MANY):
        await andrew.crud(f"{number} {LONG}")


async def read(api: Api, path: str, encoding: str, **headers: str) -> httpx.Response:
    return await api.request("GET", path, headers={"Accept-Encoding": encoding, **headers})


def sent_bytes(response: httpx.Response) -> int:
    return int(response.headers["content-length"])


@pytest.mark.usefixtures("cruds")
@pytest.mark.parametrize(
    "path", [HOME, "/api/activities/@andrewbrown?shape=profile", "/api/activities/search?term=gone"]
)
async def test_a_page_of_cruds_is_compressed(api: Api, bayko: Member, path: str) -> None:
    for reader in (api, bayko):
        for _ in range(4):  # computed, noted, stored, cached
            plain = await read(reader, path, "identity")
            assert "content-encoding" not in plain.headers
            packed = await read(reader, path, "br, gzip")
            assert packed.headers["content-encoding"] == "gzip"
            assert sent_bytes(packed) * 3 < sent_bytes(plain) == len(plain.content)
            assert packed.content == plain.content
            assert packed.headers["etag"] == plain.headers["etag"]
            for response in (plain, packed):
                assert "Accept-Encoding" in response.headers["vary"].split(", ")


@pytest.mark.usefixtures("cruds")
async def test_the_first_response_is_compressed_too(api: Api) -> None:
    response = await read(api, f"{HOME}?limit=11", "gzip")
    assert response.headers["content-encoding"] == "gzip"
    assert len(response.json()) == 11


@pytest.mark.usefixtures("cruds")
@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("gzip", "gzip"),
        ("GZIP;q=0.5", "gzip"),
        ("*", "gzip"),
        ("gzip;q=0", None),
        ("br", None),
        ("", None),
    ],
)
async def test_the_client_chooses(api: Api, accepted: str, encoding: str | None) -> None:
    assert (await read(api, HOME, accepted)).headers.get("content-encoding") == encoding


@pytest.mark.usefixtures("cruds")
async def test_a_known_page_is_not_sent_again(api: Api) -> None:
    etag = (await read(api, HOME, "gzip")).headers["etag"]
    response = await api.request(
        "GET", HOME, headers={"Accept-Encoding": "gzip", "If-None-Match": etag}, expect=304
    )
    assert response.content == b""
    assert "content-encoding" not in response.headers
    assert "Accept-Encoding" in response.headers["vary"].split(", ")


async def test_a_short_page_is_not_compressed(api: Api, andrew: Member) -> None:
    await andrew.crud("short")
    assert "content-encoding" not in (await read(api, HOME, "gzip")).headers


async def test_private_text_is_not_compressed(andrew: Member, bayko: Member) -> None:
    """The length of a compressed response would show what an attacker's text has in common."""
    for number in range(MANY):
        await bayko.post("/api/messages", {"message": f"{number} {LONG}", "handle": andrew.handle})
    for path in (f"/api/messages/@{bayko.handle}", "/api/message_groups", "/api/auth/sessions"):
        response = await read(andrew, path, "gzip")
        assert "content-encoding" not in response.headers
