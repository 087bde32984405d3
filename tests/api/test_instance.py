"""The instance: its settings, and what they decide at once in every process."""

from typing import Any

import asyncpg
import pytest
from quart import Quart

from accounts import Codes
from live.listening import listening
from moderators import appoint, report
from support import Api, Member, count_rows, serving_on_a_socket, swept

SETTINGS = "/api/instance/settings"
PUBLIC = {
    "name": "Cruddur",
    "description": "",
    "rules": "",
    "terms_version": 0,
    "sign_up_mode": "open",
    "default_ttl": "7-days",
    "max_ttl": "30-days",
}


INVITATIONS = "/api/instance/invitations"
ANNOUNCEMENTS = "/api/instance/announcements"
EMAIL = "quark@ferenginar.example"
ACCOUNT = {
    "email": EMAIL,
    "password": "latinum is not enough",
    "handle": "quark",
    "display_name": "Quark",
}


async def sign_up(api: Api, expect: int = 200, **fields: Any) -> Any:
    """Start a sign-up."""
    return await api.post("/api/auth/signup", {**ACCOUNT, **fields}, expect=expect)


async def confirm(api: Api, codes: Codes, email: str = EMAIL, expect: int = 200) -> Any:
    """Open the account of a sign-up."""
    body = {"email": email, "code": codes(email)}
    return await api.post("/api/auth/confirm", body, expect=expect)


@pytest.fixture
async def sisko(member: Any, database: asyncpg.Connection) -> Member:
    """An admin."""
    return await appoint(database, await member("sisko"), "admin")


@pytest.mark.rule("C130")
async def test_everyone_reads_what_the_instance_is_and_admins_change_it(
    api: Api, andrew: Member, sisko: Member
) -> None:
    assert await api.get("/api/instance") == {**PUBLIC, "announcements": []}
    hidden = {"blocked_domains": [], "evidence_days": 14}
    assert await sisko.get(SETTINGS) == PUBLIC | hidden
    changes = {"name": "Deep Space", "rules": "No Tribbles.", "evidence_days": 30}
    changed = await sisko.put(SETTINGS, changes)
    assert changed == PUBLIC | hidden | changes
    assert (await api.get("/api/instance"))["rules"] == "No Tribbles."
    assert "evidence_days" not in await andrew.get("/api/instance")
    log = [
        (entry["actor_handle"], entry["action"], entry["why"])
        for entry in await sisko.get("/api/moderation/audit")
    ]
    assert log == [
        ("sisko", "setting", "name: Cruddur → Deep Space"),
        ("sisko", "setting", "rules:  → No Tribbles."),
        ("sisko", "setting", "evidence_days: 14 → 30"),
    ]
    await sisko.put(SETTINGS, changes)  # changes nothing
    assert len(await sisko.get("/api/moderation/audit")) == 3


@pytest.mark.rule("C130")
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"name": " "}, "name_blank"),
        ({"name": "x" * 51}, "name_exceed_max_chars"),
        ({"description": "x" * 501}, "description_exceed_max_chars"),
        ({"rules": 5}, "rules_invalid"),
        ({"sign_up_mode": "secret"}, "sign_up_mode_invalid"),
        ({"max_ttl": "1-year"}, "max_ttl_invalid"),
        ({"max_ttl": "1-day"}, "default_ttl_too_long"),
        ({"default_ttl": "30-days", "max_ttl": "7-days"}, "default_ttl_too_long"),
        ({"evidence_days": 366}, "evidence_days_invalid"),
        ({"new_terms": 1}, "new_terms_invalid"),
        ({"blocked_domains": "example.com"}, "blocked_domains_invalid"),
        ({"blocked_domains": ["no domain"]}, "blocked_domains_invalid"),
        ({"blocked_domains": ["example..com"]}, "blocked_domains_invalid"),
        ({"blocked_domains": [""]}, "blocked_domains_invalid"),
    ],
)
async def test_settings_that_break_a_rule_are_refused(
    changes: dict[str, Any], code: str, sisko: Member
) -> None:
    before = await sisko.get(SETTINGS)
    assert await sisko.put(SETTINGS, changes, expect=422) == [code]
    assert await sisko.get(SETTINGS) == before


@pytest.mark.rule("C131")
async def test_no_crud_lives_longer_than_the_instance_allows(andrew: Member, sisko: Member) -> None:
    old = await andrew.crud(ttl="30-days")
    await sisko.put(SETTINGS, {"max_ttl": "1-day", "default_ttl": "3-hours"})
    for ttl in ("30-days", "7-days", "3-days"):
        body = {"message": "too long", "ttl": ttl}
        assert await andrew.post("/api/activities", body, expect=422) == ["ttl_too_long"]
    assert (await andrew.crud(ttl="1-day"))["uuid"]
    shown = await andrew.get(f"/api/activities/{old['uuid']}")
    assert shown["activity"]["expires_at"] == old["expires_at"]
    await sisko.put(SETTINGS, {"max_ttl": "30-days"})
    assert (await andrew.crud(ttl="30-days"))["uuid"]


@pytest.mark.rule("C130")
async def test_evidence_is_kept_for_as_long_as_the_setting_says(
    andrew: Member, bayko: Member, sisko: Member, database: asyncpg.Connection
) -> None:
    await sisko.put(SETTINGS, {"evidence_days": 3})
    await report(andrew, "profile", bayko.uuid)
    for table in ("evidence", "reports"):
        assert await database.fetchval(f"SELECT expires_at = created_at + '3 days' FROM {table}")


@pytest.mark.rule("C132")
async def test_streams_get_the_settings_when_they_change(
    app: Quart, andrew: Member, sisko: Member
) -> None:
    async with (
        serving_on_a_socket(app) as url,
        listening(url) as visitor,
        listening(url, andrew.headers, feed="following") as member,
    ):
        await sisko.put(SETTINGS, {"description": "A station", "max_ttl": "7-days"})
        for listener in (visitor, member):
            [changed] = await listener.receive("instance")
            assert (changed["description"], changed["max_ttl"]) == ("A station", "7-days")
            assert "evidence_days" not in changed


@pytest.mark.rule("C133")
@pytest.mark.usefixtures("quick_passwords")
async def test_no_account_is_opened_while_the_sign_up_is_closed(
    api: Api, codes: Codes, sisko: Member
) -> None:
    await sign_up(api)
    await sisko.put(SETTINGS, {"sign_up_mode": "closed"})
    assert await confirm(api, codes, expect=403) == ["sign_up_closed"]
    assert await sign_up(api, handle="rom", expect=403) == ["sign_up_closed"]
    assert await sign_up(api, handle="!", expect=403) == ["sign_up_closed"]
    assert (await api.get("/api/instance"))["sign_up_mode"] == "closed"
    await sisko.put(SETTINGS, {"sign_up_mode": "open"})
    await confirm(api, codes)  # the code of the first sign-up


@pytest.mark.rule("C134")
@pytest.mark.usefixtures("quick_passwords")
async def test_an_invitation_opens_as_many_accounts_as_it_says(
    api: Api, codes: Codes, sisko: Member, database: asyncpg.Connection
) -> None:
    await sisko.put(SETTINGS, {"sign_up_mode": "invitation"})
    assert await sign_up(api, expect=422) == ["invitation_blank"]
    assert await sign_up(api, invitation="zzzz", expect=422) == ["invitation_invalid"]
    both = await sign_up(api, handle="!", invitation="zzzz", expect=422)
    assert both == ["handle_invalid", "invitation_invalid"]

    code = (await sisko.post(INVITATIONS, {"max_uses": 1, "days": 2}))["code"]
    typed = f" {code[:4]}-{code[4:]} ".upper()
    await sign_up(api, invitation=typed)
    others = {"email": "rom@ferenginar.example", "handle": "rom", "invitation": code}
    await sign_up(api, **others)  # the first one has not used it yet
    await confirm(api, codes)
    assert [one["uses"] for one in await sisko.get(INVITATIONS)] == [1]
    assert await confirm(api, codes, others["email"], expect=422) == ["invitation_invalid"]
    assert await sign_up(api, **others, expect=422) == ["invitation_invalid"]

    expired = await sisko.post(INVITATIONS, {})
    await database.execute(
        "UPDATE invitations SET expires_at = now() WHERE uuid = $1", expired["uuid"]
    )
    others["invitation"] = expired["code"]
    assert await sign_up(api, **others, expect=422) == ["invitation_invalid"]
    assert expired["uuid"] not in {one["uuid"] for one in await sisko.get(INVITATIONS)}


@pytest.mark.rule("C134")
@pytest.mark.usefixtures("quick_passwords")
async def test_a_revoked_invitation_opens_no_account(
    api: Api, codes: Codes, andrew: Member, sisko: Member
) -> None:
    await sisko.put(SETTINGS, {"sign_up_mode": "invitation"})
    first = await sisko.post(INVITATIONS, {"max_uses": 1000.0})
    assert first["max_uses"] == 1000
    second = await sisko.post(INVITATIONS, {"days": 365})
    assert [one["uuid"] for one in await sisko.get(INVITATIONS)] == [second["uuid"], first["uuid"]]
    await sign_up(api, invitation=first["code"])
    await andrew.delete(f"{INVITATIONS}/{first['uuid']}", expect=403)
    left = await sisko.delete(f"{INVITATIONS}/{first['uuid']}")
    assert [one["uuid"] for one in left] == [second["uuid"]]
    assert await confirm(api, codes, expect=422) == ["invitation_invalid"]
    await sisko.delete(f"{INVITATIONS}/{first['uuid']}", expect=404)
    for draft, code in (
        ({"max_uses": 0}, "max_uses_invalid"),
        ({"max_uses": "many"}, "max_uses_invalid"),
        ({"max_uses": 1.5}, "max_uses_invalid"),
        ({"max_uses": 1e300}, "max_uses_invalid"),
        ({"days": 366}, "days_invalid"),
    ):
        assert await sisko.post(INVITATIONS, draft, expect=422) == [code]
    log = await sisko.get("/api/moderation/audit")
    assert [entry["action"] for entry in log[1:]] == ["invite", "invite", "revoke_invitation"]
    assert first["code"] not in str(log)


@pytest.mark.rule("C135")
@pytest.mark.usefixtures("quick_passwords")
async def test_a_blocked_domain_is_found_in_every_spelling(
    api: Api, codes: Codes, sisko: Member
) -> None:
    early = "morn@bar.example"
    await sign_up(api, email=early, handle="morn")
    blocked = ["Spam.Example.", "bücher.example", "xn--n3h.example", "bar.example", "spam.example"]
    changed = await sisko.put(SETTINGS, {"blocked_domains": blocked})
    assert changed["blocked_domains"] == [
        "bar.example",
        "spam.example",
        "xn--bcher-kva.example",
        "xn--n3h.example",
    ]
    for domain in (
        "spam.example",
        "SPAM.example",
        "mail.spam.example",
        "!!.spam.example",
        "spam.example.",
        "\N{FULLWIDTH LATIN SMALL LETTER S}pam.example",
        "mail。spam.example",
        "bücher.example",
        "BÜCHER.example",
        "xn--bcher-kva.example",
        "XN--BCHER-KVA.example",
        "☃.example",
    ):
        assert await sign_up(api, email=f"quark@{domain}", expect=422) == ["email_blocked"], domain
    assert await confirm(api, codes, early, expect=422) == ["email_blocked"]
    for domain in ("nospam.example", "example", "spam.example.org"):
        await sign_up(api, email=f"quark@mail.{domain}", handle=f"q_{domain[:3]}")


@pytest.mark.rule("C136")
@pytest.mark.usefixtures("quick_passwords")
async def test_terms_are_accepted_with_their_version_and_time(
    api: Api, codes: Codes, andrew: Member, sisko: Member
) -> None:
    me = await andrew.get("/api/auth/me")
    assert (me["terms_version"], me["terms_accepted_at"]) == (None, None)
    assert await sign_up(api, terms_version=1, expect=422) == ["terms_not_accepted"]
    await sisko.put(SETTINGS, {"rules": "No Tribbles.", "new_terms": True})
    assert (await api.get("/api/instance"))["terms_version"] == 1
    for version in ({}, {"terms_version": 0}, {"terms_version": 2}, {"terms_version": "1"}):
        assert await sign_up(api, **version, expect=422) == ["terms_not_accepted"]
    await sign_up(api, terms_version=1)
    session = (await confirm(api, codes))["session"]
    quark = Member(api.http, {"Authorization": f"Bearer {session['access_token']}"})
    first = (await quark.get("/api/auth/me"))["terms_accepted_at"]
    assert session["user"]["terms_version"] == 1
    assert first is not None

    await sisko.put(SETTINGS, {"new_terms": True})
    assert (await quark.get("/api/auth/me"))["terms_version"] == 1  # until they accept them
    body = {"terms_version": 1}
    assert await quark.put("/api/auth/terms", body, expect=422) == ["terms_not_accepted"]
    accepted = await quark.put("/api/auth/terms", {"terms_version": 2})
    assert accepted["terms_version"] == 2
    assert accepted["terms_accepted_at"] > first
    assert await quark.put("/api/auth/terms", {"terms_version": 2}) == accepted
    assert await quark.get("/api/auth/me") == accepted


@pytest.mark.rule("C137")
async def test_an_announcement_is_shown_until_it_expires_and_then_nowhere(
    api: Api, app: Quart, sisko: Member, dsn: str, database: asyncpg.Connection
) -> None:
    async with (
        serving_on_a_socket(app) as url,
        listening(url) as visitor,
        listening(url, handle="sisko") as reader,
    ):
        made = await sisko.post(ANNOUNCEMENTS, {"message": "The station moves", "ttl": "1-hour"})
        for listener in (visitor, reader):
            [changed] = await listener.receive("instance")
            assert changed["announcements"] == [made]
        assert (await api.get("/api/instance"))["announcements"] == [made]
        seconds = 1
        while True:
            await database.execute(
                "UPDATE announcements SET expires_at = now() + make_interval(secs => $1)", seconds
            )
            [changed] = await visitor.receive("instance")
            if changed["announcements"]:
                break
            seconds *= 2  # on a busy machine it expired before it was published
        assert changed["announcements"][0]["uuid"] == made["uuid"]
        assert await visitor.receive("gone") == [{"uuid": made["uuid"]}]
        assert (await api.get("/api/instance"))["announcements"] == []
        assert await sisko.delete(f"{ANNOUNCEMENTS}/{made['uuid']}", expect=404) == ["not_found"]
        await swept(dsn)
        assert await count_rows(database, "announcements") == 0
        [changed] = await visitor.receive("instance")
        assert changed["announcements"] == []
    assert "The station moves" not in str(await sisko.get("/api/moderation/audit"))


@pytest.mark.rule("C137")
async def test_admins_make_and_delete_announcements(
    api: Api, andrew: Member, sisko: Member
) -> None:
    draft = {"message": "The station moves", "ttl": "1-day"}
    await andrew.post(ANNOUNCEMENTS, draft, expect=403)
    for change, code in (
        ({"message": " "}, "message_blank"),
        ({"message": "x" * 501}, "message_exceed_max_chars"),
        ({"ttl": "1-year"}, "ttl_blank"),
    ):
        assert await sisko.post(ANNOUNCEMENTS, draft | change, expect=422) == [code]
    made = [await sisko.post(ANNOUNCEMENTS, draft) for _ in range(5)]
    assert await sisko.post(ANNOUNCEMENTS, draft, expect=422) == ["too_many_announcements"]
    assert (await api.get("/api/instance"))["announcements"] == made[::-1]
    deleted = await sisko.delete(f"{ANNOUNCEMENTS}/{made[0]['uuid']}")
    assert deleted == {"uuid": made[0]["uuid"], "status": "deleted"}
    assert (await api.get("/api/instance"))["announcements"] == made[:0:-1]
