"""The main promise of the product: an expired crud or message is gone from every response and from
the disk.

The tests move time by writing `expires_at`, and request every route of the application. A
route that they cannot call fails the test.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from PIL import Image
from quart import Quart
from werkzeug.routing import Rule

from cruddur.app import ENDPOINTS
from cruddur.db import sweeper
from cruddur.db.sweeper import LOCK, sweep
from patience import PATIENCE
from pictures import file
from support import Api, Member, count_rows, expire, expire_message, swept

pytestmark = pytest.mark.usefixtures("quick_passwords")

HANDLES = ["andrewbrown", "bayko"]

# Values of route parameters other than the uuids of cruds.
ARGUMENTS = {
    "handle": HANDLES,
    "tag": ["enduring"],
    "token": ["token"],
    "subject": ["00000000-0000-0000-0000-000000000000"],
}

TERMS = ["vaporous", "%23fading", "fading", "secondhand", "%40andrewbrown", "andrewbrown"]
QUERIES = {
    "/api/activities/search": [f"?term={term}" for term in TERMS],
    "/api/activities/@<handle>": ["?shape=list", "?shape=profile"],
    "/api/users/search": ["?term=andrew"],
}

ACCOUNT = {"email": "odo@example.com", "code": "000000"}
PASSWORD = "the wormhole is open"
BODIES: dict[str, Any] = {
    "/api/stream/ticket": None,
    "/api/activities": {"message": "a new crud", "ttl": "1-day"},
    "/api/activities/<uuid:uuid>": None,
    "/api/activities/<uuid:uuid>/reply": {"message": "a new reply"},
    "/api/activities/<uuid:uuid>/like": None,
    "/api/activities/<uuid:uuid>/repost": None,
    "/api/users/@<handle>/follow": None,
    "/api/tags/<tag>/follow": None,
    "/api/messages": {"message": "a new message", "handle": "worf"},
    "/api/messages/policy": {"policy": "nobody"},
    "/api/messages/@<handle>/lifetime": {"ttl": "1-day"},
    "/api/message_requests/<uuid:message_group_uuid>": None,
    "/api/users/@<handle>/block": None,
    "/api/users/@<handle>/mute": {},
    "/api/profile/update": {"display_name": "Another name"},
    "/api/avatars/key_upload": {"extension": "png"},
    "/avatars/key_upload": {"extension": "png"},
    "/api/avatars/uploads/<token>": None,
    "/api/avatars/me": None,
    "/api/auth/signup": {**ACCOUNT, "password": PASSWORD, "handle": "odo", "display_name": "Odo"},
    "/api/auth/confirm": ACCOUNT,
    "/api/auth/resend": ACCOUNT,
    "/api/auth/signin": {**ACCOUNT, "password": PASSWORD},
    "/api/auth/refresh": None,
    "/api/auth/signout": None,
    "/api/auth/forgot": ACCOUNT,
    "/api/auth/reset": {**ACCOUNT, "password": PASSWORD},
    "/api/auth/me": {"password": PASSWORD},
    "/api/auth/password": {"current_password": PASSWORD, "password": PASSWORD},
    "/api/auth/second-factor": {"password": PASSWORD},
    "/api/auth/passkeys": {"name": "Phone", "attempt": "x", "credential": {}},
    "/api/auth/passkeys/registration": {"password": PASSWORD},
    "/api/auth/passkeys/challenge": {"purpose": "sign_in"},
    "/api/auth/passkeys/<uuid:uuid>": {"name": "Phone", "password": PASSWORD},
    "/api/auth/signin/passkey": {"passkey": {}},
    "/api/auth/email": {"email": "new@example.com", "password": PASSWORD},
    "/api/auth/email/stop": {"code": "code"},
    "/api/auth/tokens": {"name": "bot", "scopes": ["read"], "ttl": "1-day"},
    "/api/auth/tokens/<uuid:uuid>": None,
    "/api/auth/sessions": None,
    "/api/auth/sessions/<uuid:uuid>": None,
    "/api/reports": {"kind": "profile", "uuid": str(uuid4()), "category": "spam"},
    "/api/notices/<uuid:uuid>/appeal": {"words": "I am sorry"},
    "/api/moderation/cases/<uuid:uuid>/decisions": {"kind": "dismiss", "reason": "It is fine"},
    "/api/moderation/appeals/<uuid:uuid>": {"decision": "upheld", "reason": "It is not fine"},
    "/api/instance/settings": {"description": "A station"},
    "/api/instance/invitations": {},
    "/api/instance/invitations/<uuid:uuid>": None,
    "/api/instance/announcements": {"message": "The station moves", "ttl": "1-hour"},
    "/api/instance/announcements/<uuid:uuid>": None,
    "/api/auth/terms": {"terms_version": 0},
    "/api/pictures": None,
    "/api/telemetry": {"resourceSpans": []},
}

# Routes whose responses a live crud changes. They prove that the test would notice it.
SHOWING = {
    "/api/activities/home",
    "/api/activities/search",
    "/api/activities/@<handle>",
    "/api/activities/@<handle>/status/<uuid:uuid>",
    "/api/activities/<uuid:uuid>",
    "/api/activities/notifications",
    "/api/notifications",
    "/api/activities/notifications/counter",  # requested before the list, which resets it
    "/api/trending",
    "/api/users/suggested",
    "/api/pictures/<uuid:uuid>.jpg",
    "/api/pictures/<uuid:uuid>/thumbnail.jpg",
}

# The same for a message.
SHOWING_MESSAGES = {
    "/api/message_groups",
    "/api/messages/@<handle>",
    "/api/messages/<uuid:message_group_uuid>",
    "/api/messages/counter",
    "/api/activities/notifications",
    "/api/activities/@<handle>/status/<uuid:uuid>",
    "/api/activities/<uuid:uuid>",
}

# Parts that differ between any two responses.
VOLATILE = {"date", "traceresponse", "server-timing", "x-request-id"}

_PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")

Response = tuple[int, bytes, dict[str, str]]


CRUDS, NOTES, PICTURES = 3, 7, 1
"""What `doom` posts, and the notifications about it."""


@dataclass(frozen=True)
class Doomed:
    """A crud of Andrew's that is about to expire, with everything attached to it."""

    uuids: list[str]
    words: list[str]


async def upload(member: Member) -> str:
    """Upload a picture, and return its uuid."""
    content = file(Image.new("RGB", (32, 16), "grey"))
    uploaded = await member.request("POST", "/api/pictures", content=content)
    uuid: str = uploaded.json()["uuid"]
    return uuid


@pytest.fixture
async def unswept(database: asyncpg.Connection) -> AsyncIterator[None]:
    """Disable the application's sweeper: expiry must not depend on it."""
    await database.execute("SELECT pg_advisory_lock($1)", LOCK)
    yield
    await database.execute("SELECT pg_advisory_unlock($1)", LOCK)


@pytest.fixture
async def personas(api: Api, andrew: Member, bayko: Member, member: Any) -> dict[str, Api]:
    """The viewers: a visitor, the author of the crud, and a member who reacted to it.

    Both members also have rows of their own, which must not change.
    """
    worf = await member("worf")
    live = await bayko.crud("bayko's live crud #enduring")
    await andrew.put(f"/api/activities/{live['uuid']}/like")
    await worf.reply(live["uuid"], "@andrewbrown, a live reply")
    await andrew.message("bayko", "a message")
    for reader in (andrew, bayko):
        other = "bayko" if reader is andrew else "andrewbrown"
        await reader.get(f"/api/messages/@{other}")
        await reader.get("/api/activities/notifications")
    return {"anonymous": api, "author": andrew, "other": bayko}


async def doom(andrew: Member, bayko: Member, database: asyncpg.Connection) -> Doomed:
    """Post the crud with everything that can be attached to one."""
    picture = await upload(andrew)
    crud = await andrew.post(
        "/api/activities",
        {
            "message": "vaporous #fading thoughts for @bayko",
            "ttl": "7-days",
            "pictures": [{"uuid": picture, "alt": "evanescent fumes"}],
        },
    )
    reply = await bayko.reply(crud["uuid"], "secondhand #fading smoke, @andrewbrown")
    nested = await andrew.reply(reply["uuid"], "thirdhand #paling smoke")
    for item in (crud, reply):
        for one in (andrew, bayko):
            for kind in ("like", "repost"):
                await one.put(f"/api/activities/{item['uuid']}/{kind}")
    cruds = [crud["uuid"], reply["uuid"], nested["uuid"]]
    notes = await database.fetch(
        "SELECT uuid FROM notifications WHERE activity_uuid = ANY($1::text[]::uuid[])", cruds
    )
    assert (len(cruds), len(notes)) == (CRUDS, NOTES)
    return Doomed(
        uuids=[*cruds, *(str(note["uuid"]) for note in notes), picture],
        words=["vaporous", "fading", "secondhand", "thirdhand", "paling", "evanescent"],
    )


def paths(rule: Rule, uuids: list[str]) -> Iterator[str]:
    """Return the paths to request for a rule."""
    names = _PARAMETER.findall(rule.rule)
    choices = [uuids if "uuid" in name else ARGUMENTS[name] for name in names]
    for values in product(*choices):
        given = dict(zip(names, values, strict=True))
        path = _PARAMETER.sub(lambda match, given=given: given[match[1]], rule.rule)
        for query in QUERIES.get(rule.rule, [""]):
            yield path + query


async def ask(api: Api, method: str, path: str, body: Any = None) -> Response:
    response = await api.http.request(method, path, json=body, headers=api.headers)
    headers = {name: text for name, text in response.headers.items() if name not in VOLATILE}
    return response.status_code, response.content, headers


async def walk(app: Quart, personas: dict[str, Api], uuids: list[str]) -> dict[Any, Response]:
    """Return the response of every GET route to every persona, by persona, rule and call."""
    responses = {}
    streams = {endpoint.rule for endpoint in ENDPOINTS if endpoint.stream}
    for rule in app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or rule.rule in streams:  # see tests/live
            continue
        for number, path in enumerate(paths(rule, uuids)):
            for name, api in personas.items():
                responses[name, rule.rule, number] = await ask(api, "GET", path)
    return responses


def test_the_walk_covers_every_route(app: Quart) -> None:
    for rule in app.url_map.iter_rules():
        unknown = [
            name
            for name in _PARAMETER.findall(rule.rule)
            if "uuid" not in name and name not in ARGUMENTS
        ]
        assert not unknown, f"{rule.rule}: give ARGUMENTS for {unknown}"
        if (rule.methods or set()) - {"GET", "HEAD", "OPTIONS"}:
            assert rule.rule in BODIES, f"give BODIES one for {rule.rule}"


@pytest.mark.rule("C34")
async def test_an_expired_crud_leaves_no_trace_in_any_response(
    app: Quart,
    personas: dict[str, Api],
    andrew: Member,
    bayko: Member,
    database: asyncpg.Connection,
    unswept: None,
) -> None:
    before = await walk(app, personas, [str(uuid4()) for _ in range(CRUDS + NOTES + PICTURES)])
    doomed = await doom(andrew, bayko, database)
    during = await walk(app, personas, doomed.uuids)
    shown = b"".join(body for _, body, _ in during.values()).decode(errors="replace")
    assert [word for word in doomed.words + doomed.uuids if word not in shown] == []
    assert {rule for (name, rule, n), a in during.items() if a != before[name, rule, n]} == SHOWING

    await expire(database, doomed.uuids[0])
    after = await walk(app, personas, doomed.uuids)
    # Not only its uuid and text: no count, order or header may reveal it either.
    assert {key: a for key, a in after.items() if a != before[key]} == {}
    assert await count_rows(database, "activities") == 5, "the rows must still exist"


@pytest.mark.rule("C140")
async def test_an_expired_message_leaves_no_trace_in_any_response(
    app: Quart,
    personas: dict[str, Api],
    andrew: Member,
    bayko: Member,
    database: asyncpg.Connection,
    unswept: None,
) -> None:
    # The message is the newest one of the older of two conversations.
    await bayko.put("/api/messages/@andrewbrown/lifetime", {"ttl": "1-hour"})
    group = (await bayko.get("/api/message_groups"))[0]["uuid"]
    await bayko.message("worf", "a later message")
    for reader, other in ((andrew, "bayko"), (bayko, "andrewbrown")):
        await reader.get(f"/api/messages/@{other}")
        await reader.get("/api/activities/notifications")
    before = await walk(app, personas, [str(uuid4()), str(uuid4()), group])
    body = {"message": "fleeting words", "handle": "bayko"}
    keyed = {"headers": {"Idempotency-Key": "key"}}
    sent = await andrew.post("/api/messages", body, **keyed)
    note = await database.fetchval(
        "SELECT uuid FROM notifications WHERE message_uuid = $1", UUID(sent["uuid"])
    )
    uuids = [sent["uuid"], str(note), group]
    during = await walk(app, personas, uuids)
    showing = {rule for (name, rule, n), a in during.items() if a != before[name, rule, n]}
    assert showing == SHOWING_MESSAGES

    await expire_message(database, sent["uuid"])
    after = await walk(app, personas, uuids)
    assert {key: a for key, a in after.items() if a != before[key]} == {}
    assert await count_rows(database, "messages") == 4, "the rows must still exist"
    # No write reveals it, either.
    report = {"kind": "message", "uuid": sent["uuid"], "category": "spam"}
    await bayko.post("/api/reports", report, expect=404)
    await andrew.post("/api/messages", body, expect=404, **keyed)


@pytest.mark.rule("C35")
async def test_an_expired_crud_is_like_a_missing_one_for_every_method(
    app: Quart,
    personas: dict[str, Api],
    andrew: Member,
    bayko: Member,
    database: asyncpg.Connection,
    unswept: None,
) -> None:
    doomed = await doom(andrew, bayko, database)
    await expire(database, doomed.uuids[0])
    never = [str(uuid4()) for _ in doomed.uuids]
    rows = await count_rows(database, "activities")
    calls = 0
    for rule in app.url_map.iter_rules():
        if "uuid" not in rule.arguments:
            continue
        body = BODIES.get(rule.rule)
        for method in rule.methods or ():
            there = zip(paths(rule, doomed.uuids), paths(rule, never), strict=True)
            for expired_path, never_path in there:
                for name, api in personas.items():
                    expired = await ask(api, method, expired_path, body)
                    assert expired == await ask(api, method, never_path, body), (name, method, rule)
                    assert expired[0] in {401, 403, 404} or method == "OPTIONS"
                    calls += 1
    assert calls > 400
    assert await count_rows(database, "activities") == rows


async def test_no_write_reveals_an_expired_crud(
    app: Quart,
    personas: dict[str, Api],
    andrew: Member,
    bayko: Member,
    database: asyncpg.Connection,
    unswept: None,
) -> None:
    doomed = await doom(andrew, bayko, database)
    await expire(database, doomed.uuids[0])
    for rule in app.url_map.iter_rules():
        for method in (rule.methods or set()) & {"POST", "PUT", "PATCH", "DELETE"}:
            for path in paths(rule, doomed.uuids[:1]):
                for name, api in personas.items():
                    status, content, _ = await ask(api, method, path, BODIES[rule.rule])
                    assert status < 500, (name, method, path)
                    told = [
                        word for word in doomed.words + doomed.uuids if word in content.decode()
                    ]
                    assert told == [], (name, method, path)


async def test_a_reply_can_expire_before_its_crud_and_is_not_counted_then(
    api: Api, andrew: Member, bayko: Member, database: asyncpg.Connection, unswept: None
) -> None:
    crud = await andrew.crud("countme")
    gone, left = await bayko.reply(crud["uuid"], "gone"), await bayko.reply(crud["uuid"], "left")
    await bayko.put(f"/api/activities/{crud['uuid']}/repost")
    await expire(database, gone["uuid"])
    shown = await api.get(f"/api/activities/{crud['uuid']}")
    assert [reply["uuid"] for reply in shown["replies"]] == [left["uuid"]]
    views = [
        shown["activity"],
        *await api.get("/api/activities/home"),
        *await api.get("/api/activities/@andrewbrown"),
        *await api.get("/api/activities/@bayko"),
        *await api.get("/api/activities/search?term=countme"),
        await bayko.put(f"/api/activities/{crud['uuid']}/like"),
    ]
    assert [view["replies_count"] for view in views] == [1] * 6
    assert [note["message"] for note in await andrew.get("/api/activities/notifications")] == [
        "liked your crud: “countme”",
        "reposted your crud: “countme”",
        "left",
    ]


@pytest.mark.rule("C36")
async def test_the_database_limits_a_replys_expiry_to_its_cruds(
    andrew: Member, database: asyncpg.Connection
) -> None:
    crud = await andrew.crud(ttl="1-hour")
    await database.execute(
        "INSERT INTO activities (user_uuid, message, reply_to_activity_uuid, expires_at)"
        " VALUES ($1, 'forged', $2, now() + interval '30 days')",
        andrew.uuid, UUID(crud["uuid"]),
    )  # fmt: skip
    await database.execute(
        "UPDATE activities SET expires_at = now() + interval '9 days'"
        " WHERE reply_to_activity_uuid IS NOT NULL"
    )
    assert await database.fetchval("SELECT count(DISTINCT expires_at) FROM activities") == 1


@pytest.mark.rule("C34")
async def test_a_crud_that_expires_during_a_read_is_gone_at_the_next_request(
    api: Api, andrew: Member, database: asyncpg.Connection
) -> None:
    crud = await andrew.crud()
    path = f"/api/activities/{crud['uuid']}"
    await api.get(path)
    # The database clock at the start of each statement decides.
    await database.execute("UPDATE activities SET expires_at = clock_timestamp()")
    await api.get(path, expect=404)
    assert await api.get("/api/activities/home") == []


# --- Physical removal -----------------------------------------------------------------

HANGING = [
    *("activities", "activity_tags", "likes", "reposts", "idempotency_answers", "pictures"),
    "picture_files",
]


@pytest.mark.rule("C37")
async def test_a_sweep_deletes_expired_cruds_with_everything_attached(
    dsn: str, andrew: Member, bayko: Member, database: asyncpg.Connection
) -> None:
    doomed = await doom(andrew, bayko, database)
    body = {"message": "kept #too", "ttl": "1-day"}
    keyed = {"headers": {"Idempotency-Key": "key"}}
    kept = await andrew.post("/api/activities", body, **keyed)
    for table in HANGING:
        assert await count_rows(database, table) > 0, table
    for uuid in (doomed.uuids[0], kept["uuid"]):
        await expire(database, uuid)
    await swept(dsn)
    for table in [*HANGING, "notifications"]:
        assert await count_rows(database, table) == 0, table


async def test_a_sweep_keeps_live_cruds(
    dsn: str, api: Api, andrew: Member, bayko: Member, database: asyncpg.Connection
) -> None:
    await doom(andrew, bayko, database)
    await andrew.message("bayko")
    keyed = {"headers": {"Idempotency-Key": "key"}}
    await andrew.post("/api/activities", {"message": "live", "ttl": "1-hour"}, **keyed)
    gone = await bayko.crud("gone")
    tables = [*HANGING, "users", "sessions", "messages", "notifications", "idempotency_keys"]
    expected = {table: await count_rows(database, table) for table in tables}
    expected["activities"] -= 1
    feed = [crud for crud in await api.get("/api/activities/home") if crud["uuid"] != gone["uuid"]]
    await expire(database, gone["uuid"])
    await swept(dsn)
    assert {table: await count_rows(database, table) for table in tables} == expected
    assert await api.get("/api/activities/home") == feed


async def test_a_sweep_deletes_in_batches(
    dsn: str, andrew: Member, database: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeper, "BATCH", 3)
    cruds = [await andrew.crud(f"crud {number}") for number in range(7)]
    for _ in range(4):
        await andrew.reply(cruds[0]["uuid"])
    for crud in cruds:
        await expire(database, crud["uuid"])
    await swept(dsn)
    assert await count_rows(database, "activities") == 0


async def test_only_one_process_sweeps_at_a_time(
    dsn: str, andrew: Member, database: asyncpg.Connection, unswept: None
) -> None:
    crud = await andrew.crud()
    await expire(database, crud["uuid"])
    assert await sweep(dsn) is None  # this test has the lock
    assert await count_rows(database, "activities") == 1


async def test_concurrent_sweeps_do_not_block_each_other(
    dsn: str, andrew: Member, database: asyncpg.Connection
) -> None:
    for number in range(5):
        await expire(database, (await andrew.crud(f"crud {number}"))["uuid"])
    await asyncio.gather(*(swept(dsn) for _ in range(4)))
    assert await count_rows(database, "activities") == 0


async def test_a_sweep_does_not_wait_for_writers(
    dsn: str, andrew: Member, database: asyncpg.Connection
) -> None:
    busy, idle = await andrew.crud("busy"), await andrew.crud("idle")
    for crud in (busy, idle):
        await expire(database, crud["uuid"])
    async with database.transaction():
        await database.execute(
            "SELECT FROM activities WHERE uuid = $1 FOR KEY SHARE", UUID(busy["uuid"])
        )
        await asyncio.wait_for(swept(dsn), PATIENCE)
        assert await database.fetchval("SELECT message FROM activities") == "busy"
    await swept(dsn)
    assert await count_rows(database, "activities") == 0


async def test_a_response_in_progress_survives_a_sweep(
    dsn: str, api: Api, andrew: Member, database: asyncpg.Connection
) -> None:
    async def read() -> httpx.Response:
        return await api.request("GET", "/api/activities/home?limit=100")

    for number in range(10):
        crud = await andrew.crud(f"crud {number}")
        if number % 2:
            await expire(database, crud["uuid"])
    *responses, _ = await asyncio.gather(*(read() for _ in range(8)), swept(dsn))
    assert [len(response.json()) for response in responses] == [5] * 8
