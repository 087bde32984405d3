"""Moderators: the queue, decisions, suspensions, appeals, and the audit log."""

import asyncio
import csv
import io
import json
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from PIL import Image
from quart import Quart

from cruddur.db.pool import connect
from live.listening import listening
from moderators import CASES, appoint, decide, first_case, report, retention_over
from pictures import file
from support import (
    Api,
    Member,
    count_rows,
    pages,
    refused,
    serving_on_a_socket,
    swept,
    until_blocking,
)
from telemetry.recorded import until

ACCOUNT = {"email": "quark@example.com", "password": "latinum is not enough"}


@pytest.fixture
async def worf(member: Any, database: asyncpg.Connection) -> Member:
    """A moderator."""
    return await appoint(database, await member("worf"))


@pytest.fixture
async def sisko(member: Any, database: asyncpg.Connection) -> Member:
    """An admin."""
    return await appoint(database, await member("sisko"), "admin")


@pytest.fixture
async def case(andrew: Member, bayko: Member, worf: Member) -> str:
    """The uuid of a case about a crud of Bayko's."""
    await report(andrew, "crud", (await bayko.crud("an insult"))["uuid"])
    uuid: str = (await worf.get(CASES))[0]["uuid"]
    return uuid


@pytest.fixture
async def quark(api: Api, codes: Any, quick_passwords: None) -> Member:
    """A member with a password."""
    await api.post("/api/auth/signup", {**ACCOUNT, "handle": "quark", "display_name": "Quark"})
    confirmed = {"email": ACCOUNT["email"], "code": codes(ACCOUNT["email"])}
    await api.post("/api/auth/confirm", confirmed)
    session = await api.post("/api/auth/signin", ACCOUNT)
    headers = {"Authorization": f"Bearer {session['access_token']}"}
    return Member(api.http, headers, handle="quark")


async def suspension(api: Api) -> Any:
    """Fail to sign in as Quark, and return the decision; the client keeps the cookie."""
    assert await api.post("/api/auth/signin", ACCOUNT, expect=403) == ["account_suspended"]
    return await api.get("/api/auth/suspension")


async def audited(admin: Member) -> list[tuple[Any, ...]]:
    """The audit log: each actor, action, account and reason."""
    return [
        (entry["actor_handle"], entry["action"], entry["user_handle"], entry["why"])
        for entry in await admin.get("/api/moderation/audit")
    ]


async def age(conn: asyncpg.Connection, seconds: int) -> None:
    """Let suspensions be older."""
    for table, column in (("users", "suspended_until"), ("moderation_actions", "ends_at")):
        await conn.execute(
            f"UPDATE {table} SET {column} = {column} - make_interval(secs => $1)", seconds
        )


@pytest.mark.rule("C124")
async def test_the_queue_lists_open_cases_first_and_each_once(
    andrew: Member, bayko: Member, worf: Member
) -> None:
    uuids = []
    for number in range(7):
        await report(andrew, "crud", (await bayko.crud(f"crud {number}"))["uuid"])
        uuids.append((await worf.get(CASES))[0]["uuid"])
    closed = [uuids[number] for number in (1, 4, 5)]
    for uuid in closed:
        await decide(worf, uuid, "dismiss")
    expected = [uuid for uuid in uuids[::-1] if uuid not in closed] + closed[::-1]
    for limit in (1, 2, 3, 4, 100):
        listed = [one async for page in pages(worf, f"{CASES}?limit={limit}") for one in page]
        assert [one["uuid"] for one in listed] == expected
        assert [one["is_open"] for one in listed] == [True] * 4 + [False] * 3


@pytest.mark.rule("C124")
async def test_a_case_that_changes_between_two_pages_moves_to_the_other_part(
    andrew: Member, bayko: Member, worf: Member
) -> None:
    uuids = []
    for number in range(5):
        await report(andrew, "crud", (await bayko.crud(f"crud {number}"))["uuid"])
        uuids.append((await worf.get(CASES))[0]["uuid"])
    closed, other, still_open, last_open, decided = uuids
    for uuid in (closed, other):
        await decide(worf, uuid, "warn")

    async def listed(change: Callable[[], Awaitable[Any]]) -> list[str]:
        """Change a case after the first page of one case, and return all that were listed."""
        found: list[str] = []
        async for page in pages(worf, f"{CASES}?limit=1"):
            found += [one["uuid"] for one in page]
            if len(found) == 1:
                await change()
        return found

    async def appeal() -> None:
        latest, *_ = await bayko.get("/api/notices")
        await bayko.post(f"/api/notices/{latest['uuid']}/appeal", {"words": "No"})

    twice = await listed(lambda: decide(worf, decided, "dismiss"))
    assert twice == [decided, last_open, still_open, decided, other, closed]
    await decide(worf, last_open, "warn")
    never = await listed(appeal)
    assert never == [still_open, decided, other, closed]
    again = [one["uuid"] for one in await worf.get(CASES)]
    assert again == [last_open, still_open, decided, other, closed]


@pytest.mark.rule("C125")
@pytest.mark.parametrize("kind", ["dismiss", "warn", "remove_crud", "limit", "suspend", "ban"])
async def test_a_decision_closes_the_case_and_the_account_sees_its_reason(
    kind: str, case: str, bayko: Member, worf: Member, api: Api, database: asyncpg.Connection
) -> None:
    days = {"days": 3} if kind in {"limit", "suspend"} else {}
    history = await decide(worf, case, kind, **days)
    assert [one["kind"] for one in history["decisions"]] == [kind]
    assert history["decisions"][0]["actor_handle"] == "worf"
    assert (history["limited_until"] is not None) == (kind == "limit")
    assert history["is_suspended"] == (kind in {"suspend", "ban"})
    assert (history["suspended_until"] is not None) == (kind == "suspend")
    assert (history["cases_count"], history["open_count"]) == (1, 0)
    assert (await worf.get(CASES))[0]["closed_at"] is not None
    crud = (await worf.get(CASES))[0]["subject_uuid"]
    await api.get(f"/api/activities/{crud}", expect=404 if kind == "remove_crud" else 200)
    if kind in {"suspend", "ban"}:
        await bayko.get("/api/notices", expect=401)
        return
    me = await bayko.get("/api/auth/me")
    notices = await bayko.get("/api/notices")
    if kind == "dismiss":
        assert (me["unread_notices"], notices) == (0, [])
        return
    assert me["unread_notices"] == 1
    [notice] = notices
    assert (notice["kind"], notice["reason"]) == (kind, "You know the rules")
    assert (notice["unread"], notice["appeal"]) == (True, "possible")
    assert [one["unread"] for one in await bayko.get("/api/notices")] == [False]
    assert (await bayko.get("/api/auth/me"))["unread_notices"] == 0


@pytest.mark.rule("C125")
async def test_a_removed_crud_is_gone_from_caches_and_streams_at_once(
    case: str, app: Quart, api: Api, andrew: Member, worf: Member
) -> None:
    async def is_shown(reader: Api) -> bool:
        texts = {str(await reader.get("/api/activities/home")) for _ in range(3)}
        [is_there] = {"an insult" in text for text in texts}
        return is_there

    assert await is_shown(api)
    assert await is_shown(andrew)
    crud = (await worf.get(CASES))[0]["subject_uuid"]
    async with serving_on_a_socket(app) as url:
        async with listening(url, feed="home") as stream:
            await decide(worf, case, "remove_crud")
            assert await stream.receive("gone") == [{"uuid": crud}]
        await until(lambda: not app.extensions["cruddur"].live.has_streams)
    assert not await is_shown(api)
    assert not await is_shown(andrew)


@pytest.mark.rule("C125")
async def test_a_decision_must_suit_its_case(
    case: str, andrew: Member, bayko: Member, worf: Member
) -> None:
    assert await decide(worf, case, "suspend", expect=422) == ["days_invalid"]
    assert await decide(worf, case, "limit", expect=422) == ["days_invalid"]
    assert await decide(worf, case, "warn", days=1, expect=422) == ["days_invalid"]
    assert await decide(worf, case, "suspend", days=366, expect=422) == ["days_invalid"]
    assert await decide(worf, case, "lift", expect=422) == ["kind_invalid"]
    for again in ("yes", 1, {}, None):
        assert await decide(worf, case, "warn", again=again, expect=422) == ["kind_invalid"]
    assert await decide(worf, case, "warn", reason=" ", expect=422) == ["reason_blank"]
    assert await decide(worf, str(uuid4()), "warn", expect=404) == ["not_found"]
    await decide(worf, case, "warn")
    assert await decide(worf, case, "dismiss", again=True, expect=422) == ["kind_invalid"]
    await decide(worf, case, "remove_crud", again=True)  # further decisions can follow
    await report(andrew, "profile", bayko.uuid)
    profile = (await worf.get(CASES))[0]["uuid"]
    assert await decide(worf, profile, "remove_crud", expect=422) == ["kind_invalid"]


@pytest.mark.rule("C156")
async def test_two_moderators_who_decide_at_once_make_one_decision(
    case: str, bayko: Member, worf: Member, member: Any, database: asyncpg.Connection
) -> None:
    odo = await appoint(database, await member("odo"))
    answers = await asyncio.gather(
        *(
            moderator.http.post(
                f"{CASES}/{case}/decisions",
                json={"kind": "warn", "reason": "Be kind"},
                headers=moderator.headers,
            )
            for moderator in (worf, odo)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200, 422]
    [late] = [answer for answer in answers if answer.status_code == 422]
    assert refused(late) == ["case_decided"]
    assert len(await bayko.get("/api/notices")) == 1
    await decide(odo, case, "warn", again=True)
    assert len(await bayko.get("/api/notices")) == 2


@pytest.mark.rule("C157")
async def test_who_reported_a_case_decides_it_only_if_nobody_else_can(
    bayko: Member, worf: Member, sisko: Member, member: Any, database: asyncpg.Connection
) -> None:
    async def suspend(moderator: Member, end: str | None) -> None:
        await database.execute(
            "UPDATE users SET suspended_until = $2::text::timestamptz WHERE uuid = $1",
            moderator.uuid,
            end,
        )

    await report(worf, "crud", (await bayko.crud("an insult"))["uuid"])
    opened = await first_case(worf)
    assert not opened["can_act"]
    case = opened["case"]["uuid"]
    assert await decide(worf, case, "ban", expect=403) == ["judge_involved"]
    # The admin has reported it, too.
    await report(sisko, "crud", opened["case"]["subject_uuid"])
    odo = await appoint(database, await member("odo"))
    assert await decide(worf, case, "ban", expect=403) == ["judge_involved"]
    assert await decide(sisko, case, "ban", expect=403) == ["judge_involved"]
    await suspend(odo, "infinity")
    assert (await worf.get(f"{CASES}/{case}"))["can_act"]
    await suspend(odo, None)
    await appoint(database, odo, "member")
    await decide(worf, case, "warn")


@pytest.mark.rule("C157")
async def test_an_appeal_is_decided_by_someone_else_than_the_decision(
    case: str, bayko: Member, worf: Member, sisko: Member, database: asyncpg.Connection
) -> None:
    await decide(worf, case, "warn")
    [notice] = await bayko.get("/api/notices")
    await bayko.post(f"/api/notices/{notice['uuid']}/appeal", {"words": "I was quoting"})
    path = f"/api/moderation/appeals/{notice['uuid']}"
    answer = {"decision": "upheld", "reason": "I was right"}
    assert await worf.post(path, answer, expect=403) == ["judge_involved"]
    await sisko.post(path, answer)
    assert (await bayko.get("/api/notices"))[0]["appeal"] == "upheld"


@pytest.mark.rule("C157")
async def test_a_moderator_does_not_see_who_reported_them(
    andrew: Member, bayko: Member, worf: Member, sisko: Member
) -> None:
    await report(andrew, "profile", worf.uuid, words="He growls")
    assert await worf.get(CASES) == []
    [case] = await sisko.get(CASES)
    assert await worf.get(f"{CASES}/{case['uuid']}", expect=403) == ["generic_403"]
    assert await decide(worf, case["uuid"], "dismiss", expect=403) == ["generic_403"]
    assert await audited(sisko) == []


@pytest.mark.rule("C126")
async def test_nobody_decides_about_themselves_or_a_higher_or_equal_role(
    case: str,
    andrew: Member,
    bayko: Member,
    worf: Member,
    sisko: Member,
    database: asyncpg.Connection,
) -> None:
    async def tried(moderator: Member, subject: Member, expect: int) -> None:
        await report(andrew, "profile", subject.uuid)
        uuid = str(await database.fetchval("SELECT uuid FROM cases ORDER BY uuid DESC LIMIT 1"))
        if moderator.uuid != subject.uuid:
            opened = await moderator.get(f"{CASES}/{uuid}")
            assert opened["can_act"] == (expect == 200)
        await decide(moderator, uuid, "dismiss", expect=expect)
        if expect != 200:
            await database.execute("UPDATE cases SET closed_at = now()")

    await tried(worf, bayko, 200)
    await tried(worf, worf, 403)
    await tried(worf, sisko, 403)
    await tried(sisko, worf, 200)
    await tried(sisko, sisko, 403)
    await appoint(database, bayko)
    await tried(worf, bayko, 403)


@pytest.mark.rule("C126")
async def test_a_revoked_role_ends_with_the_next_request(
    case: str, worf: Member, database: asyncpg.Connection
) -> None:
    await worf.get(f"{CASES}/{case}")
    await appoint(database, worf, "member")
    for path in (CASES, f"{CASES}/{case}"):
        assert await worf.get(path, expect=403) == ["generic_403"]
    assert await decide(worf, case, "ban", expect=403) == ["generic_403"]


@pytest.mark.rule("C127")
@pytest.mark.parametrize("kind", ["suspend", "ban"])
async def test_a_suspension_ends_sessions_and_streams_at_once(
    kind: str, case: str, app: Quart, andrew: Member, bayko: Member, worf: Member
) -> None:
    ticket = (await bayko.post("/api/stream/ticket"))["ticket"]
    unused = (await bayko.post("/api/stream/ticket"))["ticket"]
    async with serving_on_a_socket(app) as url:
        async with (
            listening(url, bayko.headers) as first,
            listening(url, ticket=ticket) as second,
            listening(url, andrew.headers) as other,
        ):
            await decide(worf, case, kind, **({"days": 1} if kind == "suspend" else {}))
            assert await first.rest() == await second.rest() == []
            await bayko.request("GET", "/api/stream", expect=401)
            await bayko.http.get("/api/stream", params={"ticket": unused})
            await andrew.crud("still here")
            await other.receive("crud")
        await until(lambda: not app.extensions["cruddur"].live.has_streams)
    response = await bayko.request("GET", "/api/auth/me", expect=401)
    assert refused(response) == ["generic_401"]


@pytest.mark.rule("C127")
async def test_a_suspension_ends_the_streams_of_a_token_without_a_session(
    case: str, app: Quart, bayko: Member, worf: Member, database: asyncpg.Connection
) -> None:
    """As tokens of Cognito have none."""
    tickets = [(await bayko.post("/api/stream/ticket"))["ticket"] for _ in range(2)]
    await database.execute(
        "UPDATE stream_tickets SET session_uuid = NULL, access_ends_at = now() + interval '1 hour'"
    )
    async with serving_on_a_socket(app) as url:
        async with listening(url, ticket=tickets[0]) as stream:
            await decide(worf, case, "ban")
            assert await stream.rest() == []
            await bayko.request("GET", "/api/stream", params={"ticket": tickets[1]}, expect=401)
        await until(lambda: not app.extensions["cruddur"].live.has_streams)


@pytest.mark.rule("C128")
async def test_an_overturned_suspension_ends_and_the_appeal_is_decided_once(
    api: Api, andrew: Member, quark: Member, worf: Member
) -> None:
    await report(andrew, "crud", (await quark.crud())["uuid"])
    uuid = (await worf.get(CASES))[0]["uuid"]
    await decide(worf, uuid, "suspend", days=2, reason="No insults")
    await quark.get("/api/auth/me", expect=401)
    await api.post("/api/auth/refresh", expect=401)
    notice = await suspension(api)
    assert (notice["kind"], notice["reason"]) == ("suspend", "No insults")
    assert notice["ends_at"] is not None
    await api.post(f"/api/notices/{notice['uuid']}/appeal", {"words": "It was a joke"})

    opened = await first_case(worf)
    assert (opened["case"]["is_open"], opened["case"]["has_appeal"]) == (True, True)
    path = f"/api/moderation/appeals/{notice['uuid']}"
    answer = {"decision": "overturned", "reason": "So it was"}
    assert not (await worf.post(path, answer))["is_suspended"]
    assert await worf.post(path, answer, expect=422) == ["appeal_decided"]
    session = await api.post("/api/auth/signin", ACCOUNT)
    assert session["user"]["unread_notices"] == 1
    headers = {"Authorization": f"Bearer {session['access_token']}"}
    [notice] = await api.get("/api/notices", headers=headers)
    assert (notice["appeal"], notice["decision_reason"]) == ("overturned", "So it was")


@pytest.mark.rule("C127")
async def test_a_suspension_ends_by_itself(
    api: Api, andrew: Member, quark: Member, worf: Member, database: asyncpg.Connection
) -> None:
    await report(andrew, "crud", (await quark.crud())["uuid"])
    await decide(worf, (await worf.get(CASES))[0]["uuid"], "suspend", days=1)
    await age(database, 86_399)
    await api.post("/api/auth/signin", ACCOUNT, expect=403)
    await age(database, 2)
    session = await api.post("/api/auth/signin", ACCOUNT)
    await quark.get("/api/auth/me", expect=401)  # the earlier session has ended
    headers = {"Authorization": f"Bearer {session['access_token']}"}
    await api.get("/api/auth/me", headers=headers)


@pytest.mark.rule("C127")
async def test_the_longest_suspension_counts_until_it_is_lifted(
    api: Api, andrew: Member, quark: Member, worf: Member
) -> None:
    await report(andrew, "crud", (await quark.crud())["uuid"])
    case = (await worf.get(CASES))[0]["uuid"]
    await decide(worf, case, "ban", reason="forever")
    history = await decide(worf, case, "suspend", days=1, reason="for a day", again=True)
    assert (history["is_suspended"], history["suspended_until"]) == (True, None)
    assert (await suspension(api))["reason"] == "forever"
    assert not (await decide(worf, case, "lift", again=True))["is_suspended"]
    await api.post("/api/auth/signin", ACCOUNT)
    await decide(worf, case, "suspend", days=1, reason="for another day", again=True)
    notice = await suspension(api)
    assert (notice["kind"], notice["reason"]) == ("suspend", "for another day")


@pytest.mark.rule("C127")
async def test_a_sign_in_that_a_suspension_overtakes_leaves_no_session(
    case: str, bayko: Member, worf: Member, dsn: str, database: asyncpg.Connection
) -> None:
    signing_in = await connect(dsn)
    try:
        async with signing_in.transaction():
            await signing_in.execute(
                "SELECT FROM users WHERE uuid = $1 FOR NO KEY UPDATE", bayko.uuid
            )
            suspending = asyncio.create_task(decide(worf, case, "suspend", days=1))
            await until_blocking(signing_in)
            await signing_in.execute(
                "INSERT INTO sessions (user_uuid, device, address, expires_at)"
                " VALUES ($1, '', '', now() + interval '1 day')",
                bayko.uuid,
            )
        await suspending
    finally:
        await signing_in.close()
    assert await count_rows(database, f"sessions WHERE user_uuid = '{bayko.uuid}'") == 0


@pytest.mark.rule("C128")
async def test_an_appeal_does_not_end_a_suspension_that_another_moderator_sets_meanwhile(
    case: str, andrew: Member, bayko: Member, worf: Member, sisko: Member, dsn: str
) -> None:
    history = await decide(worf, case, "suspend", days=1)
    uuid = history["decisions"][0]["uuid"]
    other = await connect(dsn)
    try:
        await other.execute(
            "UPDATE moderation_actions SET appeal = 'No', appealed_at = now() WHERE uuid = $1", uuid
        )
        async with other.transaction():
            await other.execute(
                "UPDATE users SET suspended_until = 'infinity' WHERE uuid = $1", bayko.uuid
            )
            answer = {"decision": "overturned", "reason": "Yes"}
            deciding = asyncio.create_task(sisko.post(f"/api/moderation/appeals/{uuid}", answer))
            await until_blocking(other)
            await other.execute(
                "INSERT INTO moderation_actions"
                " (case_uuid, user_uuid, actor_uuid, kind, reason, ends_at)"
                " VALUES ($1, $2, $3, 'ban', 'Again', 'infinity')",
                case, bayko.uuid, worf.uuid,
            )  # fmt: skip
        assert (await deciding)["is_suspended"]
    finally:
        await other.close()


@pytest.mark.rule("C127")
async def test_a_suspended_member_cannot_use_an_upload_address_from_before(
    case: str, bayko: Member, worf: Member
) -> None:
    upload = await bayko.post("/api/avatars/key_upload", {"extension": "png"})
    await decide(worf, case, "ban")
    picture = file(Image.new("RGB", (8, 8), "blue"))
    response = await bayko.http.put(upload["url"], content=picture)
    assert (response.status_code, refused(response)) == (403, ["generic_403"])


@pytest.mark.rule("C128")
async def test_each_decision_can_be_appealed_once(
    case: str, andrew: Member, bayko: Member, worf: Member, sisko: Member
) -> None:
    await decide(worf, case, "warn")
    [notice] = await bayko.get("/api/notices")
    path = f"/api/notices/{notice['uuid']}/appeal"
    assert await andrew.post(path, {"words": "not mine"}, expect=404) == ["not_found"]
    assert await bayko.post(path, {"words": ""}, expect=422) == ["words_blank"]
    answer = {"decision": "upheld", "reason": "No"}
    appeals = f"/api/moderation/appeals/{notice['uuid']}"
    assert await worf.post(appeals, answer, expect=404) == ["not_found"]
    await bayko.post(path, {"words": "I was quoting"})
    assert await bayko.post(path, {"words": "again"}, expect=422) == ["appeal_used"]
    await sisko.post(appeals, answer)
    assert await bayko.post(path, {"words": "again"}, expect=422) == ["appeal_used"]
    [notice] = await bayko.get("/api/notices")
    assert (notice["unread"], notice["appeal"], notice["decision_reason"]) == (
        True,
        "upheld",
        "No",
    )
    assert not (await worf.get(CASES))[0]["is_open"]


@pytest.mark.rule("C129")
async def test_every_look_and_every_decision_is_in_the_audit_log(
    case: str, bayko: Member, worf: Member, sisko: Member
) -> None:
    await worf.get(f"{CASES}/{case}")
    await worf.get(f"{CASES}/{case}")
    await worf.get("/api/moderation/accounts/@bayko")
    await decide(worf, case, "warn", reason="Be kind")
    [notice] = await bayko.get("/api/notices")
    await bayko.post(f"/api/notices/{notice['uuid']}/appeal", {"words": "I am"})
    answer = {"decision": "overturned", "reason": "You are"}
    await sisko.post(f"/api/moderation/appeals/{notice['uuid']}", answer)
    assert await audited(sisko) == [
        ("worf", "look", "bayko", ""),
        ("worf", "look", "bayko", ""),
        ("worf", "warn", "bayko", "Be kind"),
        ("bayko", "appeal", "bayko", ""),  # its words go with the account
        ("sisko", "overturned", "bayko", "You are"),
    ]
    assert await worf.get("/api/moderation/audit", expect=403) == ["generic_403"]


@pytest.mark.rule("C129")
async def test_a_decision_that_fails_is_not_in_the_audit_log(
    case: str, worf: Member, sisko: Member
) -> None:
    await decide(worf, case, "lift", expect=422)
    await worf.get(f"{CASES}/{uuid4()}", expect=404)
    assert await audited(sisko) == []


@pytest.mark.rule("C129")
@pytest.mark.parametrize(
    "statement",
    ["UPDATE audit_entries SET why = ''", "DELETE FROM audit_entries", "TRUNCATE audit_entries"],
)
async def test_the_audit_log_is_append_only(
    statement: str, case: str, worf: Member, database: asyncpg.Connection
) -> None:
    await worf.get(f"{CASES}/{case}")
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
        await database.execute(statement)


@pytest.mark.rule("C129")
async def test_the_audit_log_is_exported_as_lines_and_as_a_table(
    case: str, worf: Member, sisko: Member
) -> None:
    await worf.get(f"{CASES}/{case}")
    await decide(worf, case, "warn", reason='=1+1, "quoted"\nand more')
    entries = await sisko.get("/api/moderation/audit")
    lines = await sisko.request("GET", "/api/moderation/audit.jsonl")
    assert lines.headers["content-type"] == "application/jsonl"
    assert [json.loads(line) for line in lines.text.splitlines()] == entries
    table = await sisko.request("GET", "/api/moderation/audit.csv")
    assert table.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(table.text, newline="")))
    assert [row["why"] for row in rows] == ["", '\'=1+1, "quoted"\nand more']
    assert [row["uuid"] for row in rows] == [entry["uuid"] for entry in entries]
    # A part of it at a time.
    for kind, parse in (("jsonl", str.splitlines), ("csv", str.splitlines)):
        first = await sisko.request("GET", f"/api/moderation/audit.{kind}?limit=1")
        rest = await sisko.request("GET", first.links["next"]["url"])
        whole = await sisko.request("GET", f"/api/moderation/audit.{kind}")
        assert first.text + rest.text == whole.text, parse


async def test_what_was_decided_about_an_account_goes_with_it(
    case: str,
    andrew: Member,
    bayko: Member,
    worf: Member,
    sisko: Member,
    dsn: str,
    database: asyncpg.Connection,
) -> None:
    await report(andrew, "profile", bayko.uuid)
    open_case = (await worf.get(CASES))[0]["uuid"]
    await decide(worf, case, "warn", reason="Be kind")
    [notice] = await bayko.get("/api/notices")
    await bayko.post(f"/api/notices/{notice['uuid']}/appeal", {"words": "I am"})
    await database.execute("DELETE FROM users WHERE uuid = $1", bayko.uuid)
    opened = await worf.get(f"{CASES}/{case}")
    assert opened["account"] is None
    assert opened["evidence"], "kept for its retention"
    assert await database.fetchval("SELECT count(*) FROM moderation_actions") == 0
    assert ("worf", "warn", "bayko", "Be kind") in await audited(sisko)
    # A case ends with its evidence, an open one with the evidence after its decision.
    await retention_over(database)
    await swept(dsn)
    assert [one["uuid"] for one in await worf.get(CASES)] == [open_case]
    await decide(worf, open_case, "dismiss")
    await swept(dsn)
    assert await count_rows(database, "cases") == 0
    assert await count_rows(database, "moderation_actions") == 0
