"""S9: no secret of a user is in any byte that leaves the service, nor in its log.

The tests use one process with every sink in all ways that involve a secret, with valid and invalid
requests. Then they search everything that any sink has received for each secret, in every encoding
that an exporter could have used.
"""

import base64
import io
import json
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
from PIL import Image
from serving import Line, Served, Stopped, served

from fakes.aws import FakeAws
from fakes.honeycomb import FakeHoneycomb
from fakes.rollbar import FakeRollbar
from fakes.sink import Sink
from fakes.xray_daemon import FakeXRayDaemon

MAIL = "cruddur.identity.mail"
"""Without an SMTP server, codes are log lines of this logger, only on standard output."""

GROUP = "cruddur-logs"

# The keys of the sinks; each is sent only to its own sink.
HONEYCOMB_KEY = "key-of-honeycomb-7d1f"
ROLLBAR_TOKEN = "token-of-rollbar-91c4"
OPERATOR_TOKEN = "token-of-the-operator-03be"
AWS_SECRET = "secret-of-aws-5e77"


@dataclass
class Overheard:
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
async def overheard(
    make_database: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory
) -> Overheard:
    """All requests have been sent, and the service has ended."""
    dsn = await make_database()
    heard = Overheard()
    with (
        FakeHoneycomb(HONEYCOMB_KEY) as honeycomb,
        FakeRollbar(ROLLBAR_TOKEN) as rollbar,
        FakeXRayDaemon() as daemon,
        FakeAws() as aws,
        served(
            dsn,
            tmp_path_factory.mktemp("secrets"),
            **{
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
        _live(service, heard)
        conn = await asyncpg.connect(dsn)
        try:
            await _fail(service, heard, conn)
        finally:
            await conn.close()
        rollbar.wait_for(lambda: len(rollbar.items) == len(heard.failures))
        heard.stopped = service.stop()
        heard.lines = service.lines
        heard.exports = {
            "Honeycomb": _bytes(honeycomb),
            "Rollbar": _bytes(rollbar),
            "X-Ray": daemon.raw_bytes,
            "CloudWatch": "\n".join(chain(*aws.log_events(GROUP).values())).encode(),
        }
        heard.headers = {"Honeycomb": _headers(honeycomb), "Rollbar": _headers(rollbar)}
        assert honeycomb.problems == rollbar.problems == daemon.malformed == []
    return heard


def _bytes(sink: Sink) -> bytes:
    return b"\n".join(part for r in sink.requests for part in (r.path.encode(), r.raw, r.body))


def _headers(sink: Sink) -> bytes:
    return b"\n".join(str(request.headers).encode() for request in sink.requests)


# --- a life on Cruddur ----------------------------------------------------------------------


def _live(service: Served, heard: Overheard) -> None:
    """Use secrets in every way, correctly and incorrectly."""
    http = service.http
    bayko = _enter(service, heard, "bayko")
    andrew = _enter(service, heard, "andrewbrown")
    me = {"Authorization": f"Bearer {andrew}"}

    _ok(http.get("/api/auth/me", headers=me))
    profile = {"display_name": "Andrew", "bio": heard.new("bio")}
    _ok(http.put("/api/profile/update", json=profile, headers=me))
    key = {"Idempotency-Key": heard.new("key of a crud")}
    draft = {"message": heard.new("crud"), "ttl": "1-day"}
    crud = _ok(http.post("/api/activities", json=draft, headers=me | key))
    reply = {"message": heard.new("reply")}
    _ok(http.post(f"/api/activities/{crud['uuid']}/reply", json=reply, headers=me))
    message = {"message": heard.new("message"), "handle": "bayko"}
    _ok(http.post("/api/messages", json=message, headers=me))
    _ok(http.get("/api/messages/@andrewbrown", headers={"Authorization": f"Bearer {bayko}"}))
    term = {"term": heard.new("search term")}
    _ok(http.get("/api/activities/search", params=term, headers=me))
    _upload(http, heard, me)
    _change_passwords(service, heard, me)
    _knock(http, heard)


def _enter(service: Served, heard: Overheard, handle: str) -> str:
    """Open an account and a session, with some mistakes; return the access token."""
    http = service.http
    email = heard.keep(f"address of {handle}", f"{handle}.canary+k3x9@example.org")
    password = heard.new(f"password of {handle}")
    account = {"email": email, "password": password, "handle": handle, "display_name": handle}
    key = {"Idempotency-Key": heard.new(f"key of {handle}'s sign-up")}
    _ok(http.post("/api/auth/signup", json=account, headers=key))
    code = _code(service, heard, f"confirmation code of {handle}")
    wrong = heard.codes[f"wrong code of {handle}"] = "777888" if code != "777888" else "888777"
    assert http.post("/api/auth/confirm", json={"email": email, "code": wrong}).status_code == 422
    _ok(http.post("/api/auth/confirm", json={"email": email, "code": code}))
    _ok(http.post("/api/auth/signup", json={**account, "handle": f"{handle}_2"}))
    attempt = {"email": email, "password": heard.new(f"wrong password of {handle}")}
    assert http.post("/api/auth/signin", json=attempt).status_code == 401
    entry = http.post("/api/auth/signin", json={"email": email, "password": password})
    token = str(_ok(entry)["access_token"])
    for part, text in zip(("head", "claims", "signature"), token.split("."), strict=True):
        if part != "head":  # which is the same for all users
            heard.keep(f"{part} of {handle}'s token", text)
    first = heard.keep(f"first cookie of {handle}", http.cookies["cruddur_refresh"])
    _ok(http.post("/api/auth/refresh"))
    assert heard.keep(f"cookie of {handle}", http.cookies["cruddur_refresh"]) != first
    return token


def _code(service: Served, heard: Overheard, what: str) -> str:
    """The code that was sent last."""
    known = set(heard.codes.values())

    def found() -> list[str]:
        sent = [line["message"].rpartition(" ")[2] for line in service.logged(MAIL)]
        return [code for code in sent if code.isdigit() and code not in known]

    [code] = service.until(found)
    heard.codes[what] = code
    return str(code)


def _upload(http: httpx.Client, heard: Overheard, me: Mapping[str, str]) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (9, 9)).save(picture, "PNG")
    answer = _ok(http.post("/api/avatars/key_upload", json={"extension": "png"}, headers=me))
    path = urlsplit(answer["url"]).path
    token = heard.keep("upload token", path.rpartition("/")[2])
    _ok(http.put(path, content=picture.getvalue()))
    assert http.put(path, content=heard.new("broken picture")).status_code == 422
    # What a page, a proxy or a mistaken client makes of the same address.
    assert http.options(path, headers={"Origin": "http://localhost:3000"}).status_code == 200
    for method in ("GET", "POST", "DELETE"):
        assert http.request(method, path).status_code == 405
    for mistaken in (f"{path}/", f"/{path}", f"{path}.png", f"/avatars/{token}"):
        assert http.put(mistaken, content=b"").status_code in {403, 404}
    heard.keep("last part of the upload token", token.rpartition(".")[2])


def _change_passwords(service: Served, heard: Overheard, me: Mapping[str, str]) -> None:
    http = service.http
    email = heard.secrets["address of andrewbrown"]
    change = {
        "current_password": heard.secrets["password of andrewbrown"],
        "password": heard.new("second password"),
    }
    _ok(http.put("/api/auth/password", json=change, headers=me))
    _ok(http.post("/api/auth/forgot", json={"email": email}))
    code = _code(service, heard, "reset code")
    new = {"email": email, "code": code, "password": heard.new("third password")}
    _ok(http.post("/api/auth/reset", json=new))


def _knock(http: httpx.Client, heard: Overheard) -> None:
    """Wrong credentials, wrong paths, wrong bodies."""
    home, me = "/api/activities/home", "/api/auth/me"
    for what, header in (
        ("wrong bearer", "Bearer {}"),
        ("wrong scheme", "Basic {}"),
        ("bare authorization", "{}"),
        ("JWT of another", "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.{}"),
    ):
        value = header.format(heard.new(what))
        assert http.get(me, headers={"Authorization": value}).status_code == 401
        assert http.get(home, headers={"Authorization": value}).status_code == 200
        health = http.get("/api/health/telemetry", headers={"Authorization": value})
        assert health.status_code == 401
    cookie = f"cruddur_refresh={heard.new('wrong cookie')}; other={heard.new('other cookie')}"
    assert http.post("/api/auth/refresh", headers={"Cookie": cookie}).status_code == 401
    address = heard.keep("address in a path", "path.canary@example.org")
    for path in (f"/reset/{address}", f"/reset/{quote(address, safe='')}", f"/api/users/{address}"):
        assert http.get(path).status_code == 404
    for path in (f"/api/activities/@{address}", f"/api/avatars/{address}.jpg"):
        assert http.get(path).status_code == 404
    queries = {
        "token": heard.new("token in a query"),
        "code": heard.new("code in a query"),
        "email": heard.keep("address in a query", "query.canary@example.org"),
    }
    for path in ("/no/such/path", home, "/api/health-check"):
        http.get(path, params=queries)
    assert http.get(f"{home}?{heard.new('bare query')}").status_code == 200
    strange = heard.keep("address for a cursor", "cursor.canary@example.org")
    assert http.get(home, params={"cursor": strange}).status_code == 422
    baggage = {"baggage": f"user={heard.new('baggage')}"}
    assert http.get(home, headers=baggage).status_code == 200
    for body in (
        f'{{"message": "{heard.new("cut off body")}',
        json.dumps({"message": "x", "ttl": heard.new("senseless ttl")}),
        json.dumps({"message": [heard.new("list for a message")], "ttl": "1-day"}),
    ):
        http.post("/api/auth/signin", content=body, headers={"Content-Type": "application/json"})


# --- failures -------------------------------------------------------------------------------

BETRAYAL = """
CREATE FUNCTION betray() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'cannot keep % of %', NEW.message, NEW.uuid
        USING DETAIL = NEW.message, HINT = NEW.message;
END $$;
CREATE TRIGGER betray BEFORE INSERT ON activities FOR EACH ROW EXECUTE FUNCTION betray();
ALTER TABLE messages ADD CONSTRAINT fail CHECK (message = '') NOT VALID;
ALTER TABLE signups ADD CONSTRAINT fail CHECK (email = '') NOT VALID;
ALTER TABLE sessions ADD CONSTRAINT fail CHECK (device = '') NOT VALID;
ALTER TABLE activities ADD CONSTRAINT fail CHECK (message = '') NOT VALID;
"""


async def _fail(service: Served, heard: Overheard, conn: asyncpg.Connection) -> None:
    """Requests full of secrets whose statements fail, with errors that quote them."""
    http = service.http
    credentials = {
        "email": heard.secrets["address of andrewbrown"],
        "password": heard.secrets["third password"],
    }
    token = _ok(http.post("/api/auth/signin", json=credentials))["access_token"]
    heard.keep("signature of the last token", token.rpartition(".")[2])
    await conn.execute(BETRAYAL)
    headers = {
        "Authorization": f"Bearer {token}",
        "Idempotency-Key": heard.new("key of a failure"),
        "Referer": f"http://localhost:3000/reset?token={heard.new('token in a referer')}",
        "X-Api-Key": heard.new("API key"),
        "X-Auth-Token": heard.new("auth token"),
        "X-Session-Id": heard.new("session id"),
        "X-Requested-By": heard.new("any other header"),
        "Proxy-Authorization": f"Basic {heard.new('proxy authorization')}",
        "X-Forwarded-For": heard.new("forwarded address"),
        "Cookie": f"cruddur_refresh={heard.new('failing cookie')};a={heard.new('failing other')}",
    }
    query = {"token": heard.new("token of a failure"), "term": heard.new("term of a failure")}

    def fail(method: str, path: str, body: Any = None) -> None:
        response = http.request(method, path, json=body, params=query, headers=headers)
        assert response.status_code == 500, f"{path}: {response.text}"
        heard.failures.append(response.headers["traceresponse"].split("-")[1])

    odd = heard.keep("odd crud", 'canary-ödd “k3x9” \\ "quoted"\nand <more>')
    heard.keep("beginning of the odd crud", "canary-ödd")
    for text in (heard.new("failing crud"), odd):
        fail("POST", "/api/activities", {"message": text, "ttl": "1-day"})
    fail("POST", "/api/messages", {"message": heard.new("failing message"), "handle": "bayko"})
    account = {
        "email": heard.keep("failing address", "failing.canary@example.org"),
        "password": heard.new("failing password"),
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


def test_S9_every_sink_has_received_every_failure(overheard: Overheard) -> None:
    """Otherwise there would be nothing to find."""
    assert overheard.stopped is not None
    assert overheard.stopped.code == 0
    assert len(set(overheard.failures)) == 6
    for trace in overheard.failures:
        assert bytes.fromhex(trace) in overheard.exports["Honeycomb"]
        for sink in ("Rollbar", "CloudWatch"):
            assert trace.encode() in overheard.exports[sink]
        assert f"1-{trace[:8]}-{trace[8:]}".encode() in overheard.exports["X-Ray"]
    for sink in ("Honeycomb", "Rollbar", "CloudWatch", "X-Ray"):
        assert b"cannot keep" in overheard.exports[sink]
        assert b"[redacted]" in overheard.exports[sink]


@pytest.mark.parametrize("sink", ["Honeycomb", "Rollbar", "X-Ray", "CloudWatch"])
def test_S9_no_secret_is_in_any_byte_that_is_exported(overheard: Overheard, sink: str) -> None:
    data = overheard.exports[sink]
    data += overheard.headers.get(sink, b"")
    leaks = _found(overheard.secrets, data) + _standing_alone(overheard.codes, data)
    assert not leaks, _told(leaks)


def test_S9_the_log_contains_only_the_documented_codes_and_no_other_secret(
    overheard: Overheard,
) -> None:
    others = [line for line in overheard.lines if line["logger"] != MAIL]
    said = "\n".join(json.dumps(line, ensure_ascii=False) for line in others).encode()
    leaks = _found(overheard.secrets, said) + _standing_alone(overheard.codes, said)
    assert not leaks, _told(leaks)
    mail = [line["message"] for line in overheard.lines if line["logger"] == MAIL]
    addresses = {what: s for what, s in overheard.secrets.items() if what.startswith("address")}
    private = {what: s for what, s in overheard.secrets.items() if what not in addresses}
    assert _found(private, "\n".join(mail).encode()) == []


def test_S9_each_sinks_key_opens_that_sink_alone(overheard: Overheard) -> None:
    keys = {
        "Honeycomb": HONEYCOMB_KEY,
        "Rollbar": ROLLBAR_TOKEN,
        "operator": OPERATOR_TOKEN,
        "AWS": AWS_SECRET,
    }
    for data in overheard.exports.values():
        assert _found(keys, data) == []
    for sink, data in overheard.headers.items():
        assert [what for what, _ in _found(keys, data)] == [sink]
    said = "\n".join(json.dumps(line) for line in overheard.lines).encode()
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
