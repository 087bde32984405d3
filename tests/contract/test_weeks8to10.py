"""The front end of weeks 8 to 10, and the one conflict of all: the shape of a profile."""

from dataclasses import replace

import httpx
import pytest
from browser import ACTIVITY_KEYS, PROFILE_KEYS, Browser, has

from cruddur.app import create_app
from cruddur.settings import ProfileShape, Settings
from support import Member

URL = "/api/activities/@andrewbrown"
JSON = {"Content-Type": "application/json"}
NULL = {"Authorization": "Bearer null"}

# The headers and query of a request, and the shape of its answer (docs/api.md, C27).
SHAPES = {
    "weeks 0 to 7": ({}, "", "list"),
    "weeks 8 to 10, signed out": (NULL, "", "profile"),
    "the final one": (JSON, "", "profile"),
    "the final one, with a charset": (
        {"Content-Type": "application/json; charset=utf-8"}, "", "profile"
    ),
    "a form's type": ({"Content-Type": "text/plain"}, "", "list"),
    "the list, asked for": ({**JSON, **NULL}, "?shape=list", "list"),
    "the profile, asked for": ({}, "?shape=profile", "profile"),
}  # fmt: skip


def shape(answer: object) -> str:
    return "list" if isinstance(answer, list) else "profile"


@pytest.mark.parametrize(("headers", "query", "expected"), SHAPES.values(), ids=SHAPES)
async def test_the_request_decides_the_shape_of_a_profile(
    headers: dict[str, str], query: str, expected: str, andrew: Member, http: httpx.AsyncClient
) -> None:
    crud = await andrew.crud()
    response = await Browser(http).send("GET", URL + query, headers)
    assert response.status_code == 200
    answer = response.json()
    assert shape(answer) == expected
    listed = answer if expected == "list" else answer["activities"]
    assert [item["uuid"] for item in listed] == [crud["uuid"]]
    vary = {name.strip().lower() for name in response.headers["vary"].split(",")}
    assert {"origin", "authorization", "content-type"} <= vary


@pytest.mark.parametrize("pinned", ["profile", "list"])
async def test_a_setting_pins_the_shape_where_a_proxy_drops_headers(
    pinned: ProfileShape, settings: Settings, andrew: Member
) -> None:
    application = create_app(replace(settings, profile_shape=pinned))
    async with application.test_app():
        transport = httpx.ASGITransport(app=application, client=("127.0.0.1", 50000))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost:4567") as http:
            for headers in ({}, JSON, andrew.headers):
                assert shape((await http.get(URL, headers=headers)).json()) == pinned
            other = "list" if pinned == "profile" else "profile"
            assert shape((await http.get(f"{URL}?shape={other}")).json()) == other


async def test_a_profile_is_saved_by_post_and_read_with_a_token(
    andrew: Member, http: httpx.AsyncClient
) -> None:
    page = Browser(http)
    saved = await page.fetch(
        "POST",
        "/api/profile/update",
        {"Accept": "application/json", **JSON, **andrew.headers},
        {"bio": None, "display_name": "Andrew"},
    )
    assert has(saved, {"uuid", "handle", "display_name"})
    # Its GETs carry the token and no Content-Type.
    seen = await page.fetch("GET", URL, andrew.headers)
    assert has(seen["profile"], PROFILE_KEYS)
    assert (seen["profile"]["display_name"], seen["profile"]["bio"]) == ("Andrew", "")
    await andrew.crud()
    [crud] = await page.fetch("GET", "/api/activities/home", andrew.headers)
    assert has(crud, ACTIVITY_KEYS)
