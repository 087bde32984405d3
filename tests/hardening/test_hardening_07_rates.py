"""Rate limits: which client a request counts toward, what clients see, what workers share."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import asyncpg
import httpx
import pytest
from quart import Quart

from cruddur.app import ENDPOINTS, create_app
from cruddur.services import rates
from cruddur.services.rates import CLASSES, WINDOW
from cruddur.settings import Settings, SettingsError
from patience import PATIENCE
from support import Api, Member, refused, visiting
from telemetry.recorded import until

HOME = "/api/activities/home"
PAGE = {"Origin": "http://localhost:3000"}
FEW = "read=4,write=3,search=2,account=2,upload=2,stream=2,other=5"
Start = Callable[..., Any]


def left(response: httpx.Response) -> dict[str, tuple[int, int]]:
    """The remaining requests and the seconds until the next one, by policy."""
    items = re.findall(r'"([a-z-]+)";r=(\d+);t=(\d+)', response.headers["ratelimit"])
    assert (
        ", ".join(f'"{name}";r={r};t={t}' for name, r, t in items)
        == (response.headers["ratelimit"])
    )
    return {name: (int(r), int(t)) for name, r, t in items}


def policies(response: httpx.Response) -> dict[str, int]:
    """The quota of each policy."""
    header = response.headers["ratelimit-policy"]
    items = re.findall(r'"([a-z-]+)";q=(\d+);w=(\d+)', header)
    assert ", ".join(f'"{name}";q={q};w={w}' for name, q, w in items) == header
    assert {w for _, _, w in items} == {str(WINDOW)}
    return {name: int(q) for name, q, _ in items}


@dataclass
class Clock:
    """The clock of the buckets, which only a test advances."""

    now: float = 1000.0


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(rates, "monotonic", lambda: made.now)
    return made


@pytest.fixture
async def start(settings: Settings) -> AsyncIterator[Start]:
    """Start the service with a few requests for everyone: `app = await start(rates="read=1")`."""
    async with AsyncExitStack() as stack:

        async def started(**changes: Any) -> Quart:
            changes = {"rates": FEW, "rate_address_factor": 1, "rate_exempt": "", **changes}
            app = create_app(replace(settings, **changes))
            await stack.enter_async_context(app.test_app())
            return app

        yield started


async def spend(api: Api, path: str, method: str = "GET") -> httpx.Response:
    """Send requests until one is refused, and return that one."""
    for _ in range(20):
        response = await api.http.request(method, path, headers=api.headers, json={})
        if response.status_code == 429:
            return response
    raise AssertionError(f"{method} {path} is not limited")


async def entered(app: Quart, api: Api, database: asyncpg.Connection, handle: str) -> Member:
    """A member whose token this service has verified."""
    member = await Member.enter(api, database, app, handle, handle.title())
    await member.get("/api/auth/me")
    return member


async def test_hardening_07_a_refusal_can_be_read_by_a_page(start: Start) -> None:
    async with visiting(await start()) as api:
        for number in range(4):
            response = await api.request("GET", HOME)
            assert left(response)["address-read"][0] == 3 - number
            assert policies(response) == {"address-read": 4}
        response = await api.request("GET", HOME, headers=PAGE, expect=429)
    assert refused(response) == ["rate_limited"]
    assert left(response)["address-read"] == (0, WINDOW // 4)
    assert response.headers["retry-after"] == str(WINDOW // 4)
    assert response.headers["access-control-allow-origin"] == PAGE["Origin"]
    assert response.headers["access-control-allow-credentials"] == "true"
    assert {"ratelimit", "ratelimit-policy", "retry-after"} <= set(
        response.headers["access-control-expose-headers"].split(", ")
    )
    assert response.headers["cache-control"] == "no-store"
    assert "Origin" in response.headers["vary"]
    assert response.headers["traceresponse"]


@pytest.mark.parametrize(
    ("urls", "origin", "allowed"),
    [
        ({}, "http://evil.example", None),
        ({}, None, None),
        ({"frontend_url": "*"}, "http://evil.example", "*"),
    ],
)
async def test_hardening_07_a_refusal_can_be_read_by_no_other_page(
    start: Start, urls: dict[str, str], origin: str | None, allowed: str | None
) -> None:
    async with visiting(await start(**urls)) as api:
        api = Api(api.http, {"Origin": origin} if origin else {})
        response = await spend(api, HOME)
        other = await api.http.get("/nowhere", headers=api.headers)
    for one in (response, other):
        assert one.headers.get("access-control-allow-origin") == allowed
        assert "access-control-allow-credentials" not in one.headers


@pytest.mark.rule("C67")
async def test_hardening_07_cached_and_unmodified_responses_have_the_headers(
    start: Start, database: asyncpg.Connection
) -> None:
    app = await start(rates="read=100,write=100")
    async with visiting(app) as api:
        member = await entered(app, api, database, "worf")
        await member.crud()
        responses = [await api.request("GET", HOME) for _ in range(5)]
        assert len({response.headers["etag"] for response in responses}) == 1
        known = {"If-None-Match": responses[0].headers["etag"]}
        responses += [await api.request("GET", HOME, headers=known, expect=304) for _ in range(3)]
        responses.append(await api.request("HEAD", HOME))
    numbers = [left(response)["address-read"][0] for response in responses]
    assert numbers == sorted(numbers, reverse=True)
    assert len(set(numbers)) == len(numbers)


async def test_hardening_07_a_member_is_counted_by_account_wherever_they_are(
    start: Start, database: asyncpg.Connection
) -> None:
    app = await start(rates="read=5,write=100")
    async with visiting(app) as api, visiting(app, address="10.0.0.1") as elsewhere:
        member = await entered(app, api, database, "worf")
        response = await member.request("GET", HOME)
        assert left(response)["account-read"][0] == 4
        response = await spend(member, HOME)
        assert policies(response) == {"account-read": 5}
        same = Api(elsewhere.http, member.headers)
        await same.request("GET", HOME, expect=429)
        await api.request("GET", HOME)
        other = await entered(app, elsewhere, database, "kira")
        await other.request("GET", HOME)


@pytest.mark.rule("C115")
async def test_hardening_07_the_api_tokens_of_a_member_share_an_allowance_of_their_own(
    start: Start, database: asyncpg.Connection
) -> None:
    app = await start(rates="read=9,write=100", token_rates="read=3")
    async with visiting(app) as api:
        member = await entered(app, api, database, "worf")
        first, second = [await member.api_token("read") for _ in range(2)]
        response = await first.request("GET", HOME)
        assert set(left(response)) == {"address-read"}  # not verified yet
        await second.request("GET", HOME)
        response = await first.request("GET", HOME)
        assert policies(response) == {"token-read": 3}
        assert left(response)["token-read"][0] == 2
        assert left(await second.request("GET", HOME))["token-read"][0] == 1
        await first.request("GET", HOME)
        assert refused(await second.request("GET", HOME, expect=429)) == ["rate_limited"]
        assert left(await member.request("GET", HOME))["account-read"][0] == 8
        assert policies(await member.request("GET", "/api/auth/sessions")) == {"account-read": 9}


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer nonsense"},
        {"Authorization": "Bearer null"},
        {"Authorization": "Basic d29yZjp3b3Jm"},
        {"Authorization": "Bearer {token}x"},
        [("Authorization", "Bearer {token}"), ("Authorization", "Bearer {token}")],
    ],
    ids=str,
)
async def test_hardening_07_without_a_verified_token_the_address_counts(
    start: Start, database: asyncpg.Connection, headers: Any
) -> None:
    app = await start()
    async with visiting(app) as api:
        member = await entered(app, api, database, "worf")
        token = member.headers["Authorization"].removeprefix("Bearer ")
        items = headers if isinstance(headers, list) else list(headers.items())
        sent = [(name, value.format(token=token)) for name, value in items]
        response = await api.http.get(HOME, headers=sent)
    assert set(left(response)) == {"address-read"}


async def test_hardening_07_a_flood_of_forged_tokens_is_one_client(start: Start) -> None:
    async with visiting(await start()) as api:
        for number in range(4):
            await api.http.get(HOME, headers={"Authorization": f"Bearer a.b.{number}"})
        headers = {"Authorization": "Bearer a.b.last"}
        await api.request("GET", HOME, headers=headers, expect=429)


async def test_hardening_07_ipv6_is_counted_by_64_and_by_48(start: Start) -> None:
    app = await start(rates="read=3")
    async with visiting(app, address="2001:db8:1:1::1") as first:
        response = await first.request("GET", HOME)
        assert policies(response) == {"address-read": 3, "network-read": 12}
        assert left(response)["network-read"][0] == 11
        for _ in range(2):
            await first.request("GET", HOME)
    async with visiting(app, address="2001:db8:1:1:ffff::2") as same:
        response = await same.request("GET", HOME, expect=429)
        assert left(response)["network-read"][0] == 9, "a refusal costs nothing"
    for number in range(2, 5):
        async with visiting(app, address=f"2001:db8:1:{number}::1") as other:
            for _ in range(3):
                await other.request("GET", HOME)
    async with visiting(app, address="2001:db8:1:9::1") as fifth:
        response = await fifth.request("GET", HOME, expect=429)
        assert left(response) == {"address-read": (3, 20), "network-read": (0, 5)}
    async with visiting(app, address="2001:db8:2::1") as neighbor:
        await neighbor.request("GET", HOME)


async def test_hardening_07_the_address_is_the_one_that_the_trusted_proxy_saw(
    start: Start,
) -> None:
    app = await start(trusted_hops=1, rates="read=1")
    async with visiting(app) as api:
        for forwarded, status in (
            ("1.1.1.1, 203.0.113.9", 200),
            ("2.2.2.2, 203.0.113.9:4711", 429),
            ("3.3.3.3, ::ffff:203.0.113.9", 429),
            ("203.0.113.9, 203.0.113.10", 200),
        ):
            response = await api.http.get(HOME, headers={"X-Forwarded-For": forwarded})
            assert response.status_code == status, forwarded


async def test_hardening_07_no_header_evades_the_limit_without_a_trusted_proxy(
    start: Start,
) -> None:
    async with visiting(await start(rates="read=1")) as api:
        await api.request("GET", HOME, headers={"X-Forwarded-For": "1.1.1.1"})
        await api.request("GET", HOME, headers={"X-Forwarded-For": "2.2.2.2"}, expect=429)


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", HOME, "read"),
        ("HEAD", HOME, "read"),
        ("GET", "/api/trending", "read"),
        ("GET", "/api/users?prefix=x", "read"),
        ("GET", "/api/tags?prefix=x", "read"),
        ("GET", "/api/activities/search?term=x", "search"),
        ("POST", "/api/activities", "write"),
        ("PUT", "/api/activities/01900000-0000-7000-8000-000000000000/like", "write"),
        ("POST", "/api/auth/signin", "account"),
        ("POST", "/api/auth/refresh", "account"),
        ("GET", "/api/auth/me", "read"),
        ("PUT", "/api/avatars/uploads/token", "upload"),
        ("GET", "/api/avatars/nobody.jpg", "other"),
        ("HEAD", "/api/stream", "stream"),
        ("GET", "/.well-known/jwks.json", "read"),
        ("GET", "/openapi.json", "other"),
        ("GET", "/nowhere", "other"),
        ("DELETE", HOME, "other"),
        ("OPTIONS", HOME, "other"),
    ],
)
async def test_hardening_07_a_request_has_the_class_of_its_endpoint(
    start: Start, method: str, path: str, expected: str
) -> None:
    async with visiting(await start()) as api:
        response = await spend(api, path, method)
        assert set(policies(response)) == {f"address-{expected}"}
        if expected != "read":
            await api.request("GET", HOME)


async def test_hardening_07_every_route_has_a_class(app: Quart) -> None:
    declared = {(one.method, one.rule): one.rate for one in ENDPOINTS}
    unlimited = {rule for (_, rule), rate in declared.items() if rate is None}
    assert unlimited == {"/api/health-check", "/api/ready", "/api/health/telemetry"}
    assert {rate for rate in declared.values() if rate is not None} == set(CLASSES)
    routed = {
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    others = {rule for _, rule in routed - declared.keys()}
    assert others == {"/openapi.json", "/docs", "/rollbar/test"}


async def test_hardening_07_probes_are_never_limited(start: Start) -> None:
    async with visiting(await start()) as api:
        for path in ("/api/health-check", "/api/ready"):
            for _ in range(20):
                response = await api.request("GET", path)
            assert "ratelimit" not in response.headers


async def test_hardening_07_an_exempt_address_is_never_limited(
    start: Start, database: asyncpg.Connection
) -> None:
    app = await start(rate_exempt="10.0.0.0/8, ::1")
    async with visiting(app, address="10.1.2.3") as api:
        member = await entered(app, api, database, "worf")
        for _ in range(10):
            response = await api.request("GET", HOME)
            await member.crud()
        assert "ratelimit" not in response.headers
    async with visiting(app) as api:
        await spend(api, HOME)


async def test_hardening_07_the_default_limits_are_generous_and_hold(
    settings: Settings, database: asyncpg.Connection
) -> None:
    """One account posted 2,349 cruds in 23 s."""
    app = create_app(replace(settings, rate_exempt=Settings.from_env({}).rate_exempt))
    async with app.test_app(), visiting(app) as api:
        member = await entered(app, api, database, "worf")
        posted = 0
        while True:
            response = await member.http.post(
                "/api/activities",
                json={"message": "again", "ttl": "1-hour"},
                headers=member.headers,
            )
            if response.status_code == 429:
                break
            posted += 1
        assert posted == 120
        assert policies(response) == {"account-write": 120}
        home = await api.request("GET", HOME)
        assert policies(home) == {"address-read": 12000}
        assert left(home)["address-read"][0] == 11998  # the first of a member is the address's


async def test_hardening_07_a_bucket_regains_requests(start: Start, clock: Clock) -> None:
    async with visiting(await start(rates="read=6")) as api:
        response = await spend(api, HOME)
        assert response.headers["retry-after"] == "10"
        clock.now += 9.5
        response = await api.request("GET", HOME, expect=429)
        assert response.headers["retry-after"] == "1"
        assert left(response) == {"address-read": (0, 1)}
        clock.now += 0.5
        response = await api.request("GET", HOME)
        assert left(response) == {"address-read": (0, 10)}
        await api.request("GET", HOME, expect=429)
        clock.now += WINDOW
        response = await api.request("GET", HOME)
        assert left(response) == {"address-read": (5, 10)}


async def test_hardening_07_workers_share_what_heavy_clients_spend(
    start: Start, database: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rates, "EXCHANGE_SECONDS", 0.01)
    apps = [await start(rates="read=40"), await start(rates="read=40")]
    async with visiting(apps[0]) as first, visiting(apps[1]) as second:

        async def shared() -> Any:
            return await database.fetchval("SELECT max(full_at) FROM rates")

        for _ in range(30):
            await first.request("GET", HOME)
        await eventually(shared)
        for sent in range(2, 40, 2):
            before = await shared()
            responses = [await second.request("GET", HOME) for _ in range(2)]
            if left(responses[-1])["address-read"][0] < 40 - sent:
                break  # it knows the requests of the other worker
            await eventually(partial(differs, shared, before))
        else:
            pytest.fail("the workers do not share")
        await spend(second, HOME)


async def test_hardening_07_ordinary_use_causes_no_statement(
    start: Start, database: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rates, "EXCHANGE_SECONDS", 0.01)
    app = await start(rates="read=1000")
    async with visiting(app) as ordinary, visiting(app, address="10.0.0.1") as heavy:
        for _ in range(40):
            await ordinary.request("GET", HOME)
        for _ in range(60):
            await heavy.request("GET", HOME)
        await eventually(partial(database.fetchval, "SELECT count(*) > 0 FROM rates"))
    assert await database.fetchval("SELECT count(*) FROM rates") == 1


async def test_hardening_07_the_database_holds_no_address(
    start: Start, database: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rates, "EXCHANGE_SECONDS", 0.01)
    async with visiting(await start(), address="203.0.113.9") as api:
        await api.request("GET", HOME)
        await eventually(partial(database.fetchval, "SELECT count(*) = 1 FROM rates"))
    [row] = await database.fetch("SELECT * FROM rates")
    assert len(row["bucket"]) == 16
    assert b"203" not in row["bucket"]


async def test_hardening_07_limits_hold_while_the_database_is_down(
    settings: Settings, dsn: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rates, "EXCHANGE_SECONDS", 0.01)
    exchanges = 0
    share = rates.Rates.share

    async def count(*arguments: Any) -> None:
        nonlocal exchanges
        exchanges += 1
        await share(*arguments)

    monkeypatch.setattr(rates.Rates, "share", count)
    settings = replace(settings, rates=FEW, rate_address_factor=1, rate_exempt="")
    app = create_app(settings)
    async with app.test_app(), visiting(app) as api:
        await app.extensions["cruddur"].database.close()
        response = await spend(api, HOME)
        assert refused(response) == ["rate_limited"]

        async def is_logged() -> bool:
            return any("rate limits apply to each worker separately" in m for m in caplog.messages)

        await eventually(is_logged)
        before = exchanges
        await until(lambda: exchanges > before + 2)
        assert len([m for m in caplog.messages if "rate limits" in m]) == 1


async def test_hardening_07_memory_is_bounded(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rates, "MAX_BUCKETS", 100)
    monkeypatch.setattr(rates, "MIN_PRUNED_BUCKETS", 10)
    app = await start(trusted_hops=1)
    async with visiting(app) as api:
        for number in range(300):
            address = {"X-Forwarded-For": f"10.0.{number // 100}.{number % 100}"}
            response = await api.http.get("/nowhere", headers=address)
            assert left(response)["address-other"][0] == 4
        # The first ones were dropped to make room; the last ones are still there.
        for address, remaining in (("10.0.0.0", 4), ("10.0.2.99", 3)):
            response = await api.http.get("/nowhere", headers={"X-Forwarded-For": address})
            assert left(response)["address-other"][0] == remaining


@pytest.mark.parametrize(
    "changes",
    [
        {"rates": "read"},
        {"rates": "read=x"},
        {"rates": "read=0"},
        {"rates": "reads=1"},
        {"rate_exempt": "10.0.0.1/8"},
        {"rate_exempt": "localhost"},
        {"rate_address_factor": 0},
    ],
)
def test_hardening_07_an_invalid_setting_is_named(changes: Any) -> None:
    settings = Settings.from_env({})
    with pytest.raises(SettingsError, match="CRUDDUR_RATE"):
        replace(settings, **changes).check()
    replace(settings, rates="write=1", rate_exempt="10.0.0.0/8,2001:db8::/32").check()


def test_hardening_07_an_invalid_rate_of_api_tokens_is_named() -> None:
    settings = Settings.from_env({})
    for invalid in ("read", "read=0", "reads=1"):
        with pytest.raises(SettingsError, match="CRUDDUR_TOKEN_RATES"):
            replace(settings, token_rates=invalid).check()
    limited = replace(settings, token_rates="read=5")
    limited.check()
    assert limited.token_rate_quotas == {**limited.rate_quotas, "read": 5}


async def differs(read: Callable[[], Awaitable[Any]], before: Any) -> bool:
    return await read() != before


async def eventually(is_true: Callable[[], Awaitable[bool]]) -> None:
    """Wait for something to become true."""
    async with asyncio.timeout(PATIENCE):
        while True:
            if await is_true():
                return
            await asyncio.sleep(0.01)
