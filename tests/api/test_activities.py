"""Cruds, replies and feeds."""

import dataclasses
import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from cruddur.app import BODY_BYTES, create_app
from cruddur.settings import Settings
from support import JSON, Api, Member, count_rows, expire, pages, refused

HOME = "/api/activities/home"
ANDREW = "/api/activities/@andrewbrown"

CRUD_KEYS = {
    "uuid",
    "display_name",
    "handle",
    "avatar_url",
    "message",
    "created_at",
    "expires_at",
    "replies_count",
    "reposts_count",
    "likes_count",
    "reply_to_activity_uuid",
    "pictures",
    "replies",
}
VIEWER_KEYS = {"liked", "reposted"}
REPLY_KEYS = CRUD_KEYS | {"reply_to_handle"}

LIFETIMES = {
    "30-days": timedelta(days=30),
    "7-days": timedelta(days=7),
    "3-days": timedelta(days=3),
    "1-day": timedelta(days=1),
    "12-hours": timedelta(hours=12),
    "3-hours": timedelta(hours=3),
    "1-hour": timedelta(hours=1),
}

BAD_TOKENS = ["Bearer null", "Bearer a b", "Bearer", "Bearer ", "Basic YTpi", "garbage", "", "\xff"]

INVISIBLE = [
    *("", " ", " \t\r\n", "\u200b\u2060\ufeff", "\u3000\u2003", "\u2800", "\u0007"),
    *("\U000e0041\U000e007f", "\U000e0100", "\U0001d173 \U0001bca0", "\ufff0"),
]
NOT_TEXT = [None, 7, True, ["hello"], {"text": "hello"}]


def uuids(cruds: list[Any]) -> list[str]:
    return [crud["uuid"] for crud in cruds]


def messages(cruds: list[Any]) -> list[str]:
    return [crud["message"] for crud in cruds]


def lifetime(crud: Any) -> timedelta:
    return datetime.fromisoformat(crud["expires_at"]) - datetime.fromisoformat(crud["created_at"])


async def status_of(api: Api, crud: Any, **options: Any) -> Any:
    return await api.get(f"/api/activities/@{crud['handle']}/status/{crud['uuid']}", **options)


async def insert_cruds(conn: asyncpg.Connection, author: Member, number: int) -> list[str]:
    """Insert cruds with one creation time; return them in read order, the greatest uuid first."""
    rows = await conn.fetch(
        "INSERT INTO activities (user_uuid, message, expires_at)"
        " SELECT $1, 'crud ' || n, now() + interval '1 day' FROM generate_series(1, $2) AS n"
        " RETURNING uuid",
        author.uuid, number,
    )  # fmt: skip
    return [str(uuid) for uuid in sorted((row["uuid"] for row in rows), reverse=True)]


# --- Home -----------------------------------------------------------------------------


async def test_home_shows_a_posted_crud_to_all_viewers(api: Api, andrew: Member) -> None:
    posted = await andrew.crud("Hello #world")
    [seen] = await api.get(HOME)
    assert seen == {key: value for key, value in posted.items() if key not in VIEWER_KEYS}
    [own] = await andrew.get(HOME)
    assert own == posted


async def test_home_of_an_empty_database_is_an_empty_array(api: Api) -> None:
    assert await api.get(HOME) == []


@pytest.mark.rule("C25")
async def test_home_lists_top_level_cruds_newest_first(
    api: Api, andrew: Member, bayko: Member
) -> None:
    first = await andrew.crud("first")
    second = await bayko.crud("second")
    await bayko.reply(first["uuid"], "a reply is on its crud's page")
    assert uuids(await api.get(HOME)) == [second["uuid"], first["uuid"]]


@pytest.mark.rule("C25")
async def test_home_orders_cruds_of_one_creation_time_by_uuid(
    api: Api, andrew: Member, database: asyncpg.Connection
) -> None:
    expected = await insert_cruds(database, andrew, 5)
    assert uuids(await api.get(HOME)) == expected
    walked = [crud async for page in pages(api, f"{HOME}?limit=2") for crud in page]
    assert uuids(walked) == expected


@pytest.mark.rule("C26")
async def test_home_returns_40_cruds_by_default_and_at_most_100(
    api: Api, andrew: Member, database: asyncpg.Connection
) -> None:
    await insert_cruds(database, andrew, 101)
    for query, expected in {"": 40, "?limit=1": 1, "?limit=100": 100}.items():
        assert len(await api.get(HOME + query)) == expected


async def test_a_complete_page_has_no_link(api: Api, andrew: Member) -> None:
    for _ in range(2):
        await andrew.crud()
    assert "link" not in (await api.request("GET", f"{HOME}?limit=2")).headers
    partial = await api.request("GET", f"{HOME}?limit=1")
    assert partial.headers["link"].startswith(f"<{HOME}?limit=1&cursor=")
    assert partial.headers["link"].endswith('>; rel="next"')


@pytest.mark.rule("C26")
async def test_paging_home_returns_each_crud_once_while_others_appear_and_expire(
    api: Api, andrew: Member, database: asyncpg.Connection
) -> None:
    there = await insert_cruds(database, andrew, 9)
    seen: list[str] = []
    async for page in pages(api, f"{HOME}?limit=3"):
        seen += uuids(page)
        if len(seen) == 3:
            await andrew.crud("came meanwhile")
            await expire(database, there[0])  # already returned
            await expire(database, there[2])  # the crud of the cursor
            await expire(database, there[5])  # not returned yet
    assert seen == there[:5] + there[6:]


TIME_LISTS = [
    HOME,
    ANDREW,
    "/api/activities/notifications",
    "/api/message_groups",
    "/api/messages/@bayko",
]
SEARCH = "/api/activities/search"
BAD_LIMITS = ["0", "-1", "101", "x", "", "1.5", "9" * 30]
BAD_CURSORS = ["", "x", "%00", "%F0%9F%96%96", "AAAA", "=" * 32, "A" * 201]
NO_TIME = "f" + "_" * 31


@pytest.mark.parametrize("path", [*TIME_LISTS, SEARCH])
async def test_an_invalid_limit_or_cursor_is_rejected(
    andrew: Member, bayko: Member, path: str
) -> None:
    await bayko.message("andrewbrown")
    cursors = BAD_CURSORS if path == SEARCH else [*BAD_CURSORS, NO_TIME]
    for limit in BAD_LIMITS:
        refusal = await andrew.get(f"{path}?term=x&limit={limit}", expect=422)
        assert refusal == ["limit_invalid"], limit
    for cursor in cursors:
        refusal = await andrew.get(f"{path}?term=x&cursor={cursor}", expect=422)
        assert refusal == ["cursor_invalid"], cursor


@pytest.mark.rule("C22")
async def test_reaction_flags_are_the_viewers_and_absent_for_visitors(
    api: Api, andrew: Member, bayko: Member
) -> None:
    crud = await andrew.crud()
    await bayko.put(f"/api/activities/{crud['uuid']}/like")
    [stranger] = await api.get(HOME)
    [author] = await andrew.get(HOME)
    [other] = await bayko.get(HOME)
    assert stranger.keys() == CRUD_KEYS
    assert author.keys() == other.keys() == CRUD_KEYS | VIEWER_KEYS
    assert (author["liked"], author["reposted"]) == (False, False)
    assert (other["liked"], other["reposted"]) == (True, False)


@pytest.mark.rule("C18")
@pytest.mark.parametrize("header", BAD_TOKENS)
async def test_a_bad_token_reads_public_pages_as_a_visitor(
    api: Api, andrew: Member, header: str
) -> None:
    await andrew.crud()
    bad = {"Authorization": header.encode("latin-1")}
    for path in (HOME, f"{ANDREW}?shape=list", "/api/users/suggested"):
        assert await api.get(path, headers=bad) == await api.get(path) != []


@pytest.mark.parametrize("header", BAD_TOKENS)
async def test_a_bad_token_cannot_post(api: Api, database: asyncpg.Connection, header: str) -> None:
    bad = {"Authorization": header.encode("latin-1")}
    draft = {"message": "hello", "ttl": "1-day"}
    assert await api.post("/api/activities", draft, headers=bad, expect=401) == ["generic_401"]
    assert await count_rows(database, "activities") == 0


async def test_posting_without_a_token_returns_401_before_the_body_is_checked(api: Api) -> None:
    for content in (b"", b"{", b"{}", b"x" * (BODY_BYTES + 1)):
        response = await api.request("POST", "/api/activities", content=content, expect=401)
        assert refused(response) == ["generic_401"]


@pytest.mark.parametrize(
    "ending",
    [
        "DELETE FROM sessions",
        "UPDATE sessions SET expires_at = now()",
        "UPDATE sessions SET user_uuid = (SELECT uuid FROM users WHERE handle = 'bayko')",
        "DELETE FROM users WHERE handle = 'andrewbrown'",
    ],
)
async def test_posting_fails_after_the_session_was_ended_in_another_process(
    andrew: Member, bayko: Member, database: asyncpg.Connection, ending: str
) -> None:
    """Even though this process has cached the token's claims."""
    once = {"Idempotency-Key": "once"}
    draft = {"message": "hello", "ttl": "1-day"}
    response = {"message": "So it is"}
    await andrew.post("/api/activities", draft, headers=once)
    crud = f"/api/activities/{(await bayko.crud())['uuid']}/reply"
    await andrew.post(crud, response)
    await database.execute(ending)
    left = await count_rows(database, "activities")
    for path, body, headers in (
        ("/api/activities", draft, {}),
        ("/api/activities", draft, once),
        ("/api/activities", {"message": ""}, {}),
        ("/api/activities", [], {}),
        ("/api/activities", {"message": "x" * BODY_BYTES}, {}),
        (crud, response, {}),
        (f"/api/activities/{uuid4()}/reply", response, {}),
    ):
        assert await andrew.post(path, body, headers=headers, expect=401) == ["generic_401"]
    assert await count_rows(database, "activities") == left


# --- Posting --------------------------------------------------------------------------


@pytest.mark.rule("C21")
async def test_a_new_crud_has_every_key_and_zero_counts(andrew: Member) -> None:
    crud = await andrew.crud("Hello")
    assert crud.keys() == CRUD_KEYS | VIEWER_KEYS
    assert UUID(crud["uuid"]).version == 7
    assert crud["handle"] == "andrewbrown"
    assert crud["display_name"] == "Andrew Brown"
    assert crud["replies"] == []
    assert crud["reply_to_activity_uuid"] is None
    assert crud["replies_count"] == crud["reposts_count"] == crud["likes_count"] == 0
    assert crud["liked"] is crud["reposted"] is False


@pytest.mark.rule("C11")
async def test_times_have_a_utc_offset(api: Api, andrew: Member) -> None:
    crud = await andrew.crud()
    await andrew.reply(crud["uuid"])
    shown = await status_of(api, crud)
    for item in (crud, shown["activity"], *shown["replies"], *await api.get(HOME)):
        for key in ("created_at", "expires_at"):
            assert datetime.fromisoformat(item[key]).utcoffset() == timedelta(0)


@pytest.mark.rule("C23")
@pytest.mark.parametrize("ttl", LIFETIMES)
async def test_a_crud_lives_exactly_as_long_as_its_ttl(andrew: Member, ttl: str) -> None:
    assert lifetime(await andrew.crud(ttl=ttl)) == LIFETIMES[ttl]


@pytest.mark.parametrize(
    "message",
    [
        "x" * 280,
        "\N{RAISED HAND WITH PART BETWEEN MIDDLE AND RING FINGERS}" * 280,
        "\u200b" * 279 + "x",
        "  spaces stay\n\n  and so do lines  ",
        "\N{RIGHT-TO-LEFT OVERRIDE}abc \N{ARABIC LETTER ALEF}",
        "<script>alert('\"')</script> %s {} :name $1 \\x00 \\u0000",
        "\u0301",
    ],
)
async def test_a_message_is_returned_unchanged(api: Api, andrew: Member, message: str) -> None:
    posted = await andrew.crud(message)
    assert posted["message"] == message
    assert messages(await api.get(HOME)) == [message]


@pytest.mark.rule("C24")
@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("e\N{COMBINING ACUTE ACCENT}" * 280, "é" * 280),
        ("\u1112\u1161\u11ab", "한"),
        ("\u0958" * 140, "\u0915\u093c" * 140),
    ],
)
async def test_a_message_is_composed_and_counted_as_it_is_stored(
    api: Api, andrew: Member, typed: str, stored: str
) -> None:
    assert (await andrew.crud(typed))["message"] == stored
    assert messages(await api.get(HOME)) == [stored]
    content = json.dumps({"message": typed, "ttl": "1-day"}, ensure_ascii=True)
    posted = await andrew.request("POST", "/api/activities", content=content, headers=JSON)
    assert posted.json()["message"] == stored


def draft(**fields: Any) -> dict[str, Any]:
    """A valid draft with changes; Ellipsis removes a field."""
    fields = {"message": "hello", "ttl": "1-day", **fields}
    return {name: value for name, value in fields.items() if value is not ...}


REFUSED_CRUDS = [
    (draft(message=...), "message_blank"),
    *((draft(message=text), "message_blank") for text in INVISIBLE + NOT_TEXT),
    (draft(message="a\0b"), "message_invalid"),
    (draft(message="x" * 281), "message_exceed_max_chars"),
    (draft(message="\U0001f596" * 281), "message_exceed_max_chars"),
    (draft(message="e\u0301" * 281), "message_exceed_max_chars"),
    (draft(message="\u0958" * 141), "message_exceed_max_chars"),
    (draft(ttl=...), "ttl_blank"),
    *(
        (draft(ttl=ttl), "ttl_blank")
        for ttl in ["", " ", "2-days", "7-DAYS", "7-days ", "7 days", "1-day\0", *NOT_TEXT]
    ),
    # An error of the message is reported before one of the ttl, in any order of the body.
    ({}, "message_blank"),
    ({"ttl": "never"}, "message_blank"),
    ({"ttl": "never", "message": ""}, "message_blank"),
    ({"ttl": 1, "message": " "}, "message_blank"),
    ({"ttl": None, "message": "x" * 281}, "message_exceed_max_chars"),
    ({"unknown": 1, "ttl": "never", "message": "hello"}, "ttl_blank"),
]


@pytest.mark.rule("C24")
@pytest.mark.parametrize(("body", "code"), REFUSED_CRUDS)
async def test_an_invalid_crud_is_rejected_and_not_stored(
    andrew: Member, database: asyncpg.Connection, body: Any, code: str
) -> None:
    assert await andrew.post("/api/activities", body, expect=422) == [code]
    assert await count_rows(database, "activities") == 0


NOT_OBJECTS = [
    b"",
    b"null",
    b"[]",
    b'"message"',
    b"7",
    b"{",
    b"{'message': 'hello'}",
    b'{"message": "hello", "ttl": "1-day"',
    b'{"message": 5, "ttl": ',
    b'{"message": "hello", "ttl": "1-day"} {}',
    b'{"message": "\xff", "ttl": "1-day"}',
    b'{"message": "\\ud83d", "ttl": "1-day"}',
    b'{"message": "\\udd96\\ud83d", "ttl": "1-day"}',
    b"[" * 60000,
    b'{"x":' * 12000,
    b'{"message": 1e999, "ttl": "1-day"}',
]


@pytest.mark.parametrize("content", NOT_OBJECTS, ids=lambda content: content[:20].decode("latin-1"))
async def test_a_body_that_is_not_a_json_object_is_rejected(
    andrew: Member, database: asyncpg.Connection, content: bytes
) -> None:
    options: dict[str, Any] = {"content": content, "headers": JSON, "expect": 400}
    response = await andrew.request("POST", "/api/activities", **options)
    assert refused(response) == ["invalid_json"]
    assert await count_rows(database, "activities") == 0


@pytest.mark.parametrize(
    "content_type", [None, "", "text/plain", "application/x-www-form-urlencoded", "text/json"]
)
async def test_a_body_of_another_content_type_is_rejected(
    andrew: Member, content_type: str | None
) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type}
    content = b'{"message": "hello", "ttl": "1-day"}'
    options: dict[str, Any] = {"content": content, "headers": headers, "expect": 415}
    response = await andrew.request("POST", "/api/activities", **options)
    assert refused(response) == ["unsupported_media_type"]


async def test_a_json_content_type_may_have_a_charset(andrew: Member) -> None:
    headers = {"Content-Type": "Application/JSON; charset=UTF-8"}
    content = '{"message": "héllo", "ttl": "1-day"}'.encode()
    response = await andrew.request("POST", "/api/activities", content=content, headers=headers)
    assert response.json()["message"] == "héllo"


async def test_a_body_of_64_kib_is_accepted_and_one_more_byte_is_rejected(andrew: Member) -> None:
    async def chunks(content: bytes) -> AsyncIterator[bytes]:
        for start in range(0, len(content), 1000):
            yield content[start : start + 1000]

    good = b'{"message": "hello", "ttl": "1-day"}'
    longest = good + b" " * (BODY_BYTES - len(good))
    await andrew.request("POST", "/api/activities", content=longest, headers=JSON)
    for content in (longest + b" ", chunks(longest + b" ")):
        options: dict[str, Any] = {"content": content, "headers": JSON, "expect": 413}
        response = await andrew.request("POST", "/api/activities", **options)
        assert refused(response) == ["payload_too_large"]


# --- Replies --------------------------------------------------------------------------


@pytest.mark.rule("C36")
async def test_a_reply_expires_exactly_with_its_crud(andrew: Member, bayko: Member) -> None:
    crud = await andrew.crud(ttl="3-hours")
    reply = await bayko.reply(crud["uuid"])
    nested = await andrew.reply(reply["uuid"])
    assert crud["expires_at"] == reply["expires_at"] == nested["expires_at"]
    assert reply.keys() == REPLY_KEYS | VIEWER_KEYS
    assert reply["reply_to_activity_uuid"] == crud["uuid"]
    assert nested["reply_to_activity_uuid"] == reply["uuid"]
    assert (reply["reply_to_handle"], nested["reply_to_handle"]) == ("andrewbrown", "bayko")


async def test_replies_are_counted_everywhere_and_not_listed_on_home(
    api: Api, andrew: Member, bayko: Member
) -> None:
    crud = await andrew.crud("countme")
    reply = await bayko.reply(crud["uuid"])
    await andrew.reply(reply["uuid"])
    await andrew.reply(crud["uuid"])
    await bayko.put(f"/api/activities/{crud['uuid']}/repost")
    views = [
        *await api.get(HOME),
        *await api.get(ANDREW),
        *await api.get("/api/activities/@bayko"),
        *await api.get("/api/activities/search?term=countme"),
        (await api.get(f"/api/activities/{crud['uuid']}"))["activity"],
        (await status_of(api, crud))["activity"],
        await bayko.put(f"/api/activities/{crud['uuid']}/like"),
    ]
    assert len(views) == 7
    assert [view["replies_count"] for view in views] == [2] * 7
    assert {view["uuid"] for view in views} == {crud["uuid"]}
    assert (await status_of(api, reply))["activity"]["replies_count"] == 1


@pytest.mark.rule("C24")
async def test_a_reply_can_have_1024_characters(andrew: Member) -> None:
    crud = await andrew.crud()
    message = "\U0001f596" * 1024
    assert (await andrew.reply(crud["uuid"], message))["message"] == message


REFUSED_REPLIES = [
    ({}, "message_blank"),
    *(({"message": text}, "message_blank") for text in INVISIBLE + NOT_TEXT),
    ({"message": "a\0b"}, "message_invalid"),
    ({"message": "x" * 1025}, "message_exceed_max_chars_1024"),
]


@pytest.mark.parametrize(("body", "code"), REFUSED_REPLIES)
async def test_an_invalid_reply_is_rejected_and_not_stored(
    andrew: Member, database: asyncpg.Connection, body: Any, code: str
) -> None:
    crud = await andrew.crud()
    path = f"/api/activities/{crud['uuid']}/reply"
    assert await andrew.post(path, body, expect=422) == [code]
    assert await count_rows(database, "activities") == 1


async def test_reply_to_a_missing_crud_returns_404(
    andrew: Member, database: asyncpg.Connection
) -> None:
    gone = await andrew.crud()
    await expire(database, gone["uuid"])
    for uuid in (gone["uuid"], uuid4()):
        path = f"/api/activities/{uuid}/reply"
        assert await andrew.post(path, {"message": "hello?"}, expect=404) == ["not_found"]
    assert await database.fetchval("SELECT count(*) FROM activities WHERE message = 'hello?'") == 0
    assert await count_rows(database, "notifications") == 0


async def test_the_uuid_in_the_body_of_a_reply_is_optional(andrew: Member) -> None:
    crud, other = await andrew.crud("one"), await andrew.crud("two")
    body = {"message": "hello", "activity_uuid": other["uuid"]}
    reply = await andrew.post(f"/api/activities/{crud['uuid']}/reply", body)
    assert reply["reply_to_activity_uuid"] == crud["uuid"]


# --- Deleting -------------------------------------------------------------------------


@pytest.mark.rule("C31")
async def test_deleting_a_crud_deletes_its_replies_and_reactions(
    api: Api, andrew: Member, bayko: Member, database: asyncpg.Connection
) -> None:
    crud = await andrew.crud("#gone @bayko")
    reply = await bayko.reply(crud["uuid"], "#gone too @andrewbrown")
    await andrew.reply(reply["uuid"])
    for path in ("like", "repost"):
        await bayko.put(f"/api/activities/{crud['uuid']}/{path}")
        await andrew.put(f"/api/activities/{reply['uuid']}/{path}")
    response = await andrew.delete(f"/api/activities/{crud['uuid']}")
    assert response == {"uuid": crud["uuid"], "status": "deleted"}
    for table in ("activities", "likes", "reposts", "notifications", "activity_tags"):
        assert await count_rows(database, table) == 0, table
    await api.get(f"/api/activities/{crud['uuid']}", expect=404)
    await andrew.delete(f"/api/activities/{crud['uuid']}", expect=404)


async def test_deleting_a_reply_keeps_its_crud(
    api: Api, andrew: Member, bayko: Member, database: asyncpg.Connection
) -> None:
    crud = await andrew.crud()
    reply = await bayko.reply(crud["uuid"])
    await andrew.delete(f"/api/activities/{reply['uuid']}", expect=404)
    await bayko.delete(f"/api/activities/{reply['uuid']}")
    shown = await status_of(api, crud)
    assert (shown["replies"], shown["activity"]["replies_count"]) == ([], 0)
    assert await count_rows(database, "notifications") == 0


@pytest.mark.rule("C31")
async def test_deleting_a_missing_or_another_members_crud_fails(
    api: Api, andrew: Member, bayko: Member, database: asyncpg.Connection
) -> None:
    crud, gone = await andrew.crud(), await andrew.crud()
    await expire(database, gone["uuid"])
    path = f"/api/activities/{crud['uuid']}"
    assert await bayko.delete(path, expect=404) == ["not_found"]
    assert await api.delete(path, expect=401) == ["generic_401"]
    await andrew.delete(f"/api/activities/{gone['uuid']}", expect=404)
    await andrew.delete(f"/api/activities/{uuid4()}", expect=404)
    assert uuids(await api.get(HOME)) == [crud["uuid"]]


# --- Profile feeds --------------------------------------------------------------------

ARRAY, OBJECT = list, dict


@pytest.mark.rule("C27")
@pytest.mark.parametrize(
    ("headers", "shape"),
    [
        ({}, ARRAY),  # weeks 0 to 7
        ({"Authorization": "token"}, OBJECT),  # weeks 8 to 10
        ({"Authorization": "Bearer null"}, OBJECT),  # weeks 8 to 10, signed out
        (JSON, OBJECT),  # final
        ({"Content-Type": "text/plain", "Accept": "application/json"}, ARRAY),
    ],
)
async def test_a_profile_feed_has_the_shape_of_the_front_end_that_requests_it(
    api: Api, andrew: Member, headers: dict[str, str], shape: type
) -> None:
    posted = await andrew.crud()
    if headers.get("Authorization") == "token":
        headers = andrew.headers
    response = await api.request("GET", ANDREW, headers=headers)
    body = response.json()
    assert isinstance(body, shape)
    assert uuids(body if shape is ARRAY else body["activities"]) == [posted["uuid"]]
    vary = {name.strip() for name in ", ".join(response.headers.get_list("vary")).split(",")}
    assert {"Origin", "Authorization", "Content-Type"} <= vary


@pytest.mark.rule("C27")
async def test_the_query_overrides_the_shape(api: Api, andrew: Member) -> None:
    assert isinstance(await andrew.get(f"{ANDREW}?shape=list"), ARRAY)
    assert isinstance(await api.get(f"{ANDREW}?shape=list", headers=JSON), ARRAY)
    assert isinstance(await api.get(f"{ANDREW}?shape=profile"), OBJECT)
    for shape in ("", "tree", "PROFILE"):
        assert await api.get(f"{ANDREW}?shape={shape}", expect=422) == ["shape_invalid"]


@pytest.mark.rule("C27")
@pytest.mark.parametrize(("pinned", "shape"), [("profile", OBJECT), ("list", ARRAY)])
async def test_a_setting_fixes_the_shape(
    settings: Settings, andrew: Member, pinned: Any, shape: type
) -> None:
    app = create_app(dataclasses.replace(settings, profile_shape=pinned))
    transport = httpx.ASGITransport(app=app)
    async with (
        app.test_app(),
        httpx.AsyncClient(transport=transport, base_url="http://localhost") as http,
    ):
        for headers in ({}, JSON, andrew.headers):
            assert isinstance(await Api(http).get(ANDREW, headers=headers), shape)
        other = "list" if pinned == "profile" else "profile"
        assert not isinstance(await Api(http).get(f"{ANDREW}?shape={other}"), shape)


async def test_a_profile_has_the_users_fields_and_counts_live_cruds(
    api: Api, andrew: Member, bayko: Member, database: asyncpg.Connection
) -> None:
    live, gone = await andrew.crud(), await andrew.crud()
    await andrew.reply(live["uuid"])
    await expire(database, gone["uuid"])
    feed = await api.get(ANDREW, headers=JSON)
    assert feed["profile"] == {
        "uuid": str(andrew.uuid),
        "cognito_user_uuid": str(andrew.uuid),
        "handle": "andrewbrown",
        "display_name": "Andrew Brown",
        "bio": "",
        "avatar_url": None,
        "cruds_count": 1,
        "followers_count": 0,
        "following_count": 0,
    }
    [shown] = feed["activities"]
    assert shown["uuid"] == live["uuid"]
    assert shown.keys() == CRUD_KEYS


@pytest.mark.rule("C47")
@pytest.mark.parametrize("handle", ["AndrewBrown", "ANDREWBROWN", "%61ndrewbrown"])
async def test_a_handle_is_found_whatever_its_case(api: Api, andrew: Member, handle: str) -> None:
    crud = await andrew.crud()
    assert uuids(await api.get(f"/api/activities/@{handle}")) == [crud["uuid"]]
    await api.get(f"/api/activities/@{handle}/status/{crud['uuid']}")


@pytest.mark.rule("C48")
@pytest.mark.parametrize(
    "handle",
    [
        "nobody",
        "Andrew%20Brown",
        "%00",
        "andrewbrown%00",
        "%FF",
        "%F0%9F%96%96",
        "x" * 31,
        "x" * 5000,
        "-",
        "%25",
        "andrewbrown%0A",
        "'%20OR%201=1--",
        "",
        "%2e%2e",
    ],
)
async def test_an_unknown_handle_returns_404(api: Api, andrew: Member, handle: str) -> None:
    crud = await andrew.crud()
    for path in (f"/api/activities/@{handle}", f"/api/activities/@{handle}/status/{crud['uuid']}"):
        assert await api.get(path, expect=404) == ["not_found"]


@pytest.mark.rule("C30")
async def test_a_repost_is_listed_once_on_the_reposters_profile(
    api: Api, andrew: Member, bayko: Member
) -> None:
    crud = await andrew.crud("worth repeating")
    own = await bayko.crud("my own")
    for member in (andrew, bayko):
        await member.put(f"/api/activities/{crud['uuid']}/repost")
    await bayko.put(f"/api/activities/{own['uuid']}/repost")
    newest, oldest = await api.get("/api/activities/@bayko")
    assert (newest["uuid"], newest["reposted_by"], newest["handle"]) == (
        crud["uuid"],
        "bayko",
        "andrewbrown",
    )
    assert oldest["uuid"] == own["uuid"]
    assert "reposted_by" not in oldest
    assert uuids(await api.get(ANDREW)) == [crud["uuid"]]
    assert uuids(await api.get(HOME)) == [own["uuid"], crud["uuid"]]


async def test_paging_a_profile_returns_each_crud_and_repost_once(
    api: Api, andrew: Member, bayko: Member, database: asyncpg.Connection
) -> None:
    expected: list[str] = []
    for number in range(6):
        author = andrew if number % 2 else bayko
        crud = await author.crud(f"crud {number}")
        await andrew.put(f"/api/activities/{crud['uuid']}/repost")
        expected.insert(0, crud["uuid"])
    walked = [crud async for page in pages(api, f"{ANDREW}?limit=2") for crud in page]
    assert uuids(walked) == expected
    feeds = [feed async for feed in pages(andrew, f"{ANDREW}?limit=4")]
    assert [uuids(feed["activities"]) for feed in feeds] == [expected[:4], expected[4:]]


# --- One crud -------------------------------------------------------------------------


@pytest.mark.rule("C28")
async def test_a_cruds_page_lists_its_replies_oldest_first(
    api: Api, andrew: Member, bayko: Member
) -> None:
    crud = await andrew.crud("the crud")
    replies = [await bayko.reply(crud["uuid"], f"reply {number}") for number in range(3)]
    await andrew.reply(replies[0]["uuid"], "on another page")
    shown = await status_of(api, crud)
    assert shown["activity"].keys() == CRUD_KEYS
    assert shown["activity"]["message"] == "the crud"
    assert uuids(shown["replies"]) == uuids(replies)
    assert shown == await api.get(f"/api/activities/{crud['uuid']}")
    assert shown["replies"][0]["replies_count"] == 1


@pytest.mark.rule("C28")
async def test_the_alias_and_the_status_route_identify_the_viewer(
    andrew: Member, bayko: Member
) -> None:
    crud = await andrew.crud()
    await bayko.put(f"/api/activities/{crud['uuid']}/repost")
    for shown in (
        await status_of(bayko, crud),
        await bayko.get(f"/api/activities/{crud['uuid']}"),
    ):
        assert (shown["activity"]["liked"], shown["activity"]["reposted"]) == (False, True)


@pytest.mark.rule("C28")
async def test_a_cruds_page_has_the_whole_thread_above_it(
    api: Api, andrew: Member, bayko: Member
) -> None:
    thread = [await andrew.crud("the first")]
    for number in range(4):
        author = bayko if number % 2 == 0 else andrew
        thread.append(await author.reply(thread[-1]["uuid"], f"reply {number}"))
    await bayko.reply(thread[0]["uuid"], "beside the thread")
    await andrew.put(f"/api/activities/{thread[1]['uuid']}/like")
    for place, crud in enumerate(thread):
        shown = await status_of(andrew, crud)
        assert uuids(shown["ancestors"]) == uuids(thread[:place])
        assert shown["activity"]["uuid"] == crud["uuid"]
        assert [item["liked"] for item in shown["ancestors"]] == [
            number == 1 for number in range(place)
        ]
    visitors = (await status_of(api, thread[4]))["ancestors"]
    assert [item.get("reply_to_handle") for item in visitors] == [
        None,
        "andrewbrown",
        "bayko",
        "andrewbrown",
    ]


@pytest.mark.rule("C28")
async def test_a_cruds_page_has_the_nearest_100_ancestors(
    api: Api, andrew: Member, database: asyncpg.Connection
) -> None:
    chain = [UUID(int=number) for number in range(1, 104)]
    await database.executemany(
        "INSERT INTO activities (uuid, user_uuid, message, reply_to_activity_uuid, expires_at)"
        " VALUES ($1, $2, 'reply', $3, now() + interval '1 hour')",
        [(uuid, andrew.uuid, parent) for uuid, parent in zip(chain, (None, *chain), strict=False)],
    )
    shown = await api.get(f"/api/activities/{chain[-1]}")
    assert uuids(shown["ancestors"]) == [str(uuid) for uuid in chain[2:-1]]


@pytest.mark.rule("C28")
async def test_a_reply_on_a_cruds_page_has_its_own_first_replies(
    api: Api, andrew: Member, bayko: Member
) -> None:
    crud = await andrew.crud()
    replies = [await bayko.reply(crud["uuid"], text) for text in ("answered", "ignored")]
    nested = [await andrew.reply(replies[0]["uuid"], f"nested {number}") for number in range(4)]
    await bayko.reply(nested[0]["uuid"], "on another page")
    await andrew.put(f"/api/activities/{nested[1]['uuid']}/like")
    shown = await status_of(andrew, crud)
    assert [uuids(reply["replies"]) for reply in shown["replies"]] == [uuids(nested[:3]), []]
    assert shown["replies"][0]["replies_count"] == 4
    assert [reply["liked"] for reply in shown["replies"][0]["replies"]] == [False, True, False]
    assert shown["replies"][0]["replies"][0]["replies"] == []
    visitors = (await status_of(api, crud))["replies"][0]["replies"]
    assert all(reply.keys() == REPLY_KEYS for reply in visitors)
    assert {reply["reply_to_handle"] for reply in visitors} == {"bayko"}


@pytest.mark.rule("C34")
async def test_a_thread_shows_only_what_is_live(
    api: Api, andrew: Member, database: asyncpg.Connection
) -> None:
    crud = await andrew.crud()
    reply = await andrew.reply(crud["uuid"])
    nested = [await andrew.reply(reply["uuid"]) for _ in range(4)]
    await expire(database, nested[0]["uuid"])
    [shown] = (await status_of(api, crud))["replies"]
    assert uuids(shown["replies"]) == uuids(nested[1:])
    assert shown["replies_count"] == 3
    await andrew.delete(f"/api/activities/{reply['uuid']}")
    await status_of(api, nested[1], expect=404)


async def test_a_reply_names_its_crud_wherever_it_is_listed(
    api: Api, andrew: Member, bayko: Member
) -> None:
    crud = await andrew.crud("a crud")
    reply = await bayko.reply(crud["uuid"], "findable")
    await andrew.put(f"/api/activities/{reply['uuid']}/repost")
    [found] = await api.get("/api/activities/search?term=findable")
    reposted = (await api.get(ANDREW))[0]
    assert found["reply_to_handle"] == reposted["reply_to_handle"] == "andrewbrown"
    assert all("reply_to_handle" not in listed for listed in await api.get(HOME))


async def test_replies_are_paged(api: Api, andrew: Member, database: asyncpg.Connection) -> None:
    crud = await andrew.crud()
    await database.execute(
        "INSERT INTO activities (user_uuid, message, reply_to_activity_uuid, expires_at)"
        " SELECT $1, 'reply ' || n, $2, now() + interval '1 hour' FROM generate_series(1, 101) n",
        andrew.uuid, UUID(crud["uuid"]),
    )  # fmt: skip
    path = f"/api/activities/@andrewbrown/status/{crud['uuid']}"
    walked = [page async for page in pages(api, path)]
    assert [len(page["replies"]) for page in walked] == [100, 1]
    assert [page["activity"]["replies_count"] for page in walked] == [101, 101]
    replies = [reply for page in walked for reply in page["replies"]]
    assert uuids(replies) == sorted(uuids(replies))
    assert len(set(uuids(replies))) == 101


@pytest.mark.parametrize(
    "path",
    [
        "@bayko/status/{uuid}",
        "@nobody/status/{uuid}",
        "@andrewbrown/status/not-a-uuid",
        "@andrewbrown/status/",
        "@andrewbrown/status/00000000-0000-0000-0000-000000000000",
        "not-a-uuid",
        "{uuid}0",
        "{uuid}/",
        "%00",
        "",
    ],
)
async def test_a_missing_crud_returns_404(
    api: Api, andrew: Member, bayko: Member, path: str
) -> None:
    crud = await andrew.crud()
    full = f"/api/activities/{path.format(uuid=crud['uuid'])}"
    assert await api.get(full, expect=404) == ["not_found"]


# --- Caching --------------------------------------------------------------------------


@pytest.mark.rule("C15")
@pytest.mark.parametrize(
    "path", [HOME, ANDREW, "/api/activities/search?term=hello", "/api/activities/{uuid}"]
)
async def test_an_unchanged_feed_returns_304(api: Api, andrew: Member, path: str) -> None:
    path = path.format(uuid=(crud := await andrew.crud("hello"))["uuid"])
    first = await api.request("GET", path)
    assert first.headers["cache-control"] == "private, no-cache"
    known = {"If-None-Match": f'"other", {first.headers["etag"]}'}
    unchanged = await api.request("GET", path, headers=known, expect=304)
    assert unchanged.content == b""
    assert unchanged.headers["etag"] == first.headers["etag"]
    assert unchanged.headers["vary"] == first.headers["vary"]
    assert unchanged.headers["cache-control"] == first.headers["cache-control"]
    # RFC 9110, 15.4.5: the headers of a 304 are absent, or equal to those of the 200.
    assert unchanged.headers.get("content-length") in {None, str(len(first.content))}

    await andrew.put(f"/api/activities/{crud['uuid']}/like")
    changed = await api.request("GET", path, headers=known)
    assert changed.headers["etag"] != first.headers["etag"]
    assert '"likes_count":1' in changed.text


@pytest.mark.rule("C15")
async def test_an_expired_crud_is_not_served_from_a_cache(
    api: Api, andrew: Member, database: asyncpg.Connection
) -> None:
    crud = await andrew.crud()
    paths = [HOME, ANDREW, f"/api/activities/{crud['uuid']}"]
    tags = [(await api.request("GET", path)).headers["etag"] for path in paths]
    await expire(database, crud["uuid"])
    for path, tag, status in zip(paths, tags, (200, 200, 404), strict=True):
        response = await api.request("GET", path, headers={"If-None-Match": tag}, expect=status)
        assert crud["uuid"] not in response.text


async def test_uncacheable_responses_say_so(api: Api, andrew: Member) -> None:
    crud = await andrew.crud()
    responses = [
        await andrew.request("PUT", f"/api/activities/{crud['uuid']}/like"),
        await andrew.request("DELETE", f"/api/activities/{crud['uuid']}"),
        await api.request("GET", f"/api/activities/{crud['uuid']}", expect=404),
        await api.request("POST", "/api/activities", expect=401),
    ]
    assert [response.headers["cache-control"] for response in responses] == ["no-store"] * 4
