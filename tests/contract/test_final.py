"""The final front end, request by request: its headers, its bodies, the keys that it reads.

Its helper sets a JSON Content-Type on every verb, so that even its GETs are preflighted; it
takes 200 alone for success, and parses whatever comes.
"""

import io
from typing import Any

import httpx
import pytest
from browser import (
    ACTIVITY_KEYS,
    MESSAGE_GROUP_KEYS,
    MESSAGE_KEYS,
    PROFILE_KEYS,
    Browser,
    has,
    is_time,
)
from PIL import Image

from support import Member

PLAIN = {"Accept": "application/json", "Content-Type": "application/json"}
SIGNED_OUT = {**PLAIN, "Authorization": "Bearer null"}


def signed_in(member: Member) -> dict[str, str]:
    return {**PLAIN, **member.headers}


@pytest.fixture
def page(http: httpx.AsyncClient) -> Browser:
    return Browser(http)


async def test_the_feed_is_public_to_a_signed_out_visitor(page: Browser, andrew: Member) -> None:
    await andrew.crud()
    [seen] = await page.fetch("GET", "/api/activities/home", SIGNED_OUT)
    assert has(seen, ACTIVITY_KEYS)
    assert is_time(seen["created_at"])
    assert is_time(seen["expires_at"])
    assert page.preflights == ["GET /api/activities/home"]


async def test_a_crud_is_posted_shown_and_replied_to(
    page: Browser, andrew: Member, bayko: Member
) -> None:
    posted = await page.fetch(
        "POST",
        "/api/activities",
        signed_in(andrew),
        {"message": "I will be gone in a week", "ttl": "7-days"},
    )
    assert has(posted, ACTIVITY_KEYS)
    status_url = f"/api/activities/@{posted['handle']}/status/{posted['uuid']}"
    shown = await page.fetch("GET", status_url, PLAIN)
    assert has(shown["activity"], ACTIVITY_KEYS)
    assert shown["replies"] == []
    reply = await page.fetch(
        "POST",
        f"/api/activities/{posted['uuid']}/reply",
        signed_in(bayko),
        {"activity_uuid": posted["uuid"], "message": "So will I"},
    )
    assert has(reply, ACTIVITY_KEYS)
    assert reply["reply_to_activity_uuid"] == posted["uuid"]
    assert reply["expires_at"] == posted["expires_at"]
    shown = await page.fetch("GET", status_url, PLAIN)
    assert [item["uuid"] for item in shown["replies"]] == [reply["uuid"]]
    assert shown["activity"]["replies_count"] == 1
    [top] = await page.fetch("GET", "/api/activities/home", signed_in(andrew))
    assert top["uuid"] == posted["uuid"]


async def test_a_profile_is_an_object_and_is_saved_by_put(page: Browser, andrew: Member) -> None:
    crud = await andrew.crud()
    # This page alone sends no token.
    seen = await page.fetch("GET", "/api/activities/@andrewbrown", PLAIN)
    assert has(seen["profile"], PROFILE_KEYS)
    assert seen["profile"]["cognito_user_uuid"] == str(andrew.uuid)
    assert seen["profile"]["cruds_count"] == 1
    assert [item["uuid"] for item in seen["activities"]] == [crud["uuid"]]
    assert has(seen["activities"][0], ACTIVITY_KEYS)
    saved = await page.fetch(
        "PUT", "/api/profile/update", signed_in(andrew), {"bio": "Here", "display_name": "A. B."}
    )
    assert has(saved, {"uuid", "handle", "display_name"})
    again = await page.fetch("GET", "/api/activities/@andrewbrown", PLAIN)
    assert again["profile"]["bio"] == "Here"
    assert again["profile"]["display_name"] == "A. B."


async def test_an_avatar_is_uploaded_to_the_signed_address(page: Browser, andrew: Member) -> None:
    answer = await page.fetch(
        "POST", "/avatars/key_upload", signed_in(andrew), {"extension": "jpg"}
    )
    assert set(answer) == {"url"}
    picture = io.BytesIO()
    Image.new("RGB", (600, 400), "purple").save(picture, "JPEG")
    # The address is the whole permission: no token goes with the file.
    await page.fetch("PUT", answer["url"], {"Content-Type": "image/jpeg"}, picture.getvalue())
    shown = await page.http.get(f"/api/avatars/{andrew.uuid}.jpg")
    assert shown.status_code == 200
    assert Image.open(io.BytesIO(shown.content)).size == (512, 512)


async def test_a_conversation_begins_from_a_handle_and_goes_on_by_uuid(
    page: Browser, andrew: Member, bayko: Member
) -> None:
    headers = signed_in(andrew)
    assert await page.fetch("GET", "/api/message_groups", headers) == []
    short = await page.fetch("GET", "/api/users/@bayko/short", headers)
    assert has(short, {"uuid", "handle", "display_name"})
    first = await page.fetch("POST", "/api/messages", headers, {"message": "1", "handle": "bayko"})
    group = first["message_group_uuid"]
    second = await page.fetch(
        "POST",
        "/api/messages",
        signed_in(bayko),
        {"message": "2", "message_group_uuid": group},
    )
    assert has(second, MESSAGE_KEYS | {"message_group_uuid"})
    assert second["message_group_uuid"] == group
    assert second["uuid"] not in {first["uuid"], str(bayko.uuid)}
    [listed] = await page.fetch("GET", "/api/message_groups", headers)
    assert has(listed, MESSAGE_GROUP_KEYS)
    assert (listed["uuid"], listed["handle"], listed["message"]) == (group, "bayko", "2")
    read = await page.fetch("GET", f"/api/messages/{group}", headers)
    assert [item["message"] for item in read] == ["1", "2"]
    assert all(has(item, MESSAGE_KEYS) and is_time(item["created_at"]) for item in read)
    # The link on an avatar inside the chat leads here.
    assert await page.fetch("GET", "/api/messages/@bayko", headers) == read


async def test_a_notification_is_drawn_opened_and_replied_to_as_a_crud(
    page: Browser, andrew: Member, bayko: Member
) -> None:
    crud = await andrew.crud("What do you say?")
    await bayko.put(f"/api/activities/{crud['uuid']}/like")
    await bayko.reply(crud["uuid"], "I say yes")
    headers = signed_in(andrew)
    found = await page.fetch("GET", "/api/activities/notifications", headers)
    assert [note["kind"] for note in found] == ["reply", "like"]
    assert len({note["uuid"] for note in found}) == 2
    for note in found:
        assert has(note, ACTIVITY_KEYS)
        link = f"/api/activities/@{note['handle']}/status/{note['uuid']}"
        opened = await page.fetch("GET", link, headers)
        assert has(opened["activity"], ACTIVITY_KEYS)
    liked = found[1]
    reply = await page.fetch(
        "POST",
        f"/api/activities/{liked['uuid']}/reply",
        headers,
        {"activity_uuid": liked["uuid"], "message": "Thanks"},
    )
    assert reply["reply_to_activity_uuid"] == crud["uuid"]


@pytest.mark.usefixtures("acquainted")
async def test_a_message_notification_is_opened_by_its_link(
    page: Browser, andrew: Member, bayko: Member
) -> None:
    await bayko.message("andrewbrown", "psst")
    headers = signed_in(andrew)
    [note] = await page.fetch("GET", "/api/activities/notifications", headers)
    link = f"/api/activities/@{note['handle']}/status/{note['uuid']}"
    opened = await page.fetch("GET", link, headers)
    assert opened["activity"]["message"] == "psst"
    assert opened["replies"] == []


async def test_notifications_of_a_signed_out_visitor_are_an_empty_list(page: Browser) -> None:
    assert await page.fetch("GET", "/api/activities/notifications", SIGNED_OUT) == []


FORMS: list[tuple[str, str, dict[str, Any], str]] = [
    ("POST", "/api/activities", {"message": "", "ttl": "7-days"}, "message_blank"),
    ("POST", "/api/activities/{crud}/reply", {"activity_uuid": "{crud}", "message": ""},
     "message_blank"),
    ("POST", "/api/messages", {"message": "", "handle": "bayko"}, "message_blank"),
    ("POST", "/api/messages", {"message": "", "message_group_uuid": "{group}"}, "message_blank"),
    ("POST", "/api/messages", {"message": "x" * 1025, "message_group_uuid": "{group}"},
     "message_exceed_max_chars_1024"),
    ("PUT", "/api/profile/update", {"bio": "x", "display_name": ""}, "display_name_blank"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "url", "body", "code"), FORMS)
async def test_a_form_is_refused_with_a_list_of_codes(
    method: str,
    url: str,
    body: dict[str, Any],
    code: str,
    page: Browser,
    andrew: Member,
    bayko: Member,
) -> None:
    found = {
        "crud": (await bayko.crud())["uuid"],
        "group": (await bayko.message("andrewbrown"))["message_group_uuid"],
    }
    body = {name: value.format(**found) for name, value in body.items()}
    url = url.format(**found)
    assert await page.refusal(method, url, signed_in(andrew), body) == (422, [code])
    assert await page.refusal(method, url, SIGNED_OUT, body) == (401, ["generic_401"])


@pytest.mark.parametrize(
    "url",
    [
        "/api/activities/@nobody",
        "/api/activities/@nobody/status/5ae290ed-55d1-47a0-bc6d-fe2bc2700399",
        "/api/activities/@andrewbrown/status/nonsense",
        "/api/users/@nobody/short",
        "/api/messages/5ae290ed-55d1-47a0-bc6d-fe2bc2700399",
    ],
)
async def test_a_miss_is_not_taken_for_success(url: str, page: Browser, andrew: Member) -> None:
    assert await page.refusal("GET", url, signed_in(andrew)) == (404, ["not_found"])
