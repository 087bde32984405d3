"""What a suspended member can still do: read the decision, appeal, export and delete."""

import time
from dataclasses import replace
from http.cookies import SimpleCookie
from typing import Any

import asyncpg
import pytest
from quart import Quart

from api.test_export import exported
from cruddur.app import create_app
from cruddur.identity.suspension import PROOF_SECONDS
from cruddur.services.export import EXPORTS_PER_DAY
from cruddur.settings import Settings
from moderators import CASES, appoint, decide, first_case, report
from support import Api, Member, refused, serving, swept

COOKIE = "cruddur_suspension"
EMAIL = "quark@example.com"
PASSWORD = "latinum is not enough"
ACCOUNT = {"email": EMAIL, "password": PASSWORD}
SUSPENSION = "/api/auth/suspension"
EXPORT = "/api/auth/export"

pytestmark = pytest.mark.usefixtures("quick_passwords")


async def sign_up(api: Api, codes: Any, *, expect: int = 200, **fields: str) -> Any:
    """Sign up as Quark, and confirm it."""
    draft = {**ACCOUNT, "handle": "quark", "display_name": "Quark", **fields}
    await api.post("/api/auth/signup", draft)
    email = draft["email"]
    confirmation = {"email": email, "code": codes(email.lower())}
    return await api.post("/api/auth/confirm", confirmation, expect=expect)


@pytest.fixture
async def worf(member: Any, database: asyncpg.Connection) -> Member:
    """A moderator."""
    return await appoint(database, await member("worf"))


@pytest.fixture
async def quark(api: Api, codes: Any) -> Member:
    """A member with a password, and a crud that was reported."""
    session = (await sign_up(api, codes))["session"]
    api.http.cookies.clear()
    headers = {"Authorization": f"Bearer {session['access_token']}"}
    return Member(api.http, headers, handle="quark")


@pytest.fixture
async def case(andrew: Member, quark: Member, worf: Member) -> str:
    """The uuid of a case about a crud of Quark's."""
    await report(andrew, "crud", (await quark.crud("an insult"))["uuid"])
    uuid: str = (await worf.get(CASES))[0]["uuid"]
    return uuid


def with_proof(api: Api, proof: str, **headers: str) -> Api:
    """Return a client with the cookie of a suspended account."""
    return Api(api.http, {"Cookie": f"{COOKIE}={proof}", **headers})


async def prove(api: Api, **credentials: str) -> str:
    """Try to sign in to a suspended account, and return the proof."""
    response = await api.request(
        "POST", "/api/auth/signin", json={**ACCOUNT, **credentials}, expect=403
    )
    api.http.cookies.clear()
    assert refused(response) == ["account_suspended"]
    return SimpleCookie(response.headers["set-cookie"])[COOKIE].value


@pytest.fixture
async def banned(api: Api, case: str, worf: Member) -> Api:
    """Quark, banned and with a proof."""
    await decide(worf, case, "ban", reason="No insults")
    return with_proof(api, await prove(api))


@pytest.mark.rule("C127", "C128", "C160")
async def test_a_suspended_member_reads_the_decision_and_appeals(
    api: Api, banned: Api, worf: Member
) -> None:
    notice = await banned.get(SUSPENSION)
    assert (notice["kind"], notice["reason"], notice["appeal"]) == ("ban", "No insults", "possible")
    path = f"/api/notices/{notice['uuid']}/appeal"
    await banned.post(path, {"words": "It was a joke"})
    assert (await banned.get(SUSPENSION))["appeal"] == "waiting"
    assert await banned.post(path, {"words": "Again"}, expect=422) == ["appeal_used"]

    [decision] = (await first_case(worf))["account"]["decisions"]
    assert decision["appeal"] == "It was a joke"
    answer = {"decision": "overturned", "reason": "So it was"}
    await worf.post(f"/api/moderation/appeals/{decision['uuid']}", answer)
    for method, route in (("GET", SUSPENSION), ("GET", EXPORT), ("POST", path)):
        await banned.request(method, route, json={"words": "x"}, expect=401)
    body = {"password": PASSWORD}
    assert await banned.delete("/api/auth/me", body, expect=401) == ["generic_401"]
    session = await api.post("/api/auth/signin", ACCOUNT)
    headers = {"Authorization": f"Bearer {session['access_token']}"}
    assert await api.get(SUSPENSION, headers=headers, expect=404) == ["not_found"]


@pytest.mark.rule("C160")
async def test_only_a_complete_sign_in_gives_a_proof_and_only_for_a_while(
    api: Api, app: Quart, banned: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = {**ACCOUNT, "password": "something else"}
    response = await api.request("POST", "/api/auth/signin", json=wrong, expect=401)
    assert COOKIE not in response.headers.get("set-cookie", "")
    now = time.time()
    quark = app.extensions["cruddur"].suspensions.read(banned.headers["Cookie"].split("=", 1)[1])
    proofs = []
    for age in (PROOF_SECONDS - 5, PROOF_SECONDS + 5):
        monkeypatch.setattr(time, "time", lambda age=age: now - age)
        proofs.append(app.extensions["cruddur"].suspensions.sign(quark))
    monkeypatch.undo()
    young, old = proofs
    await with_proof(api, young).get(SUSPENSION)
    signature = young.rpartition(".")[2]
    for proof in (old, f"{young}x", f"{quark.hex}.x.{signature}", "x", ""):
        await with_proof(api, proof).get(SUSPENSION, expect=401)
    upload = app.extensions["cruddur"].uploads.sign(quark)
    await with_proof(api, upload).get(SUSPENSION, expect=401)


@pytest.mark.rule("C160")
async def test_a_proof_is_a_cookie_that_scripts_and_other_sites_cannot_use(
    api: Api, banned: Api, andrew: Member, settings: Settings
) -> None:
    response = await api.request("POST", "/api/auth/signin", json=ACCOUNT, expect=403)
    api.http.cookies.clear()
    cookie = SimpleCookie(response.headers["set-cookie"])[COOKIE]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"], cookie["max-age"]) == (
        True,
        "Strict",
        "/api",
        str(PROOF_SECONDS),
    )
    assert not cookie["secure"]
    foreign = {"Origin": "https://elsewhere.example"}
    assert await banned.get(EXPORT, headers=foreign, expect=403) == ["generic_403"]
    # A token has precedence, also one that is invalid.
    mixed = with_proof(api, cookie.value, **andrew.headers)
    assert (await exported(mixed))["profile.json"][0]["handle"] == "andrewbrown"
    await banned.get(SUSPENSION, headers={"Authorization": "Bearer null"}, expect=401)
    application = create_app(replace(settings, backend_url="https://cruddur.example"))
    async with serving(application) as secure:
        response = await secure.request("POST", "/api/auth/signin", json=ACCOUNT, expect=403)
    cookie = SimpleCookie(response.headers["set-cookie"])[f"__Secure-{COOKIE}"]
    assert cookie["secure"]
    signed_out = await banned.request("POST", "/api/auth/signout")
    assert SimpleCookie(signed_out.headers["set-cookie"])[COOKIE]["max-age"] == "0"


@pytest.mark.rule("C161")
async def test_a_suspended_member_gets_the_archive_of_a_member(
    api: Api, andrew: Member, quark: Member, case: str, worf: Member
) -> None:
    await quark.message("andrewbrown", "a secret price")
    before = await exported(quark)
    await decide(worf, case, "suspend", days=2, reason="No insults")
    banned = with_proof(api, await prove(api))
    after = await exported(banned)
    assert after.keys() == before.keys()
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {
        *("export.json", "profile.json", "sessions.json", "notices.json", "audit.jsonl"),
    }
    assert [one["message"] for one in after["messages.json"]] == ["a secret price"]
    assert [one["reason"] for one in after["notices.json"]] == ["No insults"]
    assert "suspend" in {one["action"] for one in after["audit.jsonl"]}
    assert str(after).count("worf") == str(after).count(case) == 0
    head = await banned.request("HEAD", EXPORT)
    assert 'filename="cruddur-quark.zip"' in head.headers["content-disposition"]
    for _ in range(EXPORTS_PER_DAY - 2):
        await exported(banned)
    assert await banned.get(EXPORT, expect=429) == ["rate_limited"]


@pytest.mark.rule("C59", "C122", "C161")
async def test_a_suspended_member_deletes_the_account_and_the_case_stays(
    api: Api, app: Quart, quark: Member, banned: Api, worf: Member, database: asyncpg.Connection
) -> None:
    wrong = {"password": "something else"}
    for _ in range(app.extensions["cruddur"].settings.account_attempts):
        refusal = await banned.delete("/api/auth/me", wrong, expect=401)
        assert refusal == ["credentials_invalid"]
    assert await banned.delete("/api/auth/me", wrong, expect=429) == ["rate_limited"]
    await database.execute("DELETE FROM throttles")
    response = await banned.request("DELETE", "/api/auth/me", json={"password": PASSWORD})
    assert response.json() == {"status": "deleted"}
    assert f"{COOKIE}=; Expires" in "; ".join(response.headers.get_list("set-cookie"))
    for method, path in (("GET", SUSPENSION), ("GET", EXPORT), ("DELETE", "/api/auth/me")):
        await banned.request(method, path, json={"password": PASSWORD}, expect=401)
    for name in ("users WHERE handle = 'quark'", "activities", "accounts"):
        assert await database.fetchval(f"SELECT count(*) FROM {name}") == 0
    opened = await first_case(worf)
    assert [one["content"]["message"] for one in opened["evidence"]] == ["an insult"]
    assert opened["account"] is None
    actions = await database.fetch("SELECT action FROM audit_entries WHERE user_handle = 'quark'")
    assert [row["action"] for row in actions] == ["ban"]


@pytest.mark.rule("C162")
async def test_a_banned_address_opens_no_account_after_its_deletion(
    api: Api, codes: Any, banned: Api, database: asyncpg.Connection, dsn: str
) -> None:
    await banned.delete("/api/auth/me", {"password": PASSWORD})
    for email in (EMAIL, "Quark@Example.com"):
        refusal = await sign_up(api, codes, email=email, expect=403)
        assert refusal == ["account_suspended"]
    assert await database.fetchval("SELECT count(*) FROM accounts") == 0
    stored = await database.fetchval("SELECT email_digest FROM suspended_addresses")
    assert b"quark" not in stored
    await swept(dsn)
    assert await database.fetchval("SELECT count(*) FROM suspended_addresses") == 1
    await sign_up(api, codes, email="rom@example.com", handle="rom")


@pytest.mark.rule("C162")
async def test_an_address_is_free_when_the_suspension_would_have_ended(
    api: Api, codes: Any, case: str, worf: Member, database: asyncpg.Connection, dsn: str
) -> None:
    await decide(worf, case, "suspend", days=1)
    banned = with_proof(api, await prove(api))
    await banned.delete("/api/auth/me", {"password": PASSWORD})
    assert await sign_up(api, codes, expect=403) == ["account_suspended"]
    await database.execute(
        "UPDATE suspended_addresses SET expires_at = expires_at - interval '1 day'"
    )
    await sign_up(api, codes)
    await swept(dsn)
    assert await database.fetchval("SELECT count(*) FROM suspended_addresses") == 0


@pytest.mark.rule("C162")
async def test_a_member_who_is_not_suspended_leaves_no_digest_of_the_address(
    quark: Member, database: asyncpg.Connection
) -> None:
    await quark.delete("/api/auth/me", {"password": PASSWORD})
    assert await database.fetchval("SELECT count(*) FROM suspended_addresses") == 0
