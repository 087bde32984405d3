"""The export of a member's own data, and the entries of the audit log that concern them."""

import io
import json
import tracemalloc
from collections.abc import Callable
from typing import Any
from zipfile import ZipFile

import asyncpg
import httpx
import pytest
from PIL import Image
from quart import Quart

from cruddur.services.export import EXPORTS_PER_DAY, LEFT_OUT, TABLES
from cruddur.services.moderation import grant
from patience import PATIENCE
from pictures import file
from support import Api, Member, acquaint, expire, expire_message, serving_on_a_socket

pytestmark = pytest.mark.usefixtures("quick_passwords")

PATH = "/api/auth/export"


async def exported(member: Member) -> dict[str, Any]:
    """Return the files of an export by name; JSON is parsed."""
    response = await member.request("GET", PATH)
    assert response.headers["content-type"] == "application/zip"
    with ZipFile(io.BytesIO(response.content)) as archive:
        assert archive.testzip() is None
        files: dict[str, Any] = {name: archive.read(name) for name in archive.namelist()}
    for name, content in files.items():
        if name.endswith(".json"):
            files[name] = json.loads(content)
        elif name.endswith(".jsonl"):
            files[name] = [json.loads(line) for line in content.splitlines()]
    return files


async def upload(member: Member, picture: Image.Image) -> str:
    uploaded = await member.request("POST", "/api/pictures", content=file(picture))
    uuid: str = uploaded.json()["uuid"]
    return uuid


@pytest.mark.rule("C143")
async def test_every_table_that_refers_to_members_is_exported_or_has_a_reason(
    database: asyncpg.Connection, andrew: Member
) -> None:
    referring = await database.fetch(
        "SELECT DISTINCT conrelid::regclass::text AS name FROM pg_constraint"
        " WHERE confrelid = ANY(ARRAY['users', 'accounts', 'sessions', 'second_factors',"
        " 'activities', 'messages', 'pictures']::regclass[])"
        " UNION SELECT table_name FROM information_schema.columns"
        " JOIN information_schema.tables USING (table_schema, table_name)"
        " WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
        " AND (column_name ~ '(user|actor|recipient|author)_uuid$' OR column_name = 'member')"
    )
    tables = {row["name"] for row in referring} | {"users"}
    indirect = {"idempotency_answers": "idempotency_keys"}
    assert {indirect.get(name, name) for name in tables} == TABLES.keys() | LEFT_OUT.keys()
    assert TABLES.keys().isdisjoint(LEFT_OUT)
    names = await exported(andrew)
    for part in TABLES.values():
        assert "." in part or "/" in part or names.keys() & {f"{part}.json", f"{part}.jsonl"}


@pytest.mark.rule("C143")
async def test_an_export_has_what_the_member_wrote_chose_and_uploaded(
    api: Api,
    andrew: Member,
    bayko: Member,
    member: Callable[..., Any],
    database: asyncpg.Connection,
) -> None:
    await acquaint(database, andrew, bayko)
    picture = Image.new("RGB", (32, 16), "grey")
    body = {"message": "mine #tea http://example.com/", "ttl": "1-day"}
    crud = await andrew.post(
        "/api/activities", {**body, "pictures": [{"uuid": await upload(andrew, picture)}]}
    )
    unused = await upload(andrew, picture)
    other = await bayko.crud("Bayko's")
    reply = await andrew.reply(other["uuid"], "my reply")
    for kind in ("like", "repost"):
        await andrew.put(f"/api/activities/{other['uuid']}/{kind}")
    await bayko.put(f"/api/activities/{crud['uuid']}/like")
    await andrew.put("/api/tags/tea/follow")
    worf, londo = await member("worf"), await member("londo")
    await andrew.put("/api/users/@worf/block")
    await andrew.put("/api/users/@londo/mute", {})
    sent = await andrew.message("bayko", "a word")
    received = await bayko.message("andrewbrown", "an answer")
    report = {"kind": "crud", "uuid": other["uuid"], "category": "spam", "words": "look at it"}
    await andrew.post("/api/reports", report)
    await andrew.put("/api/messages/policy", {"policy": "following"})

    files = await exported(andrew)
    assert files["export.json"]["format"] == 1
    [profile] = files["profile.json"]
    assert (profile["handle"], profile["message_policy"]) == ("andrewbrown", "following")
    assert (profile["followers_count"], profile["following_count"]) == (1, 1)
    cruds = {one["uuid"]: one for one in files["cruds.json"]}
    assert cruds.keys() == {crud["uuid"], reply["uuid"]}
    assert cruds[crud["uuid"]]["tags"] == ["tea"]
    assert cruds[crud["uuid"]]["likes_count"] == 1
    assert cruds[reply["uuid"]]["reply_to_activity_uuid"] == other["uuid"]
    [shown] = cruds[crud["uuid"]]["pictures"]
    pictures = {one["uuid"] for one in files["pictures.json"]}
    assert pictures == {shown["uuid"], unused}
    for uuid in pictures:
        served = await api.request("GET", f"/api/pictures/{uuid}.jpg") if uuid != unused else None
        assert files[f"pictures/{uuid}.jpg"].startswith(b"\xff\xd8")
        assert served is None or files[f"pictures/{uuid}.jpg"] == served.content
    for name in ("likes.json", "reposts.json"):
        assert [one["author"] for one in files[name]] == ["bayko"]
    for name, handle in (
        ("following.json", "bayko"),
        ("followers.json", "bayko"),
        ("blocks.json", "worf"),
        ("mutes.json", "londo"),
    ):
        assert [one["handle"] for one in files[name]] == [handle], name
    assert [one["tag"] for one in files["followed_tags.json"]] == ["tea"]
    assert [(one["uuid"], one["is_own"], one["with"]) for one in files["messages.json"]] == [
        (sent["uuid"], True, "bayko"),
        (received["uuid"], False, "bayko"),
    ]
    assert [one["with"] for one in files["conversations.json"]] == ["bayko"]
    assert {one["kind"] for one in files["notifications.json"]} == {"like", "message"}
    assert [one["words"] for one in files["reports.json"]] == ["look at it"]
    assert [one["uuid"] for one in files["sessions.json"]] == [str(andrew.session_uuid)]
    assert worf.handle != londo.handle


@pytest.mark.rule("C144")
async def test_an_export_shows_nothing_that_the_member_cannot_see(
    andrew: Member, bayko: Member, database: asyncpg.Connection
) -> None:
    await acquaint(database, andrew, bayko)
    gone = await andrew.crud("vaporous")
    theirs = await bayko.crud("Bayko's")
    late = await bayko.message("andrewbrown", "fleeting")
    await andrew.message("bayko", "my own words")
    await bayko.message("andrewbrown", "whisper")
    for crud in (gone, theirs):
        await andrew.put(f"/api/activities/{crud['uuid']}/like")
    await expire(database, gone["uuid"])
    await expire_message(database, late["uuid"])
    await bayko.put("/api/users/@andrewbrown/block")
    response = await andrew.request("GET", PATH)
    files = await exported(andrew)
    text = json.dumps({name: shown for name, shown in files.items() if name.endswith(".json")})
    for hidden in ("vaporous", "fleeting", "whisper", "bayko", late["uuid"], str(bayko.uuid)):
        assert hidden not in text, hidden
    assert [one["message"] for one in files["messages.json"]] == ["my own words"]
    assert response.status_code == 200


@pytest.mark.rule("C144")
async def test_an_export_has_no_secrets(
    api: Api, andrew: Member, database: asyncpg.Connection
) -> None:
    body = {"name": "bot", "scopes": ["read"], "ttl": "1-day"}
    token = (await andrew.post("/api/auth/tokens", body))["token"]
    await database.execute(
        "INSERT INTO accounts (user_uuid, email, password_hash) VALUES ($1, 'a@b.example', 'hash')",
        andrew.uuid,
    )
    await database.execute(
        "INSERT INTO second_factors (user_uuid, sealed_secret, key_digest, confirmed_at)"
        " VALUES ($1, convert_to(repeat('sealed', 9), 'UTF8'), 'digest', now())",
        andrew.uuid,
    )
    await database.execute("INSERT INTO recovery_codes VALUES ($1, 'code')", andrew.uuid)
    files = await exported(andrew)
    [listed] = files["api_tokens.json"]
    assert (listed["name"], listed["scopes"]) == ("bot", ["read"])
    [factor] = files["second_factor.json"]
    assert factor.keys() == {"confirmed_at", "recovery_codes_left"}
    assert factor["recovery_codes_left"] == 1
    files.pop("export.json")  # which says what is left out
    text = json.dumps({name: one for name, one in files.items() if name.endswith(".json")})
    for secret in (token, "hash", "sealed", "digest"):
        assert secret not in text, secret
    bot = Api(api.http, {"Authorization": f"Bearer {token}"})
    await bot.get(PATH, expect=403)


@pytest.mark.rule("C143")
async def test_exports_are_limited_for_each_member(api: Api, andrew: Member, bayko: Member) -> None:
    for _ in range(EXPORTS_PER_DAY):
        await exported(andrew)
    response = await andrew.request("GET", PATH, expect=429)
    assert int(response.headers["retry-after"]) > 3600
    await exported(bayko)
    await api.get(PATH, expect=401)


async def test_an_export_of_many_rows_and_pictures_needs_little_memory(
    app: Quart, andrew: Member, database: asyncpg.Connection
) -> None:
    rows, size, pictures = 3_000, 200_000, 200
    await database.execute(
        "INSERT INTO activities (user_uuid, message, expires_at)"
        " SELECT $1, repeat(md5(n::text), 8), now() + interval '1 day'"
        " FROM generate_series(1, $2::integer) AS n",
        andrew.uuid, rows,
    )  # fmt: skip
    await database.execute(
        "WITH made AS (INSERT INTO pictures (user_uuid, width, height, expires_at)"
        " SELECT $1, 9, 9, now() + interval '1 day' FROM generate_series(1, $2::integer)"
        " RETURNING uuid)"
        " INSERT INTO picture_files SELECT uuid, 'full', convert_to(repeat('x', $3), 'UTF8')"
        " FROM made",
        andrew.uuid, pictures, size,
    )  # fmt: skip
    received, end = 0, b""
    async with serving_on_a_socket(app) as url, httpx.AsyncClient(timeout=PATIENCE) as http:
        tracemalloc.start()
        try:
            async with http.stream("GET", url + PATH, headers=andrew.headers) as response:
                async for chunk in response.aiter_raw():
                    received += len(chunk)
                    end = (end + chunk)[-1000:]
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert received > pictures * size
    assert b"PK\x05\x06" in end  # the archive is complete
    assert peak < received / 4


@pytest.mark.rule("C145")
async def test_a_member_reads_what_the_audit_log_says_about_them(
    andrew: Member, bayko: Member, member: Callable[..., Any], database: asyncpg.Connection
) -> None:
    worf = await member("worf")
    await grant(database, "worf", "moderator")
    crud = await bayko.crud("a crud")
    report = {"kind": "crud", "uuid": crud["uuid"], "category": "spam"}
    await andrew.post("/api/reports", report)
    [case] = await worf.get("/api/moderation/cases")
    await worf.get(f"/api/moderation/cases/{case['uuid']}")
    decision = {"kind": "warn", "reason": "Please stop"}
    await worf.post(f"/api/moderation/cases/{case['uuid']}/decisions", decision)
    path = "/api/auth/audit.jsonl"

    async def read(reader: Member) -> list[Any]:
        response = await reader.request("GET", path)
        return [json.loads(line) for line in response.text.splitlines()]

    entries = await read(bayko)
    assert [(one["action"], one["why"], one["is_own_act"]) for one in entries] == [
        ("warn", "Please stop", False)
    ]
    assert [(one["action"], one["is_own_act"]) for one in await read(worf)] == [
        ("role", False),
        ("look", True),
        ("warn", True),
    ]
    assert await read(andrew) == []
    assert (await exported(bayko))["audit.jsonl"] == entries
    text = json.dumps(await exported(bayko))  # neither who reported, nor who decided
    for hidden in ("worf", "andrewbrown", str(andrew.uuid), str(worf.uuid), case["uuid"]):
        assert hidden not in text
