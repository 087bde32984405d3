"""Reports: what is copied, who can read it, and for how long."""

import asyncio
import base64
import random
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from PIL import Image
from quart import Quart

from cruddur.db.pool import connect
from cruddur.services import reports as service
from live.listening import listening
from moderators import CASES, appoint, decide, first_case, report, retention_over
from pictures import file
from support import (
    Api,
    Member,
    count_rows,
    expire,
    pages,
    serving_on_a_socket,
    swept,
    until_blocking,
)
from telemetry.recorded import until

SECRET = "xyzzyplugh"


@pytest.fixture
async def worf(member: Any, database: asyncpg.Connection) -> Member:
    """A moderator."""
    return await appoint(database, await member("worf"))


async def tables_with(conn: asyncpg.Connection, data: bytes) -> set[str]:
    """The tables with a row that has these bytes, as text or in a column of bytes."""
    tables = await conn.fetchval(
        "SELECT array_agg(relname::text) FROM pg_class"
        " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    )
    found = set()
    for table in tables:
        for row in await conn.fetch(f'SELECT * FROM "{table}"'):
            for value in row.values():
                stored = value if isinstance(value, bytes) else str(value).encode()
                if data.lower() in stored.lower():
                    found.add(table)
    return found


@pytest.mark.rule("C120")
async def test_a_report_copies_the_crud_at_that_instant(
    andrew: Member, bayko: Member, worf: Member, database: asyncpg.Connection
) -> None:
    first = await bayko.crud("What do you think?")
    middle = await andrew.reply(first["uuid"], "I will tell you")
    reply = await bayko.reply(middle["uuid"], f"{SECRET} you")
    await report(andrew, "crud", reply["uuid"], words="He insults me", category="hate")
    await bayko.put("/api/profile/update", {"display_name": "Innocent", "bio": "Nice"})
    opened = await first_case(worf)
    assert opened["case"]["categories"] == ["hate"]
    assert opened["case"]["user"]["handle"] == "bayko"
    [made] = opened["reports"]
    assert (made["handle"], made["words"]) == ("andrewbrown", "He insults me")
    [stored] = opened["evidence"]
    content = stored["content"]
    assert content["message"] == f"{SECRET} you"
    assert content["display_name"] == "Andrew Bayko"
    assert content["created_at"] == reply["created_at"]
    assert content["expires_at"] == reply["expires_at"]
    assert [line["message"] for line in content["context"]] == [
        "What do you think?",
        "I will tell you",
    ]


@pytest.mark.rule("C120")
async def test_a_report_copies_the_pictures_of_a_crud_and_of_its_author(
    andrew: Member, bayko: Member, worf: Member, app: Quart, database: asyncpg.Connection
) -> None:
    uploaded = await bayko.request(
        "POST", "/api/pictures", content=file(Image.new("RGB", (32, 16), "red"))
    )
    picture = {"uuid": uploaded.json()["uuid"], "alt": "a red rag"}
    body = {"message": "look", "ttl": "1-day", "pictures": [picture]}
    crud = await bayko.post("/api/activities", body)
    upload = await bayko.post("/api/avatars/key_upload", {"extension": "png"})
    await bayko.http.put(upload["url"], content=file(Image.new("RGB", (8, 8), "blue")))
    thumbnail = (await bayko.http.get(crud["pictures"][0]["thumbnail_url"])).content
    await report(andrew, "crud", crud["uuid"])
    await bayko.delete(f"/api/activities/{crud['uuid']}")
    await bayko.delete("/api/avatars/me")
    content = (await first_case(worf))["evidence"][0]["content"]
    assert content["pictures"] == [
        {"alt": "a red rag", "jpeg": base64.b64encode(thumbnail).decode()}
    ]
    assert base64.b64decode(content["avatar"]).startswith(b"\xff\xd8")


@pytest.mark.rule("C120")
async def test_a_report_of_a_message_has_the_three_messages_around_it(
    andrew: Member, bayko: Member, worf: Member
) -> None:
    sent = [await bayko.message("andrewbrown", f"number {n}") for n in range(7)]

    async def context(number: int) -> list[str]:
        await report(andrew, "message", sent[number]["uuid"])
        [stored] = (await first_case(worf))["evidence"]
        assert stored["content"]["message"] == f"number {number}"
        return [line["message"][-1] for line in stored["content"]["context"]]

    assert await context(3) == ["1", "2", "4"]
    assert await context(0) == ["1", "2", "3"]
    assert await context(6) == ["3", "4", "5"]
    assert await context(5) == ["3", "4", "6"]


@pytest.mark.rule("C120")
async def test_a_profile_can_be_reported(andrew: Member, bayko: Member, worf: Member) -> None:
    await bayko.put("/api/profile/update", {"display_name": "Bayko", "bio": SECRET})
    await report(andrew, "profile", bayko.uuid)
    content = (await first_case(worf))["evidence"][0]["content"]
    assert (content["kind"], content["bio"], content["message"]) == ("profile", SECRET, None)


@pytest.mark.rule("C121")
async def test_reports_of_one_subject_are_one_case_with_one_copy(
    andrew: Member, bayko: Member, worf: Member, member: Any, database: asyncpg.Connection
) -> None:
    londo = await member("londo")
    crud = await bayko.crud()
    first, second = await asyncio.gather(
        report(andrew, "crud", crud["uuid"]), report(londo, "crud", crud["uuid"])
    )
    again = await report(andrew, "crud", crud["uuid"], category="spam", words="again")
    assert again == first != second
    opened = await first_case(worf)
    assert len(opened["reports"]) == 2
    assert len(opened["evidence"]) == 1
    await decide(worf, opened["case"]["uuid"], "dismiss")
    assert await report(andrew, "crud", crud["uuid"]) == first
    assert await count_rows(database, "cases") == 1
    # A profile can change, so it can be reported again after the decision.
    for cases in (2, 3):
        await report(andrew, "profile", bayko.uuid)
        await report(andrew, "profile", bayko.uuid)
        assert await count_rows(database, "cases") == cases
        await decide(worf, (await first_case(worf))["case"]["uuid"], "dismiss")


@pytest.mark.rule("C121")
async def test_changes_of_a_profile_hide_no_earlier_copy(
    andrew: Member, bayko: Member, worf: Member, member: Any
) -> None:
    reporters = [andrew, await member("londo"), await member("gkar")]
    for number, reporter in enumerate(reporters):
        await bayko.put("/api/profile/update", {"display_name": "Bayko", "bio": f"{number}"})
        await report(reporter, "profile", bayko.uuid)
    path = f"{CASES}/{(await worf.get(CASES))[0]['uuid']}?limit=1"
    listed = [one async for page in pages(worf, path) for one in page["evidence"]]
    assert [one["content"]["bio"] for one in listed] == ["2", "1", "0"]


@pytest.mark.rule("C120")
async def test_a_block_is_no_way_out(andrew: Member, bayko: Member, worf: Member) -> None:
    crud, message = await bayko.crud(SECRET), await bayko.message("andrewbrown", SECRET)
    await bayko.put("/api/users/@andrewbrown/block")
    for kind, uuid in (
        ("crud", crud["uuid"]),
        ("profile", bayko.uuid),
        ("message", message["uuid"]),
    ):
        await report(andrew, kind, uuid)
    assert len(await worf.get(CASES)) == 3


@pytest.mark.rule("C120")
async def test_only_what_a_member_was_shown_can_be_reported(
    andrew: Member, bayko: Member, member: Any, database: asyncpg.Connection
) -> None:
    londo = await member("londo")
    message = await bayko.message("andrewbrown", "between us")
    crud = await bayko.crud()
    assert await report(londo, "message", message["uuid"], expect=404) == ["not_found"]
    for kind in ("crud", "profile", "message"):
        assert await report(andrew, kind, uuid4(), expect=404) == ["not_found"]
    for kind, uuid in (
        ("crud", crud["uuid"]),
        ("profile", bayko.uuid),
        ("message", message["uuid"]),
    ):
        assert await report(bayko, kind, uuid, expect=422) == ["report_own"]
    await expire(database, crud["uuid"])
    assert await report(andrew, "crud", crud["uuid"], expect=404) == ["not_found"]
    for table in ("cases", "evidence", "reports"):
        assert await count_rows(database, table) == 0


async def test_a_member_makes_a_limited_number_of_reports_a_day(
    andrew: Member, bayko: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "REPORTS_PER_DAY", 2)
    cruds = [await bayko.crud(f"crud {n}") for n in range(3)]
    for crud in cruds[:2]:
        await report(andrew, "crud", crud["uuid"])
    assert await report(andrew, "crud", cruds[2]["uuid"], expect=429) == ["rate_limited"]
    await report(andrew, "crud", cruds[0]["uuid"])  # the same again has no effect


@pytest.mark.rule("C122")
async def test_a_reported_crud_expires_on_time_and_its_copy_stays_for_moderators(
    api: Api, andrew: Member, bayko: Member, worf: Member, database: asyncpg.Connection, dsn: str
) -> None:
    crud = await bayko.crud(f"{SECRET} expires")
    await report(andrew, "crud", crud["uuid"])
    await expire(database, crud["uuid"])
    for reader in (api, andrew, bayko, worf):
        await reader.get(f"/api/activities/{crud['uuid']}", expect=404)
        assert SECRET not in str(await reader.get("/api/activities/home"))
    await swept(dsn)
    assert (await first_case(worf))["evidence"][0]["content"]["message"] == f"{SECRET} expires"


@pytest.mark.rule("C122")
async def test_no_table_and_no_stream_shows_what_was_reported_and_nothing_is_left_after_retention(
    app: Quart,
    andrew: Member,
    bayko: Member,
    worf: Member,
    dsn: str,
    database: asyncpg.Connection,
) -> None:
    noise = Image.frombytes("RGB", (90, 90), random.Random(7).randbytes(90 * 90 * 3))
    uploaded = await bayko.request("POST", "/api/pictures", content=file(noise))
    picture = {"uuid": uploaded.json()["uuid"], "alt": SECRET}
    body = {"message": f"{SECRET} is reported", "ttl": "1-day", "pictures": [picture]}
    crud = await bayko.post("/api/activities", body)
    thumbnail = (await bayko.http.get(crud["pictures"][0]["thumbnail_url"])).content[500:600]
    async with serving_on_a_socket(app) as url:
        async with (
            listening(url) as visitor,
            listening(url, andrew.headers) as reporter,
            listening(url, bayko.headers) as author,
        ):
            await report(andrew, "crud", crud["uuid"], words=f"He said {SECRET}")
            await expire(database, crud["uuid"])
            sealed = await database.fetchval("SELECT sealed FROM evidence")
            words = await database.fetchval("SELECT sealed_words FROM reports")
            await first_case(worf)
            for stream in (visitor, reporter, author):
                assert await stream.receive("gone") == [{"uuid": crud["uuid"]}]
        await until(lambda: not app.extensions["cruddur"].live.has_streams)
    await swept(dsn)
    for secret in (SECRET.encode(), thumbnail):
        assert await tables_with(database, secret) == set()
    assert await tables_with(database, sealed) == {"evidence"}

    await retention_over(database)
    await swept(dsn)
    assert await tables_with(database, sealed) == {"evidence"}, "its case waits for a decision"
    opened = await first_case(worf)
    await decide(worf, opened["case"]["uuid"], "dismiss")
    hidden = await worf.get(f"{CASES}/{opened['case']['uuid']}")
    assert (hidden["evidence"], hidden["reports"]) == ([], []), "also before they are swept"
    await swept(dsn)
    for secret in (SECRET.encode(), thumbnail, sealed, words):
        assert await tables_with(database, secret) == set()
    opened = await worf.get(f"{CASES}/{opened['case']['uuid']}")
    assert (opened["evidence"], opened["reports"]) == ([], [])


@pytest.mark.rule("C122")
async def test_evidence_is_kept_for_its_retention_after_the_decision(
    andrew: Member, bayko: Member, worf: Member, dsn: str, database: asyncpg.Connection
) -> None:
    await report(andrew, "profile", bayko.uuid)
    await decide(worf, (await first_case(worf))["case"]["uuid"], "dismiss")
    await swept(dsn)
    assert await count_rows(database, "evidence") == await count_rows(database, "reports") == 1
    kept = await database.fetchval("SELECT expires_at - created_at FROM evidence")
    assert kept.days == 14


@pytest.mark.rule("C123")
async def test_a_crud_that_is_deleted_quickly_can_still_be_reported(
    api: Api,
    andrew: Member,
    bayko: Member,
    worf: Member,
    database: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(service, "_COPIES_AT_ONCE", 2)
    crud = await bayko.crud("harmless")
    for number in range(3):
        await bayko.reply(crud["uuid"], f"reply {number}")
    reply = await bayko.reply(crud["uuid"], f"{SECRET} you")
    await bayko.delete(f"/api/activities/{crud['uuid']}")
    await api.get(f"/api/activities/{reply['uuid']}", expect=404)
    assert await tables_with(database, SECRET.encode()) == set()
    await report(andrew, "crud", reply["uuid"])
    content = (await first_case(worf))["evidence"][0]["content"]
    assert (content["message"], content["was_deleted"]) == (f"{SECRET} you", True)
    assert await report(bayko, "crud", reply["uuid"], expect=422) == ["report_own"]


@pytest.mark.rule("C123")
async def test_the_copy_of_a_deleted_crud_is_kept_for_ten_minutes_and_no_longer_than_it_lived(
    andrew: Member, bayko: Member, dsn: str, database: asyncpg.Connection
) -> None:
    long, short = await bayko.crud("long"), await bayko.crud("short")
    ends_at = await database.fetchval(
        "UPDATE activities SET expires_at = now() + interval '5 minutes' WHERE uuid = $1"
        " RETURNING expires_at",
        UUID(short["uuid"]),
    )
    for crud in (long, short):
        await bayko.delete(f"/api/activities/{crud['uuid']}")
    kept = dict(
        await database.fetch("SELECT uuid::text, expires_at - now() FROM deleted_activities")
    )
    assert 590 < kept[long["uuid"]].total_seconds() <= 600
    assert await database.fetchval("SELECT min(expires_at) FROM deleted_activities") == ends_at
    await database.execute("UPDATE deleted_activities SET expires_at = now()")
    assert await report(andrew, "crud", long["uuid"], expect=404) == ["not_found"]
    await swept(dsn)
    assert await count_rows(database, "deleted_activities") == 0


@pytest.mark.rule("C123")
async def test_no_copy_is_kept_of_a_crud_that_could_be_reported_for_long_enough(
    andrew: Member, bayko: Member, dsn: str, database: asyncpg.Connection
) -> None:
    old, expired = await bayko.crud("old"), await bayko.crud("expired")
    await database.execute(
        "UPDATE activities SET created_at = now() - interval '11 minutes' WHERE uuid = $1",
        UUID(old["uuid"]),
    )
    await expire(database, expired["uuid"])
    await bayko.delete(f"/api/activities/{old['uuid']}")
    await andrew.delete(f"/api/activities/{(await bayko.crud())['uuid']}", expect=404)
    await swept(dsn)
    assert await count_rows(database, "deleted_activities") == 0


@pytest.mark.usefixtures("quick_passwords")
@pytest.mark.rule("C123")
async def test_the_cruds_of_a_deleted_account_can_still_be_reported(
    api: Api, andrew: Member, worf: Member, codes: Any, database: asyncpg.Connection, dsn: str
) -> None:
    account = {"email": "quark@example.com", "password": "latinum is not enough"}
    await api.post("/api/auth/signup", {**account, "handle": "quark", "display_name": "Quark"})
    await api.post(
        "/api/auth/confirm", {"email": account["email"], "code": codes(account["email"])}
    )
    signed_in = await api.post("/api/auth/signin", account)
    headers = {"Authorization": f"Bearer {signed_in['access_token']}"}
    crud = await api.post("/api/activities", {"message": SECRET, "ttl": "1-day"}, headers=headers)
    await api.delete("/api/auth/me", {"password": account["password"]}, headers=headers)
    await report(andrew, "crud", crud["uuid"])
    opened = await first_case(worf)
    assert opened["case"]["user"] is opened["account"] is None
    assert opened["evidence"][0]["content"]["handle"] == "quark"
    assert await decide(worf, opened["case"]["uuid"], "ban", expect=422) == ["kind_invalid"]
    assert await decide(worf, opened["case"]["uuid"], "dismiss") is None


async def test_a_report_and_a_deletion_at_once_lose_nothing(
    andrew: Member, bayko: Member, worf: Member, dsn: str, database: asyncpg.Connection
) -> None:
    """The crud is deleted while the report waits for the case of the same crud."""
    crud = await bayko.crud(SECRET)
    blocker = await connect(dsn)
    try:
        async with blocker.transaction():
            await blocker.execute(
                "INSERT INTO cases (kind, subject_uuid, user_uuid) VALUES ('crud', $1, $2)",
                UUID(crud["uuid"]), bayko.uuid,
            )  # fmt: skip
            reporting = asyncio.create_task(report(andrew, "crud", crud["uuid"]))
            await until_blocking(blocker)
            await bayko.delete(f"/api/activities/{crud['uuid']}")
        await reporting
    finally:
        await blocker.close()
    assert (await first_case(worf))["evidence"][0]["content"]["message"] == SECRET
