"""`cruddur doctor` names each mistake and says what to do, and prints no secret."""

import json
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from cruddur.cli.main import main
from cruddur.doctor import addresses
from fakes.aws import FakeAws
from fakes.aws import environment as aws_environment
from fakes.honeycomb import FakeHoneycomb
from fakes.rollbar import FakeRollbar
from fakes.sink import Received, Response, Sink
from fakes.xray_daemon import FakeXRayDaemon
from processes import cruddur, environment_of
from support import free_port

KEY = "hcaik_01hqk4k20cjeh63wca8vva5stw70nft6m5n8wr8f5mjx3762s8269j50wc"
TOKEN = "a1b2c3d4e5f60718293a4b5c6d7e8f90"
PASSWORD = "correct-horse-battery"

Findings = list[dict[str, str]]


class DenyingAws(Sink):
    """AWS, for a user without permissions."""

    def respond(self, _: Received) -> Response:
        message = "User: arn:aws:iam::123456789012:user/andrew is not authorized"
        body = {"__type": "AccessDeniedException", "message": message}
        return Response(400, json.dumps(body).encode(), "application/x-amz-json-1.1")


class DaemonWithoutCredentials(Sink):
    """The TCP side of an X-Ray daemon, which forwards unsigned requests."""

    def respond(self, _: Received) -> Response:
        return Response(403, b'{"message": "Missing Authentication Token"}')


@dataclass
class Surroundings:
    """The services around the doctor."""

    honeycomb: FakeHoneycomb = field(default_factory=lambda: FakeHoneycomb(KEY))
    rollbar: FakeRollbar = field(default_factory=lambda: FakeRollbar(TOKEN))
    daemon: FakeXRayDaemon = field(default_factory=FakeXRayDaemon)
    unsigned_daemon: Sink = field(default_factory=DaemonWithoutCredentials)
    signed_daemon: Sink = field(default_factory=Sink)
    denying_aws: Sink = field(default_factory=DenyingAws)
    late: Sink = field(default_factory=Sink)
    closed_port: int = 0
    used_port: int = 0

    def daemon_address(self, proxy: Sink) -> str:
        return f"tcp:{proxy.url.removeprefix('http://')} udp:{self.daemon.address}"


@pytest.fixture(scope="module")
def around() -> Iterator[Surroundings]:
    made = Surroundings()
    made.late.clock_ahead = 480
    with ExitStack() as stack:
        for service in vars(made).values():
            if not isinstance(service, int):
                stack.enter_context(service)
        for name in ("closed_port", "used_port"):
            held = stack.enter_context(socket.socket())
            held.bind(("127.0.0.1", 0))
            setattr(made, name, held.getsockname()[1])
            if name == "used_port":
                held.listen()
        yield made


def examine(data: Path, code: int | None = None, **environment: str) -> Findings:
    response = cruddur(data, "doctor", "--json", **environment)
    assert response.stderr == ""
    findings: Findings = json.loads(response.stdout)
    has_fault = any(one["outcome"] == "fault" for one in findings)
    assert response.returncode == has_fault
    assert code in {None, response.returncode}, findings
    return findings


def find(findings: Findings, check: str) -> dict[str, str]:
    [finding] = [one for one in findings if one["check"] == check]
    return finding


Mistake = tuple[str, Callable[[Surroundings], dict[str, str]], str, str, str, str]

MISTAKES: list[Mistake] = [
    (
        "the key was exported in another shell",
        lambda _: {},
        *("Honeycomb", "not configured"),
        "HONEYCOMB_API_KEY is not set in this process",
        "export HONEYCOMB_API_KEY=",
    ),
    (
        "the key has the quotation marks of a file",
        lambda one: {"HONEYCOMB_API_KEY": f'"{KEY}"', "HONEYCOMB_API_ENDPOINT": one.honeycomb.url},
        *("variables", "fault"),
        "HONEYCOMB_API_KEY has quotation marks",
        "without quotation marks",
    ),
    (
        "the key was empty where a header inserts it",
        lambda one: {
            "OTEL_EXPORTER_OTLP_ENDPOINT": one.honeycomb.url,
            "OTEL_EXPORTER_OTLP_HEADERS": "x-honeycomb-team=",
        },
        *("variables", "fault"),
        "OTEL_EXPORTER_OTLP_HEADERS has x-honeycomb-team without a value",
        "exported before",
    ),
    (
        "the variable is misspelled",
        lambda _: {"HONEYCOMB_APIKEY": KEY},
        *("variables", "warning"),
        "HONEYCOMB_APIKEY has no effect",
        "Set HONEYCOMB_API_KEY instead",
    ),
    (
        "the key is that of another team",
        lambda one: {
            "HONEYCOMB_API_KEY": "wrong-key-123",
            "HONEYCOMB_API_ENDPOINT": one.honeycomb.url,
        },
        *("Honeycomb", "fault"),
        "401",
        "an ingest key of the right environment",
    ),
    (
        "the endpoint has the path of a signal",
        lambda one: {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"{one.honeycomb.url}/v1/traces",
            "HONEYCOMB_API_KEY": KEY,
        },
        *("settings", "fault"),
        "ends with /v1/traces",
        "Set the base URL",
    ),
    (
        "the X-Ray daemon does not run",
        lambda one: {"AWS_XRAY_DAEMON_ADDRESS": f"127.0.0.1:{one.closed_port}"},
        *("X-Ray", "fault"),
        "no daemon answers at 127.0.0.1",
        "Start the daemon",
    ),
    (
        "the X-Ray daemon has no credentials",
        lambda one: {"AWS_XRAY_DAEMON_ADDRESS": one.daemon_address(one.unsigned_daemon)},
        *("X-Ray", "fault"),
        "X-Ray answers it with HTTP 403",
        "AWSXRayDaemonWriteAccess",
    ),
    (
        "the Rollbar token is wrong",
        lambda one: {
            "ROLLBAR_ACCESS_TOKEN": "wrong-token-1",
            "ROLLBAR_ENDPOINT": one.rollbar.endpoint,
        },
        *("Rollbar", "fault"),
        "HTTP 403",
        "post_server_item",
    ),
    (
        "the region is in AWS_REGION",
        lambda one: {
            **aws_environment(one.denying_aws.url),
            "AWS_DEFAULT_REGION": "",
            "AWS_REGION": "ca-central-1",
            "CRUDDUR_CLOUDWATCH_LOG_GROUP": "cruddur",
        },
        *("CloudWatch", "fault"),
        "not authorized",
        "Set AWS_DEFAULT_REGION",
    ),
    (
        "the user may not write to CloudWatch",
        lambda one: {
            **aws_environment(one.denying_aws.url),
            "CRUDDUR_CLOUDWATCH_LOG_GROUP": "cruddur",
        },
        *("CloudWatch", "fault"),
        "not authorized",
        "logs:PutLogEvents",
    ),
    (
        "no mail server listens",
        lambda one: {"SMTP_URL": f"smtp://cruddur:{PASSWORD}@127.0.0.1:{one.closed_port}"},
        *("mail", "fault"),
        "the mail server cannot be used",
        "Check host and port in SMTP_URL",
    ),
    (
        "no database listens",
        lambda one: {
            "CONNECTION_URL": f"postgresql://cruddur:{PASSWORD}@127.0.0.1:{one.closed_port}/cruddur"
        },
        *("database", "fault"),
        "127.0.0.1",
        "in CONNECTION_URL",
    ),
    (
        "another program has the port",
        lambda one: {"PORT": str(one.used_port)},
        *("port", "fault"),
        "cannot serve on 127.0.0.1",
        "choose another port: PORT=",
    ),
    (
        "the clock is wrong",
        lambda one: {"OTEL_EXPORTER_OTLP_ENDPOINT": one.late.url},
        *("clock", "fault"),
        "s behind that of 127.0.0.1",
        "Synchronize it",
    ),
    (
        "a setting is invalid",
        lambda _: {"CRUDDUR_STREAMS": "many"},
        *("settings", "fault"),
        "CRUDDUR_STREAMS is not of type int",
        "Correct it",
    ),
]


@pytest.mark.parametrize(
    ("set_up", "check", "outcome", "message", "advice"),
    [mistake[1:] for mistake in MISTAKES],
    ids=[mistake[0] for mistake in MISTAKES],
)
def test_a_mistake_gets_the_right_answer(
    data: Path,
    around: Surroundings,
    set_up: Callable[[Surroundings], dict[str, str]],
    check: str,
    outcome: str,
    message: str,
    advice: str,
) -> None:
    finding = find(examine(data, **set_up(around)), check)
    assert finding["outcome"] == outcome
    assert message in finding["message"]
    assert advice in finding["advice"]


async def test_the_database_is_named_with_its_fault(dsn: str, data: Path, database: Any) -> None:
    finding = find(examine(data, CONNECTION_URL=dsn), "database")
    assert finding["outcome"] == "ok"
    assert finding["message"].startswith("PostgreSQL 18")
    parts = urlsplit(dsn)
    name = f"{parts.path[1:]}_latin"
    await database.execute(
        f"CREATE DATABASE {name} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0"
    )
    try:
        findings = examine(data, CONNECTION_URL=parts._replace(path=f"/{name}").geturl())
    finally:
        await database.execute(f"DROP DATABASE {name}")
    encoding, migrations = [one for one in findings if one["check"] == "database"]
    assert "has the encoding LATIN1" in encoding["message"]
    assert "ENCODING 'UTF8'" in encoding["advice"]
    assert migrations["advice"] == "Run `cruddur migrate`."


def test_what_docker_does_not_pass_on_is_named(data: Path, tmp_path: Path) -> None:
    lines = ("# keys", f"export ROLLBAR_ACCESS_TOKEN={TOKEN}", "SMTP_URL=", "OTHER=1")
    (tmp_path / ".env").write_text("\n".join(lines))
    response = subprocess.run(
        [sys.executable, "-m", "cruddur", "doctor"],
        cwd=tmp_path,
        env=environment_of(data, KUBERNETES_SERVICE_HOST="10.0.0.1"),  # in a container
        capture_output=True,
        text=True,
        check=True,
    )
    assert ".env sets ROLLBAR_ACCESS_TOKEN, but this process has no value" in response.stdout
    assert "Create the container again" in response.stdout
    assert TOKEN not in response.stdout


def test_a_page_that_is_not_built_is_named(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "frontend-react-js").mkdir()
    monkeypatch.setattr(addresses, "CLONE", tmp_path)
    monkeypatch.setenv("CRUDDUR_DATA_DIRECTORY", str(data))
    monkeypatch.setenv("PORT", str(free_port()))
    with pytest.raises(SystemExit):
        main(["doctor"])
    assert "the page is not built" in capsys.readouterr().out


def test_a_sound_environment_has_no_fault_and_shows_where_to_look(
    data: Path, around: Surroundings
) -> None:
    with FakeAws() as aws:
        findings = examine(
            data,
            0,
            HONEYCOMB_API_KEY=KEY,
            HONEYCOMB_API_ENDPOINT=around.honeycomb.url,
            OTEL_LOGS_EXPORTER="otlp",
            ROLLBAR_ACCESS_TOKEN=TOKEN,
            ROLLBAR_ENDPOINT=around.rollbar.endpoint,
            AWS_XRAY_DAEMON_ADDRESS=around.daemon_address(around.signed_daemon),
            CRUDDUR_CLOUDWATCH_LOG_GROUP="cruddur/week 2",
            **aws_environment(aws.url),
        )
    [span] = [one for one in around.honeycomb.spans if one.name == "doctor"]
    honeycomb = find(findings, "Honeycomb")
    assert honeycomb["message"] == (
        "it accepted a span of the team cruddur-team, environment bootcamp"
    )
    assert honeycomb["url"] == (
        "https://ui.honeycomb.io/cruddur-team/environments/bootcamp/datasets/cruddur/trace"
        f"?trace_id={span.trace_id}"
    )
    assert [line.body for line in around.honeycomb.logs] == [
        "cruddur doctor checks that this arrives"
    ]
    [item] = around.rollbar.items
    assert find(findings, "Rollbar")["url"].endswith(item["uuid"])
    assert item["custom"]["trace_id"] == span.trace_id
    assert find(findings, "X-Ray")["outcome"] == "ok"
    [document] = [one for one in around.daemon.documents if span.trace_id[8:] in one["trace_id"]]
    assert find(findings, "X-Ray")["url"].endswith(document["trace_id"])
    assert find(findings, "CloudWatch")["outcome"] == "ok"
    assert find(findings, "CloudWatch")["url"].endswith("cruddur$252Fweek$25202")
    assert find(findings, "clock")["outcome"] == "ok"


def test_services_that_do_not_answer_are_faults(data: Path, around: Surroundings) -> None:
    silent = f"127.0.0.1:{around.used_port}"  # it accepts connections
    findings = examine(
        data,
        1,
        HONEYCOMB_API_KEY=KEY,
        HONEYCOMB_API_ENDPOINT=f"http://{silent}",
        ROLLBAR_ACCESS_TOKEN=TOKEN,
        ROLLBAR_ENDPOINT=f"http://{silent}/api/1/",
        AWS_XRAY_DAEMON_ADDRESS=silent,
        SMTP_URL=f"smtp://{silent}",
        CONNECTION_URL=f"postgresql://{silent}/cruddur",
    )
    for check in ("Honeycomb", "Rollbar", "X-Ray", "mail", "database"):
        assert find(findings, check)["outcome"] == "fault"
    assert "there is no answer" in find(findings, "Honeycomb")["message"]
    assert find(findings, "clock")["outcome"] == "warning"


def test_no_secret_is_printed(data: Path, around: Surroundings) -> None:
    headers = {"OTEL_EXPORTER_OTLP_HEADERS": f"authorization=Basic%20{PASSWORD}"}
    response = cruddur(
        data,
        "doctor",
        CONNECTION_URL=f"postgresql://cruddur:{PASSWORD}@127.0.0.1:{around.closed_port}/{TOKEN}",
        SMTP_URL=f"smtp://cruddur:{PASSWORD}@127.0.0.1:{around.closed_port}",
        ROLLBAR_ACCESS_TOKEN=TOKEN,
        ROLLBAR_ENDPOINT=f"http://127.0.0.1:{around.closed_port}/{TOKEN}/",
        HONEYCOMB_API_KEY=KEY,
        HONEYCOMB_API_ENDPOINT=f"http://127.0.0.1:{around.closed_port}/{KEY}",
        **headers,
    )
    assert response.returncode == 1
    assert "(secret)" in response.stdout  # the addresses above have them
    for secret in (KEY, TOKEN, PASSWORD):
        assert secret not in response.stdout + response.stderr
