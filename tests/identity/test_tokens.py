"""Our access tokens: which are valid, which routes need one, and which keys sign them."""

import asyncio
import base64
import hashlib
import hmac
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from quart import Quart

from cruddur.app import ENDPOINTS, create_app
from cruddur.db.pool import Database
from cruddur.db.signing_keys import select_signing_keys
from cruddur.identity.keys import KeyRing, SigningKey, SigningKeyError, new_signing_key
from cruddur.identity.tokens import LEEWAY_SECONDS
from cruddur.resources import open_resources
from cruddur.settings import Settings, SettingsError
from cruddur.telemetry.pipeline import Telemetry
from patience import PATIENCE
from support import Api, Member, refused, serving

REQUIRED = "/api/auth/me"
OPTIONAL = (
    "/api/activities/home",
    "/api/activities/@andrewbrown",
    "/api/activities/@andrewbrown/status/{uuid}",
    "/api/activities/{uuid}",
    "/api/activities/search?term=crud",
    "/api/users/suggested",
)


@pytest.fixture
def keys(app: Quart) -> KeyRing:
    """The keys of the application under test."""
    ring: KeyRing = app.extensions["cruddur"].keys
    return ring


@dataclass(frozen=True)
class Forge:
    """Creates variations of a valid token."""

    keys: KeyRing
    good: str

    @property
    def claims(self) -> dict[str, Any]:
        return jwt.decode(self.good, options={"verify_signature": False})

    @property
    def jwk(self) -> dict[str, Any]:
        return self.keys.jwks()["keys"][0]

    @property
    def kid(self) -> str:
        return str(self.jwk["kid"])

    def signed(self, **changes: Any) -> str:
        """Sign other claims with our key; None removes a claim."""
        claims = {**self.claims, **changes}
        return self.keys.sign({name: one for name, one in claims.items() if one is not None})

    def by(self, key: Any, algorithm: str, **headers: Any) -> str:
        """Sign the valid claims differently; None removes a header field."""
        head = {"kid": self.kid, **headers}
        given = {name: one for name, one in head.items() if one is not None}
        return jwt.encode(self.claims, key, algorithm=algorithm, headers=given)

    def unsigned(self, payload: bytes) -> str:
        """Combine any payload with a valid header."""
        return f"{part({'alg': 'ES256', 'kid': self.kid})}.{encoded(payload)}.x"

    def with_head(self, head: dict[str, Any]) -> str:
        """Combine the valid claims and signature with another header."""
        return ".".join((part(head), *self.good.split(".")[1:]))

    def with_claims(self, claims: dict[str, Any]) -> str:
        """Put other claims between the valid header and signature."""
        head, _, signature = self.good.split(".")
        return f"{head}.{part(claims)}.{signature}"

    def public_pem(self) -> bytes:
        public = self.keys.find(self.kid)
        assert public is not None
        return public.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def by_hmac(self, secret: bytes) -> str:
        """Sign with HS256 and a public key as the secret, which PyJWT itself refuses to do."""
        head = part({"alg": "HS256", "typ": "JWT", "kid": self.kid})
        text = f"{head}.{part(self.claims)}"
        return f"{text}.{encoded(hmac.digest(secret, text.encode(), hashlib.sha256))}"


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def part(value: Any) -> str:
    return encoded(json.dumps(value).encode())


def private(forge: Forge) -> Any:
    return forge.keys._signing.private


HEADERS: dict[str, Callable[[Forge], str]] = {
    "null": lambda _: "Bearer null",
    "undefined": lambda _: "Bearer undefined",
    "two words": lambda _: "Bearer a b",
    "token and a word": lambda forge: f"Bearer {forge.good} b",
    "two spaces": lambda forge: f"Bearer  {forge.good}",
    "no token": lambda _: "Bearer",
    "empty token": lambda _: "Bearer ",
    "empty": lambda _: "",
    "bare": lambda forge: forge.good,
    "basic": lambda _: "Basic YW5kcmV3YnJvd246cGFzc3dvcmQ=",
    "other scheme": lambda forge: f"Token {forge.good}",
}
"""Headers without a well-formed token."""

TOKENS: dict[str, Callable[[Forge], str]] = {
    "dots": lambda _: "..",
    "unicode": lambda _: "caf\u00e9",
    "cut": lambda forge: forge.good[:-4],
    "no signature": lambda forge: f"{forge.good.rpartition('.')[0]}.",
    "spoilt claims": lambda forge: forge.with_claims({**forge.claims, "sub": str(uuid4())}),
    "garbage": lambda _: "A" * 100_000,
    "much garbage": lambda _: ".".join(letter * 50_000 for letter in "ABC"),
    "deep claims": lambda forge: forge.unsigned(b"[" * 50_000),
    "deep head": lambda forge: f"{encoded(DEEP)}.{part(forge.claims)}.x",
    "long number": lambda forge: forge.unsigned(b'{"exp":' + b"9" * 5_000 + b"}"),
    "infinite": lambda forge: forge.unsigned(b'{"iss":"cruddur","exp":1e999}'),
    "claims no object": lambda forge: forge.unsigned(b"[]"),
    "claims no JSON": lambda forge: forge.unsigned(b"\xff\xfe"),
    "issuer no string": lambda forge: forge.unsigned(b'{"iss":["cruddur"]}'),
    "no kid": lambda forge: forge.by(private(forge), "ES256", kid=None),
    "unknown kid": lambda forge: forge.by(private(forge), "ES256", kid="other"),
    "kid no string": lambda forge: forge.with_head({"alg": "ES256", "kid": [forge.kid]}),
    "alg none": lambda forge: forge.by(None, "none"),
    "alg NONE": lambda forge: forge.with_head({"alg": "NONE", "kid": forge.kid}),
    "hmac with our pem": lambda forge: forge.by_hmac(forge.public_pem()),
    "hmac with our jwk": lambda forge: forge.by_hmac(json.dumps(forge.jwk).encode()),
    "foreign key, our kid": lambda forge: forge.by(SigningKey(new_signing_key()).private, "ES256"),
    "foreign curve": lambda forge: forge.by(ec.generate_private_key(ec.SECP384R1()), "ES384"),
    "foreign kind": lambda forge: forge.by(rsa.generate_private_key(65537, 2048), "RS256"),
    "key brought along": lambda forge: brought_along(forge),
    "detached": lambda forge: forge.by(private(forge), "ES256", b64=False, crit=["b64"]),
    "id token": lambda forge: forge.signed(token_use="id"),
    "no use": lambda forge: forge.signed(token_use=None),
    "wrong issuer": lambda forge: forge.signed(iss="https://evil.example"),
    "no issuer": lambda forge: forge.signed(iss=None),
    "wrong client": lambda forge: forge.signed(client_id="evil"),
    "no client": lambda forge: forge.signed(client_id=None),
    "expired": lambda forge: forge.signed(exp=int(time.time()) - LEEWAY_SECONDS - 1),
    "no expiry": lambda forge: forge.signed(exp=None),
    "expiry no number": lambda forge: forge.signed(exp="tomorrow"),
    "not yet": lambda forge: forge.signed(nbf=int(time.time()) + 60),
    "no subject": lambda forge: forge.signed(sub=None),
    "subject no string": lambda forge: forge.signed(sub=5),
    "subject a list": lambda forge: forge.signed(sub=[forge.claims["sub"]]),
    "subject huge": lambda forge: forge.signed(sub="x" * 300),
    "subject with NUL": lambda forge: forge.signed(sub="x\x00"),
    "subject with a surrogate": lambda forge: forge.signed(sub="\ud800"),
    "subject empty": lambda forge: forge.signed(sub=""),
    "subject of nobody": lambda forge: forge.signed(sub=str(uuid4())),
    "no session": lambda forge: forge.signed(sid=None),
    "session no uuid": lambda forge: forge.signed(sid="x"),
    "session no string": lambda forge: forge.signed(sid=5),
    "session empty": lambda forge: forge.signed(sid=""),
    "session of nobody": lambda forge: forge.signed(sid=str(uuid4())),
}
"""Invalid tokens, each with one fault."""


def bearer(make: Callable[[Forge], str]) -> Callable[[Forge], str]:
    return lambda forge: f"Bearer {make(forge)}"


BAD = HEADERS | {name: bearer(make) for name, make in TOKENS.items()}
DEEP = b'{"alg":' * 50_000


def brought_along(forge: Forge) -> str:
    """A token signed by a key that it contains itself."""
    stranger = SigningKey(new_signing_key())
    return forge.by(stranger.private, "ES256", jwk=stranger.jwk(), kid=stranger.kid)


@pytest.fixture
def forge(andrew: Member, keys: KeyRing) -> Forge:
    """Variations of Andrew's token."""
    return Forge(keys, andrew.headers["Authorization"].removeprefix("Bearer "))


@pytest.mark.rule("C19")
@pytest.mark.parametrize("name", BAD)
async def test_a_bad_token_is_rejected_where_one_is_required_and_ignored_elsewhere(
    api: Api, andrew: Member, forge: Forge, name: str
) -> None:
    crud = await andrew.crud("A crud")
    headers = {"Authorization": BAD[name](forge).encode("latin-1", "replace")}
    refusal = await api.http.get(REQUIRED, headers=headers)
    assert refusal.status_code == 401
    assert refused(refusal) == ["generic_401"]
    for path in OPTIONAL:
        url = path.format(uuid=crud["uuid"])
        response = await api.http.get(url, headers=headers)
        assert response.status_code == 200, url
        assert "liked" not in response.text


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_the_case_of_the_scheme_does_not_matter(
    api: Api, andrew: Member, forge: Forge, scheme: str
) -> None:
    headers = {"Authorization": f"{scheme} {forge.good}"}
    assert (await api.get(REQUIRED, headers=headers))["handle"] == "andrewbrown"


async def test_the_variations_are_rejected_only_for_what_they_change(
    api: Api, forge: Forge
) -> None:
    """Without changes, the forge creates valid tokens."""
    for token in (forge.signed(), forge.by(private(forge), "ES256")):
        await api.get(REQUIRED, headers={"Authorization": f"Bearer {token}"})


async def test_a_session_id_of_another_user_is_rejected(
    andrew: Member, bayko: Member, forge: Forge
) -> None:
    token = forge.signed(sub=str(bayko.uuid))
    await Api(andrew.http).get(REQUIRED, headers={"Authorization": f"Bearer {token}"}, expect=401)


@pytest.mark.rule("C20")
async def test_ending_a_session_invalidates_its_token_at_once(
    andrew: Member, database: asyncpg.Connection
) -> None:
    await andrew.get(REQUIRED)
    await database.execute("DELETE FROM sessions")
    await andrew.get(REQUIRED, expect=401)
    await andrew.get("/api/activities/home")


async def test_a_cached_token_is_rejected_after_it_expires_or_the_clock_goes_back(
    api: Api, forge: Forge, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = {"Authorization": f"Bearer {forge.good}"}
    await api.get(REQUIRED, headers=headers)

    def turn(time_now: int) -> None:
        clock = SimpleNamespace(time=lambda: float(time_now))
        monkeypatch.setattr("cruddur.identity.tokens.time", clock)

    ends, begins = forge.claims["exp"] + LEEWAY_SECONDS, forge.claims["nbf"] - LEEWAY_SECONDS
    for now, status in ((ends - 1, 200), (ends, 401), (begins - 1, 401), (begins, 200)):
        monkeypatch.undo()
        await api.get(REQUIRED, headers=headers)
        turn(now)
        # A rejected token leaves the cache; the check of an uncached token uses its own clock.
        await api.get(REQUIRED, headers=headers, expect=status)


async def test_a_cached_token_is_rejected_after_its_key_is_removed(
    settings: Settings, database: asyncpg.Connection
) -> None:
    old, new = new_signing_key(), new_signing_key()
    app = create_app(replace(settings, signing_key=old))
    async with serving(app) as api:
        worf = await Member.enter(api, database, app, "worf", "Worf")
        ring: KeyRing = app.extensions["cruddur"].keys
        for pems, status in (([new, old], 200), ([new], 401), ([old], 200), ([new], 401)):
            ring.replace_keys(pems)
            for _ in range(2):
                await worf.get(REQUIRED, expect=status)


async def test_another_key_with_the_same_id_is_a_different_key(
    api: Api, forge: Forge, keys: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = {"Authorization": f"Bearer {forge.good}"}
    await api.get(REQUIRED, headers=headers)
    stranger = SigningKey(new_signing_key())
    monkeypatch.setattr(keys, "_keys", {forge.kid: stranger})
    await api.get(REQUIRED, headers=headers, expect=401)


async def test_the_token_cache_is_bounded(
    api: Api, andrew: Member, forge: Forge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tokens stay valid, whichever of them the cache has evicted."""
    monkeypatch.setattr("cruddur.identity.token_cache.MAX_CACHED_TOKENS", 3)
    tokens = [forge.signed(username=f"name {number}") for number in range(5)]
    for token in (*tokens, *tokens, *reversed(tokens)):
        await api.get(REQUIRED, headers={"Authorization": f"Bearer {token}"})
    for changed in (forge.with_claims({**forge.claims, "sub": str(uuid4())}), forge.good + "A"):
        await api.get(REQUIRED, headers={"Authorization": f"Bearer {changed}"}, expect=401)


async def test_every_route_that_requires_a_token_rejects_requests_without_one(
    api: Api, andrew: Member
) -> None:
    uuid = uuid4()
    checked = 0
    for endpoint in ENDPOINTS:
        if endpoint.access != "required":
            continue
        path = endpoint.rule
        for name in ("uuid", "message_group_uuid"):
            path = path.replace(f"<uuid:{name}>", str(uuid))
        path = path.replace("<handle>", "nobody")
        for headers in ({}, {"Authorization": "Bearer null"}):
            refusal = await api.http.request(endpoint.method, path, headers=headers)
            assert (refusal.status_code, refused(refusal)) == (401, ["generic_401"]), path
        # The body is empty: a later error is about the body, not about the token.
        response = await andrew.http.request(endpoint.method, path, json={}, headers=andrew.headers)
        needs_role = endpoint.role != "member"
        assert response.status_code in ({403} if needs_role else {200, 404, 422}), path
        checked += 1
    assert checked >= 20


async def test_the_published_keys_verify_a_token(api: Api, forge: Forge) -> None:
    key_set = await api.get("/.well-known/jwks.json")
    for key in key_set["keys"]:
        assert key.keys() == {"kty", "crv", "x", "y", "kid", "use", "alg"}  # no "d"
    kid = jwt.get_unverified_header(forge.good)["kid"]
    claims = jwt.decode(
        forge.good, jwt.PyJWKSet.from_dict(key_set)[kid], algorithms=["ES256"], issuer="cruddur"
    )
    assert claims["token_use"] == "access"
    assert claims["exp"] - claims["iat"] == 900
    assert UUID(claims["sid"])


async def demo(settings: Settings, **changes: Any) -> Quart:
    return create_app(replace(settings, demo_handle="AndrewBrown", **changes))


async def test_requests_without_a_token_act_as_the_demo_identity(
    settings: Settings, andrew: Member, bayko: Member
) -> None:
    async with serving(await demo(settings)) as api:
        assert (await api.get(REQUIRED))["handle"] == "andrewbrown"
        posted = await api.post("/api/activities", {"message": "Demo", "ttl": "1-day"})
        assert posted["handle"] == "andrewbrown"
        [seen] = await api.get("/api/activities/home")
        assert seen["liked"] is False
        as_bayko = await api.get(REQUIRED, headers=bayko.headers)
        assert as_bayko["handle"] == "bayko"


@pytest.mark.rule("C3")
@pytest.mark.parametrize("name", ["null", "empty", "basic", "expired", "subject of nobody"])
async def test_the_demo_identity_does_not_replace_a_bad_token(
    settings: Settings, andrew: Member, forge: Forge, name: str
) -> None:
    await andrew.crud()
    headers = {"Authorization": BAD[name](forge)}
    async with serving(await demo(settings)) as api:
        await api.get(REQUIRED, headers=headers, expect=401)
        [seen] = await api.get("/api/activities/home", headers=headers)
        assert "liked" not in seen


async def test_an_unknown_demo_handle_is_no_identity(settings: Settings) -> None:
    async with serving(await demo(settings)) as api:
        await api.get(REQUIRED, expect=401)
        assert await api.get("/api/activities/home") == []


@pytest.mark.rule("C2")
@pytest.mark.parametrize(
    "bind",
    [
        "0.0.0.0:4567",
        "0.0.0.0",
        "[::]:4567",
        "[::]",
        ":4567",
        "192.168.1.5:80",
        "127.0.0.1:1,0.0.0.0:2",
        "example.com:80",
        "fd://3",
    ],
)
def test_the_demo_identity_is_rejected_on_a_reachable_address(bind: str) -> None:
    environ = {"CRUDDUR_DEMO_HANDLE": "andrewbrown", "CRUDDUR_BIND": bind}
    with pytest.raises(SettingsError, match="CRUDDUR_DEMO_HANDLE"):
        Settings.from_env(environ)
    Settings.from_env({"CRUDDUR_BIND": bind})


@pytest.mark.rule("C2")
@pytest.mark.parametrize(
    "bind",
    ["", "127.0.0.1:4567", "127.0.0.1", "localhost:80", "[::1]:4567", "127.8.8.8:1", "unix:/tmp/x"],
)
def test_the_demo_identity_works_on_loopback(bind: str) -> None:
    Settings.from_env({"CRUDDUR_DEMO_HANDLE": "andrewbrown", "CRUDDUR_BIND": bind})


def test_the_demo_identity_is_rejected_under_another_server(server_dsn: str) -> None:
    """We cannot see which address another server binds."""
    environ = {
        **os.environ,
        "CONNECTION_URL": server_dsn,
        "CRUDDUR_DEMO_HANDLE": "andrewbrown",
        "CRUDDUR_BIND": "",
    }
    command = [sys.executable, "-c", "import cruddur.asgi"]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "CRUDDUR_DEMO_HANDLE works under `cruddur serve` only" in done.stderr


async def test_two_applications_started_at_once_share_the_key_of_their_database(
    settings: Settings, make_database: Callable[..., Any]
) -> None:
    shared = replace(settings, connection_url=await make_database())

    async def key_set_of(application: Quart) -> Any:
        async with serving(application) as api:
            return await api.get("/.well-known/jwks.json")

    key_sets = await asyncio.gather(*(key_set_of(create_app(shared)) for _ in range(3)))
    assert len(key_sets[0]["keys"]) == 1
    assert all(key_set == key_sets[0] for key_set in key_sets)
    assert await key_set_of(create_app(shared)) == key_sets[0]


async def test_a_configured_key_signs_and_is_not_stored_in_the_database(
    settings: Settings, make_database: Callable[..., Any]
) -> None:
    pem = new_signing_key()
    dsn = await make_database()
    async with serving(create_app(replace(settings, connection_url=dsn, signing_key=pem))) as api:
        [key] = (await api.get("/.well-known/jwks.json"))["keys"]
    assert key == SigningKey(pem).jwk()
    database = Database(dsn, pool_size=1, statement_timeout=PATIENCE)
    await database.open()
    async with database.connection() as conn:
        assert await select_signing_keys(conn) == []
    await database.close()


async def test_replaced_keys_still_verify() -> None:
    old, new = new_signing_key(), new_signing_key()
    token = KeyRing([old]).sign({"sub": "x"})
    ring = KeyRing([new, old])
    kid = jwt.get_unverified_header(token)["kid"]
    assert jwt.decode(token, ring.find(kid), algorithms=["ES256"]) == {"sub": "x"}
    assert jwt.get_unverified_header(ring.sign({}))["kid"] == SigningKey(new).kid
    assert ring.secrets("codes")[:1] == KeyRing([new]).secrets("codes")
    assert ring.secrets("codes")[1:] == KeyRing([old]).secrets("codes")
    assert set(ring.secrets("codes")).isdisjoint(ring.secrets("uploads"))


def pem_of(key: Any) -> str:
    return str(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode()
    )


@pytest.mark.parametrize(
    "pem",
    [
        "not a key",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        pem_of(rsa.generate_private_key(65537, 2048)),
        pem_of(ec.generate_private_key(ec.SECP384R1())),
    ],
    ids=["text", "spoilt", "rsa", "other curve"],
)
async def test_an_invalid_signing_key_prevents_the_start(settings: Settings, pem: str) -> None:
    with pytest.raises(SigningKeyError):
        async with open_resources(replace(settings, signing_key=pem), Telemetry(settings)):
            pass
