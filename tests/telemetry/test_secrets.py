"""S9: no secret of a user is in any byte that leaves the service, nor in its log.

The tests use one process with every sink in all ways that involve a secret, with valid and invalid
requests. Then they search everything that any sink has received for each secret, in every encoding
that an exporter could have used.
"""

import base64
import io
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus, urlsplit

import asyncpg
import httpx
import pytest
from aiosmtpd.controller import Controller
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.hotp import HOTP
from PIL import Image
from serving import Line, Served, Stopped, patient, served

from authenticator import Authenticator
from fakes.aws import FakeAws
from fakes.honeycomb import FakeHoneycomb
from fakes.rollbar import FakeRollbar
from fakes.sink import Sink
from fakes.xray_daemon import FakeXRayDaemon

MAIL = "cruddur.identity.mail"
"""Without an SMTP server, codes are log lines of this logger, only on standard output."""

GROUP = "cruddur-logs"

TRACE_OF_A_PAGE = "7b1d52c6a08f4e3391cbd2670e5fa4d8"

# The keys of the sinks; each is sent only to its own sink.
HONEYCOMB_KEY = "key-of-honeycomb-7d1f"
ROLLBAR_TOKEN = "token-of-rollbar-91c4"
OPERATOR_TOKEN = "token-of-the-operator-03be"
AWS_SECRET = "secret-of-aws-5e77"


@dataclass
class Captured:
    """Everything that the sinks and the log have received.

    Attributes:
        secrets: the secrets that must not be in it, by their kind.
        codes: secrets of six digits, which must not stand alone anywhere.
        exports: every byte that each sink received, headers too.
        failures: trace ids of the requests that failed.
    """

    secrets: dict[str, str] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)
    exports: dict[str, bytes] = field(default_factory=dict)
    headers: dict[str, bytes] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    stopped: Stopped | None = None

    def keep(self, what: str, secret: str) -> str:
        """Return a secret and record it."""
        self.secrets[what] = secret
        return secret

    def new(self, what: str) -> str:
        """Another secret, which looks like no other text."""
        return self.keep(what, f"canary-{what.replace(' ', '-')}-k3x9")


@pytest.fixture(scope="module")
async def captured(
    make_database: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory
) -> Captured:
    """All requests have been sent, and the service has ended."""
    dsn = await make_database()
    received = Captured()
    directory = tmp_path_factory.mktemp("secrets")
    with (
        FakeHoneycomb(HONEYCOMB_KEY) as honeycomb,
        FakeRollbar(ROLLBAR_TOKEN) as rollbar,
        FakeXRayDaemon() as daemon,
        FakeAws() as aws,
        served(
            dsn,
            directory,
            **{
                **patient(directory),
                **aws.environment,
                "AWS_SECRET_ACCESS_KEY": AWS_SECRET,
                "OTEL_EXPORTER_OTLP_ENDPOINT": honeycomb.url,
                "HONEYCOMB_API_KEY": HONEYCOMB_KEY,
                "OTEL_LOGS_EXPORTER": "otlp",
                "ROLLBAR_ACCESS_TOKEN": ROLLBAR_TOKEN,
                "ROLLBAR_ENDPOINT": rollbar.endpoint,
                "AWS_XRAY_DAEMON_ADDRESS": daemon.address,
                "CRUDDUR_CLOUDWATCH_LOG_GROUP": GROUP,
                "CRUDDUR_OPERATOR_TOKEN": OPERATOR_TOKEN,
                "LOG_LEVEL": "DEBUG",
            },
        ) as service,
    ):
        _live(service, received)
        conn = await asyncpg.connect(dsn)
        try:
            await _fail(service, received, conn)
        finally:
            await conn.close()
        rollbar.wait_for(lambda: len(rollbar.items) == len(received.failures))
        received.stopped = service.stop()
        received.lines = service.lines
        received.exports = {
            "Honeycomb": _bytes(honeycomb),
            "Rollbar": _bytes(rollbar),
            "X-Ray": daemon.raw_bytes,
            "CloudWatch": "\n".join(chain(*aws.log_events(GROUP).values())).encode(),
        }
        received.headers = {"Honeycomb": _headers(honeycomb), "Rollbar": _headers(rollbar)}
        assert honeycomb.problems == rollbar.problems == daemon.malformed == []
    return received


def _bytes(sink: Sink) -> bytes:
    return b"\n".join(part for r in sink.requests for part in (r.path.encode(), r.raw, r.body))


def _headers(sink: Sink) -> bytes:
    return b"\n".join(str(request.headers).encode() for request in sink.requests)


# --- a life on Cruddur ----------------------------------------------------------------------


def _live(service: Served, received: Captured) -> None:
    """Use secrets in every way, correctly and incorrectly."""
    http = service.http
    bayko = _enter(service, received, "bayko")
    andrew = _enter(service, received, "andrewbrown")
    me = {"Authorization": f"Bearer {andrew}"}

    _ok(http.get("/api/auth/me", headers=me))
    profile = {"display_name": "Andrew", "bio": received.new("bio")}
    _ok(http.put("/api/profile/update", json=profile, headers=me))
    key = {"Idempotency-Key": received.new("key of a crud")}
    picture = _ok(http.post("/api/pictures", content=_picture(), headers=me))
    shown = {"uuid": picture["uuid"], "alt": received.new("text of a picture")}
    draft = {"message": received.new("crud"), "ttl": "1-day", "pictures": [shown]}
    crud = _ok(http.post("/api/activities", json=draft, headers=me | key))
    reply = {"message": received.new("reply")}
    _ok(http.post(f"/api/activities/{crud['uuid']}/reply", json=reply, headers=me))
    message = {"message": received.new("message"), "handle": "bayko"}
    _ok(http.post("/api/messages", json=message, headers=me))
    _ok(http.get("/api/messages/@andrewbrown", headers={"Authorization": f"Bearer {bayko}"}))
    term = {"term": received.new("search term")}
    _ok(http.get("/api/activities/search", params=term, headers=me))
    _upload(http, received, me)
    _use_api_token(http, received, me)
    _use_second_factor(http, received, {"Authorization": f"Bearer {bayko}"})
    _use_passkey(http, received, {"Authorization": f"Bearer {bayko}"})
    _change_passwords(service, received, me)
    _report(http, received)
    _knock(http, received)


def _enter(service: Served, received: Captured, handle: str) -> str:
    """Open an account and a session, with some mistakes; return the access token."""
    http = service.http
    email = received.keep(f"address of {handle}", f"{handle}.canary+k3x9@example.org")
    password = received.new(f"password of {handle}")
    account = {"email": email, "password": password, "handle": handle, "display_name": handle}
    key = {"Idempotency-Key": received.new(f"key of {handle}'s sign-up")}
    _ok(http.post("/api/auth/signup", json=account, headers=key))
    code = _code(service, received, f"confirmation code of {handle}")
    wrong = received.codes[f"wrong code of {handle}"] = "777888" if code != "777888" else "888777"
    assert http.post("/api/auth/confirm", json={"email": email, "code": wrong}).status_code == 422
    _ok(http.post("/api/auth/confirm", json={"email": email, "code": code}))
    _ok(http.post("/api/auth/signup", json={**account, "handle": f"{handle}_2"}))
    attempt = {"email": email, "password": received.new(f"wrong password of {handle}")}
    assert http.post("/api/auth/signin", json=attempt).status_code == 401
    entry = http.post("/api/auth/signin", json={"email": email, "password": password})
    token = str(_ok(entry)["access_token"])
    for part, text in zip(("head", "claims", "signature"), token.split("."), strict=True):
        if part != "head":  # which is the same for all users
            received.keep(f"{part} of {handle}'s token", text)
    first = received.keep(f"first cookie of {handle}", http.cookies["cruddur_refresh"])
    _ok(http.post("/api/auth/refresh"))
    assert received.keep(f"cookie of {handle}", http.cookies["cruddur_refresh"]) != first
    return token


def _code(service: Served, received: Captured, what: str) -> str:
    """The code that was sent last."""
    known = set(received.codes.values())

    def found() -> list[str]:
        sent = [line["message"].rpartition(" ")[2] for line in service.logged(MAIL)]
        return [code for code in sent if code.isdigit() and code not in known]

    [code] = service.until(found)
    received.codes[what] = code
    return str(code)


def _use_api_token(http: httpx.Client, received: Captured, me: Mapping[str, str]) -> None:
    """Use an API token, also where it is not allowed, and in the wrong places."""
    bot = {"Authorization": f"Bearer {_api_token(http, received, me, 'API token')}"}
    draft = {"message": received.new("crud of an API token"), "ttl": "1-day"}
    _ok(http.post("/api/activities", json=draft, headers=bot))
    assert http.post("/api/messages", json=draft, headers=bot).status_code == 403
    assert http.get("/api/auth/me", headers=bot).status_code == 403
    token = bot["Authorization"].partition(" ")[2]
    for path in (f"/api/auth/tokens/{token}", f"/{token}", f"/api/users/@{token}/short"):
        assert http.get(path).status_code in {404, 405}
    agent = {"User-Agent": f"bot with {token}"}
    _ok(http.get("/api/activities/home", params={"cruddur": token}, headers=agent))
    [listed] = _ok(http.get("/api/auth/tokens", headers=me))
    _ok(http.delete(f"/api/auth/tokens/{listed['uuid']}", headers=me))
    assert http.post("/api/activities", json=draft, headers=bot).status_code == 401


def _api_token(http: httpx.Client, received: Captured, me: Mapping[str, str], what: str) -> str:
    """Create an API token that may write, and record it as a secret."""
    draft = {"name": received.new(f"name of the {what}"), "scopes": ["write"], "ttl": "1-day"}
    token = str(_ok(http.post("/api/auth/tokens", json=draft, headers=me))["token"])
    received.keep(what, token.removeprefix("cruddur_"))
    return token


def _use_second_factor(http: httpx.Client, received: Captured, me: Mapping[str, str]) -> None:
    """Set up a second factor, sign in with it, and turn it off."""
    path = "/api/auth/second-factor"
    password = {"password": received.secrets["password of bayko"]}
    begun = _ok(http.post(path, json=password, headers=me))
    secret = base64.b32decode(received.keep("secret of bayko", begun["secret"]))
    received.keep("bytes of the secret", secret.hex())
    app = HOTP(secret, 6, SHA1())
    step = int(time.time()) // 30

    def code(what: str, steps: int) -> str:
        made = app.generate(step + steps).decode()
        received.codes[what] = made
        return made

    body = {"code": code("code of another time", 99)}
    assert http.put(path, json=body, headers=me).status_code == 422
    codes = _ok(http.put(path, json={"code": code("first code", 0)}, headers=me))["recovery_codes"]
    for number, recovery_code in enumerate(codes):
        received.keep(f"recovery code {number}", recovery_code)
    credentials = {"email": received.secrets["address of bayko"], **password}
    assert http.post("/api/auth/signin", json=credentials).status_code == 403
    for wrong in (code("code of yet another time", -99), received.new("wrong recovery")[:16]):
        body = {**credentials, "code": wrong}
        assert http.post("/api/auth/signin", json=body).status_code == 422
    _ok(http.post("/api/auth/signin", json={**credentials, "code": code("second code", 1)}))
    _ok(http.post("/api/auth/signin", json={**credentials, "code": codes[0]}))
    _ok(http.request("DELETE", path, json={"code": codes[1]}, headers=me))


def _use_passkey(http: httpx.Client, received: Captured, me: Mapping[str, str]) -> None:
    """Add a passkey, sign in with it, fail with it, and remove it."""
    path = "/api/auth/passkeys"
    key = Authenticator(origin=f"http://localhost:{http.base_url.port}")
    password = {"password": received.secrets["password of bayko"]}
    begun = _ok(http.post(f"{path}/registration", json=password, headers=me))
    attempt = received.keep("attempt at a passkey", begun["attempt"])
    credential = key.create(begun["options"])
    received.keep("credential", credential["id"])
    received.keep("bytes of the credential", key.credential_id.hex())
    draft = {"name": received.new("name of a passkey"), "attempt": attempt}
    added = _ok(http.post(path, json={**draft, "credential": credential}, headers=me))
    for number, recovery_code in enumerate(added["recovery_codes"]):
        received.keep(f"recovery code {number} with a passkey", recovery_code)
    asked = _ok(http.post(f"{path}/challenge", json={"purpose": "sign_in"}))
    received.keep("attempt at a sign-in", asked["attempt"])
    received.keep("challenge", asked["options"]["challenge"])
    answer = {"attempt": asked["attempt"], "credential": key.get(asked["options"])}
    received.keep("signature", answer["credential"]["response"]["signature"])
    _ok(http.post("/api/auth/signin/passkey", json={"passkey": answer}))
    replayed = http.post("/api/auth/signin/passkey", json={"passkey": answer})
    assert replayed.json() == ["challenge_invalid"]
    one = f"{path}/{added['passkey']['uuid']}"
    _ok(http.request("DELETE", one, json=password, headers=me))


def _picture() -> bytes:
    picture = io.BytesIO()
    Image.new("RGB", (9, 9)).save(picture, "PNG")
    return picture.getvalue()


def _upload(http: httpx.Client, received: Captured, me: Mapping[str, str]) -> None:
    response = _ok(http.post("/api/avatars/key_upload", json={"extension": "png"}, headers=me))
    path = urlsplit(response["url"]).path
    token = received.keep("upload token", path.rpartition("/")[2])
    _ok(http.put(path, content=_picture()))
    assert http.put(path, content=received.new("broken picture")).status_code == 422
    # What a page, a proxy or a mistaken client makes of the same address.
    assert http.options(path, headers={"Origin": "http://localhost:3000"}).status_code == 200
    for method in ("GET", "POST", "DELETE"):
        assert http.request(method, path).status_code == 405
    for mistaken in (f"{path}/", f"/{path}", f"{path}.png", f"/avatars/{token}"):
        assert http.put(mistaken, content=b"").status_code in {403, 404}
    received.keep("last part of the upload token", token.rpartition(".")[2])


def _report(http: httpx.Client, received: Captured) -> None:
    """What a page sends that does not redact anything itself."""
    address = received.keep("address in an error", "error.canary@example.org")
    quoted, hidden = received.new("quoted text"), received.new("text in an attribute")
    token, term = received.new("token in a URL"), received.new("term in a URL")
    now = str(time.time_ns())

    def values(**texts: str) -> list[dict[str, Any]]:
        return [
            {"key": key.replace("__", "."), "value": {"stringValue": text}}
            for key, text in texts.items()
        ]

    url = f"{http.base_url}api/avatars/uploads/{token}?term={term}#{token}"
    span = {
        "traceId": TRACE_OF_A_PAGE,
        "spanId": TRACE_OF_A_PAGE[:16],
        "name": "GET /api/trending",
        "kind": 3,
        "startTimeUnixNano": now,
        "endTimeUnixNano": now,
        "attributes": values(url__full=url, message=hidden, error__type=f"{hidden} {hidden}"),
    }
    record = {
        "eventName": "exception",
        "timeUnixNano": now,
        "traceId": TRACE_OF_A_PAGE,
        "spanId": TRACE_OF_A_PAGE[:16],
        "attributes": values(
            exception__type="SyntaxError",
            exception__message=f'no "{quoted}" for {address}',
            exception__stacktrace=f"SyntaxError: {quoted}\n    at f (/assets/i.js:1:2)",
        ),
    }
    body = {
        "resourceSpans": [{"scopeSpans": [{"spans": [span]}]}],
        "resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}],
    }
    agent = {"User-Agent": f"Mozilla/5.0 {received.keep('agent', 'agent.canary@example.org')}"}
    _ok(http.post("/api/telemetry", json=body, headers=agent))


def _change_passwords(service: Served, received: Captured, me: Mapping[str, str]) -> None:
    http = service.http
    email = received.secrets["address of andrewbrown"]
    change = {
        "current_password": received.secrets["password of andrewbrown"],
        "password": received.new("second password"),
    }
    _ok(http.put("/api/auth/password", json=change, headers=me))
    _ok(http.post("/api/auth/forgot", json={"email": email}))
    code = _code(service, received, "reset code")
    new = {"email": email, "code": code, "password": received.new("third password")}
    _ok(http.post("/api/auth/reset", json=new))


def _knock(http: httpx.Client, received: Captured) -> None:
    """Wrong credentials, wrong paths, wrong bodies."""
    home, me = "/api/activities/home", "/api/auth/me"
    for what, header in (
        ("wrong bearer", "Bearer {}"),
        ("wrong scheme", "Basic {}"),
        ("bare authorization", "{}"),
        ("JWT of another", "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.{}"),
    ):
        value = header.format(received.new(what))
        assert http.get(me, headers={"Authorization": value}).status_code == 401
        assert http.get(home, headers={"Authorization": value}).status_code == 200
        health = http.get("/api/health/telemetry", headers={"Authorization": value})
        assert health.status_code == 401
    cookie = f"cruddur_refresh={received.new('wrong cookie')}; other={received.new('other cookie')}"
    assert http.post("/api/auth/refresh", headers={"Cookie": cookie}).status_code == 401
    address = received.keep("address in a path", "path.canary@example.org")
    for path in (f"/reset/{address}", f"/reset/{quote(address, safe='')}", f"/api/users/{address}"):
        assert http.get(path).status_code == 404
    for path in (f"/api/activities/@{address}", f"/api/avatars/{address}.jpg"):
        assert http.get(path).status_code == 404
    queries = {
        "token": received.new("token in a query"),
        "code": received.new("code in a query"),
        "email": received.keep("address in a query", "query.canary@example.org"),
    }
    for path in ("/no/such/path", home, "/api/health-check"):
        http.get(path, params=queries)
    assert http.get(f"{home}?{received.new('bare query')}").status_code == 200
    strange = received.keep("address for a cursor", "cursor.canary@example.org")
    assert http.get(home, params={"cursor": strange}).status_code == 422
    baggage = {"baggage": f"user={received.new('baggage')}"}
    assert http.get(home, headers=baggage).status_code == 200
    for body in (
        f'{{"message": "{received.new("cut off body")}',
        json.dumps({"message": "x", "ttl": received.new("senseless ttl")}),
        json.dumps({"message": [received.new("list for a message")], "ttl": "1-day"}),
    ):
        http.post("/api/auth/signin", content=body, headers={"Content-Type": "application/json"})


# --- failures -------------------------------------------------------------------------------

FAILING_STATEMENTS = """
CREATE FUNCTION quote_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'cannot keep % of %', NEW.message, NEW.uuid
        USING DETAIL = NEW.message, HINT = NEW.message;
END $$;
CREATE TRIGGER quote_row BEFORE INSERT ON activities FOR EACH ROW EXECUTE FUNCTION quote_row();
ALTER TABLE messages ADD CONSTRAINT fail CHECK (message = '') NOT VALID;
ALTER TABLE signups ADD CONSTRAINT fail CHECK (email = '') NOT VALID;
ALTER TABLE sessions ADD CONSTRAINT fail CHECK (device = '') NOT VALID;
ALTER TABLE activities ADD CONSTRAINT fail CHECK (message = '') NOT VALID;
"""


async def _fail(service: Served, received: Captured, conn: asyncpg.Connection) -> None:
    """Requests full of secrets whose statements fail, with errors that quote them."""
    http = service.http
    credentials = {
        "email": received.secrets["address of andrewbrown"],
        "password": received.secrets["third password"],
    }
    token = _ok(http.post("/api/auth/signin", json=credentials))["access_token"]
    received.keep("signature of the last token", token.rpartition(".")[2])
    me = {"Authorization": f"Bearer {token}"}
    bot = {"Authorization": f"Bearer {_api_token(http, received, me, 'API token of a failure')}"}
    await conn.execute(FAILING_STATEMENTS)
    headers = {
        "Authorization": f"Bearer {token}",
        "Idempotency-Key": received.new("key of a failure"),
        "Referer": f"http://localhost:3000/reset?token={received.new('token in a referer')}",
        "X-Api-Key": received.new("API key"),
        "X-Auth-Token": received.new("auth token"),
        "X-Session-Id": received.new("session id"),
        "X-Requested-By": received.new("any other header"),
        "Proxy-Authorization": f"Basic {received.new('proxy authorization')}",
        "X-Forwarded-For": received.new("forwarded address"),
        "Cookie": f"cruddur_refresh={received.new('failing cookie')};a={received.new('other one')}",
    }
    query = {"token": received.new("token of a failure"), "term": received.new("term of a failure")}

    def fail(method: str, path: str, body: Any = None, **other: str) -> None:
        response = http.request(method, path, json=body, params=query, headers=headers | other)
        assert response.status_code == 500, f"{path}: {response.text}"
        received.failures.append(response.headers["traceresponse"].split("-")[1])

    odd = received.keep("odd crud", 'canary-ödd “k3x9” \\ "quoted"\nand <more>')
    received.keep("beginning of the odd crud", "canary-ödd")
    for text in (received.new("failing crud"), odd):
        fail("POST", "/api/activities", {"message": text, "ttl": "1-day"})
    text = received.new("failing crud of an API token")
    fail("POST", "/api/activities", {"message": text, "ttl": "1-day"}, **bot)
    fail("POST", "/api/messages", {"message": received.new("failing message"), "handle": "bayko"})
    account = {
        "email": received.keep("failing address", "failing.canary@example.org"),
        "password": received.new("failing password"),
        "handle": "odo",
        "display_name": "Odo",
    }
    fail("POST", "/api/auth/signup", account)
    fail("POST", "/api/auth/signin", credentials)
    await conn.execute("ALTER TABLE activities RENAME TO away")
    fail("GET", "/api/users/suggested")  # for the first time, or it would still find the table


def _ok(response: httpx.Response) -> Any:
    assert response.status_code == 200, f"{response.request.url}: {response.text}"
    return response.json()


# --- the search -----------------------------------------------------------------------------


def _forms(secret: str) -> Iterator[bytes]:
    """Return the secret in plain form and encoded as URL, JSON, Python, base64 and hexadecimal."""
    for text in (
        secret,
        quote(secret, safe=""),
        quote(secret),
        quote_plus(secret),
        json.dumps(secret)[1:-1],
        json.dumps(json.dumps(secret))[3:-3],
        repr(secret)[1:-1],
        secret.encode().hex(),
    ):
        yield text.lower().encode()
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        for shift in range(3):  # where it begins in the text that was encoded
            whole = encode(bytes(shift) + secret.encode())
            yield whole[4 if shift else 0 : len(whole) // 4 * 4 - 4].lower()


def _found(secrets: Mapping[str, str], data: bytes) -> list[tuple[str, str]]:
    """Return the secrets that are in the text, with their surroundings."""
    lower = data.lower()
    found = []
    for what, secret in secrets.items():
        for form in dict.fromkeys(_forms(secret)):
            place = lower.find(form)
            if place >= 0:
                found.append((what, str(data[max(0, place - 120) : place + len(form) + 20])))
                break
    return found


def _standing_alone(codes: Mapping[str, str], data: bytes) -> list[tuple[str, str]]:
    """Which codes are in it; six digits within a longer number are chance."""
    found = []
    for what, code in codes.items():
        place = -1
        while (place := data.find(code.encode(), place + 1)) >= 0:
            around = data[place - 1 : place] + data[place + 6 : place + 7]
            if not any(chr(byte) in "0123456789abcdefABCDEF." for byte in around):
                found.append((what, str(data[max(0, place - 80) : place + 20])))
                break
    return found


def _told(leaks: list[tuple[str, str]]) -> str:
    return "\n".join(f"{what}: {place}" for what, place in leaks)


def test_S9_the_search_finds_what_is_there() -> None:
    """Otherwise the tests below could pass because the search is broken."""
    secret = 'ö "canary" k3x9/?'
    for form in (
        secret,
        quote(secret),
        json.dumps({"nested": json.dumps({"message": secret})}),
        base64.b64encode(f"Basic x{secret}yz".encode()).decode(),
        repr([secret]),
    ):
        assert _found({"it": secret}, f"before {form} after".encode()), form
    assert _found({"it": secret}, b"nothing of the kind") == []
    assert _standing_alone({"code": "123456"}, b"a code: 123456.") == []
    assert _standing_alone({"code": "123456"}, b"a code: 123456, 12345678")
    assert not _standing_alone({"code": "123456"}, b"91234567 0.123456 f123456")


def test_S9_every_sink_has_received_every_failure(captured: Captured) -> None:
    """Otherwise there would be nothing to find."""
    assert captured.stopped is not None
    assert captured.stopped.code == 0
    assert len(set(captured.failures)) == 7
    for trace in captured.failures:
        assert bytes.fromhex(trace) in captured.exports["Honeycomb"]
        for sink in ("Rollbar", "CloudWatch"):
            assert trace.encode() in captured.exports[sink]
        assert f"1-{trace[:8]}-{trace[8:]}".encode() in captured.exports["X-Ray"]
    assert bytes.fromhex(TRACE_OF_A_PAGE) in captured.exports["Honeycomb"]
    assert TRACE_OF_A_PAGE.encode() in captured.exports["CloudWatch"]
    for name in (b"cruddur-web", TRACE_OF_A_PAGE[8:].encode()):
        assert name in captured.exports["X-Ray"]
    for sink in ("Honeycomb", "Rollbar", "CloudWatch", "X-Ray"):
        assert b"cannot keep" in captured.exports[sink]
        assert b"[redacted]" in captured.exports[sink]


@pytest.mark.parametrize("sink", ["Honeycomb", "Rollbar", "X-Ray", "CloudWatch"])
def test_S9_no_secret_is_in_any_byte_that_is_exported(captured: Captured, sink: str) -> None:
    data = captured.exports[sink]
    data += captured.headers.get(sink, b"")
    leaks = _found(captured.secrets, data) + _standing_alone(captured.codes, data)
    assert not leaks, _told(leaks)


def test_S9_the_log_contains_only_the_documented_codes_and_no_other_secret(
    captured: Captured,
) -> None:
    others = [line for line in captured.lines if line["logger"] != MAIL]
    said = "\n".join(json.dumps(line, ensure_ascii=False) for line in others).encode()
    leaks = _found(captured.secrets, said) + _standing_alone(captured.codes, said)
    assert not leaks, _told(leaks)
    mail = [line["message"] for line in captured.lines if line["logger"] == MAIL]
    addresses = {what: s for what, s in captured.secrets.items() if what.startswith("address")}
    private = {what: s for what, s in captured.secrets.items() if what not in addresses}
    assert _found(private, "\n".join(mail).encode()) == []


def test_S9_each_sinks_key_opens_that_sink_alone(captured: Captured) -> None:
    keys = {
        "Honeycomb": HONEYCOMB_KEY,
        "Rollbar": ROLLBAR_TOKEN,
        "operator": OPERATOR_TOKEN,
        "AWS": AWS_SECRET,
    }
    for data in captured.exports.values():
        assert _found(keys, data) == []
    for sink, data in captured.headers.items():
        assert [what for what, _ in _found(keys, data)] == [sink]
    said = "\n".join(json.dumps(line) for line in captured.lines).encode()
    assert _found(keys, said) == []


class Refusing(Controller):
    """A mail server on a free port that rejects every recipient, quoting the address."""

    def __init__(self) -> None:
        super().__init__(self, hostname="127.0.0.1", port=0)

    async def handle_RCPT(self, _: Any, __: Any, ___: Any, address: str, ____: Any) -> str:
        return f"550 nobody here is <{address}>"

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


async def test_S9_refused_mail_does_not_reveal_its_address(
    make_database: Callable[..., Any], tmp_path: Path
) -> None:
    address = "mail.canary@example.org"
    dsn = await make_database()
    mail = Refusing()
    mail.start()
    try:
        with (
            FakeHoneycomb() as honeycomb,
            served(
                dsn,
                tmp_path,
                OTEL_EXPORTER_OTLP_ENDPOINT=honeycomb.url,
                OTEL_LOGS_EXPORTER="otlp",
                SMTP_URL=f"smtp://127.0.0.1:{mail.port}",
                **patient(tmp_path),
            ) as service,
        ):
            account = {
                "email": address,
                "password": "the wormhole is open",
                "handle": "odo",
                "display_name": "Odo",
            }
            _ok(service.http.post("/api/auth/signup", json=account))
            service.until(lambda: service.logged(MAIL))
            assert service.stop().code == 0
            said = service.text.encode()
    finally:
        mail.stop()
    [span] = [span for span in honeycomb.spans if span.name == "send mail"]
    assert span.status == "ERROR"
    leaks = _found({"exported": address}, _bytes(honeycomb)) + _found({"printed": address}, said)
    assert not leaks, _told(leaks)
