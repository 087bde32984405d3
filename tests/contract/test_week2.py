"""The front end of week 2, request by request. It sends no identity at all, so the server
acts as the demo user; it draws what it gets and never shows an error."""

from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest
from browser import ACTIVITY_KEYS, MESSAGE_GROUP_KEYS, MESSAGE_KEYS, Browser, has, is_time
from quart import Quart

from cruddur.app import create_app
from cruddur.settings import Settings
from support import Member

WRITES = {"Accept": "application/json", "Content-Type": "application/json"}


@pytest.fixture
async def demo(settings: Settings) -> AsyncIterator[Quart]:
    """The application with the demo identity switched on."""
    application = create_app(replace(settings, demo_handle="andrewbrown"))
    async with application.test_app():
        yield application


@pytest.fixture
async def page(demo: Quart, andrew: Member, bayko: Member) -> AsyncIterator[Browser]:
    """A page of it; Andrew Brown is who it acts as, and Bayko somebody to write to."""
    assert {andrew.handle, bayko.handle} == {"andrewbrown", "bayko"}
    transport = httpx.ASGITransport(app=demo, client=("127.0.0.1", 50000))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:4567") as http:
        yield Browser(http)


async def test_a_crud_is_posted_and_replied_to_in_the_feed(page: Browser) -> None:
    assert await page.fetch("GET", "/api/activities/home") == []
    posted = await page.fetch(
        "POST", "/api/activities", WRITES, {"message": "Hello", "ttl": "7-days"}
    )
    assert has(posted, ACTIVITY_KEYS)
    assert posted["handle"] == "andrewbrown"
    assert posted["replies"] == []  # the reply form pushes into it, without asking for the feed
    reply = await page.fetch(
        "POST",
        f"/api/activities/{posted['uuid']}/reply",
        WRITES,
        {"activity_uuid": posted["uuid"], "message": "Hello yourself"},
    )
    assert has(reply, ACTIVITY_KEYS)
    [seen] = await page.fetch("GET", "/api/activities/home")
    assert has(seen, ACTIVITY_KEYS)
    assert isinstance(seen["replies"], list)
    assert is_time(seen["created_at"])
    assert is_time(seen["expires_at"])
    # A GET without headers of its own is a simple request.
    assert page.preflights == [
        "POST /api/activities",
        f"POST /api/activities/{posted['uuid']}/reply",
    ]


async def test_a_profile_is_a_list(page: Browser, andrew: Member) -> None:
    crud = await andrew.crud()
    [seen] = await page.fetch("GET", "/api/activities/@andrewbrown")
    assert has(seen, ACTIVITY_KEYS)
    assert seen["uuid"] == crud["uuid"]


async def test_notifications_are_those_of_the_demo_user(page: Browser, bayko: Member) -> None:
    crud = await bayko.crud("@andrewbrown look at this")
    [note] = await page.fetch("GET", "/api/activities/notifications")
    assert has(note, ACTIVITY_KEYS)
    assert note["handle"] == "bayko"
    reply = await page.fetch(
        "POST",
        f"/api/activities/{note['uuid']}/reply",
        WRITES,
        {"activity_uuid": note["uuid"], "message": "I do"},
    )
    assert reply["reply_to_activity_uuid"] == crud["uuid"]


async def test_a_conversation_is_read_and_written_by_handle(page: Browser, bayko: Member) -> None:
    url = "/api/messages/@bayko"
    assert await page.fetch("GET", url) == []
    sent = await page.fetch(
        "POST", "/api/messages", WRITES, {"message": "1", "user_receiver_handle": "bayko"}
    )
    assert has(sent, MESSAGE_KEYS)  # it is appended to the list as it is
    await bayko.message("andrewbrown", "2")
    read = await page.fetch("GET", url)
    assert [item["message"] for item in read] == ["1", "2"]
    assert all(has(item, MESSAGE_KEYS) and is_time(item["created_at"]) for item in read)
    # The original read the name from here, misspelt; the path says it already.
    assert await page.fetch("GET", f"{url}?user_reciever_handle=bayko") == read
    [group] = await page.fetch("GET", "/api/message_groups")
    assert has(group, MESSAGE_GROUP_KEYS)
    assert (group["handle"], group["message"]) == ("bayko", "2")


@pytest.mark.parametrize(
    ("url", "body", "status", "code"),
    [
        ("/api/activities", {"message": "", "ttl": "7-days"}, 422, "message_blank"),
        ("/api/activities", {"message": "x" * 281, "ttl": "7-days"}, 422,
         "message_exceed_max_chars"),
        ("/api/activities", {"message": "x", "ttl": ""}, 422, "ttl_blank"),
        ("/api/messages", {"message": "x", "user_receiver_handle": ""}, 422,
         "user_reciever_handle_blank"),
        ("/api/messages", {"message": "x", "user_receiver_handle": "Nobody Known"}, 404,
         "not_found"),
    ],
)  # fmt: skip
async def test_a_form_is_refused_with_a_list_of_codes(
    url: str, body: dict[str, str], status: int, code: str, page: Browser
) -> None:
    assert await page.refusal("POST", url, WRITES, body) == (status, [code])


async def test_handles_of_the_mocks_with_spaces_are_nobody_and_no_fault(page: Browser) -> None:
    for url in ("/api/activities/@Andrew%20Brown", "/api/messages/@Andrew%20Brown"):
        assert await page.refusal("GET", url) == (404, ["not_found"])


async def test_a_token_wins_over_the_demo_identity(page: Browser, bayko: Member) -> None:
    posted = await page.fetch(
        "POST", "/api/activities", {**WRITES, **bayko.headers}, {"message": "x", "ttl": "1-day"}
    )
    assert posted["handle"] == "bayko"


async def test_without_the_demo_identity_writes_are_refused(http: httpx.AsyncClient) -> None:
    body = {"message": "x", "ttl": "1-day"}
    page = Browser(http)
    assert await page.refusal("POST", "/api/activities", WRITES, body) == (401, ["generic_401"])
    assert await page.fetch("GET", "/api/activities/home") == []
