"""Whatever the environment holds, the service starts, or names the variable in one line."""

import asyncio
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from cruddur.settings import Settings, SettingsError
from cruddur.settings.database_url import database_name, describe_server, server_addresses
from cruddur.settings.proxies import proxy_for
from fakes.cognito import FakeCognito
from fakes.otlp import OtlpSink
from patience import PATIENCE
from processes import Serve, cruddur

NOBODY = "http://127.0.0.1:9"  # the discard port: a call through this proxy fails

STARTS = [
    {"NO_PROXY": "fd07::/64", "HTTPS_PROXY": NOBODY, "OTEL_PROPAGATORS": "none"},
    {
        "NO_PROXY": "[fd07::1]:80, .example , é.com,[::1],*.x,,10.0.0.0/8 h:80",
        "ALL_PROXY": NOBODY,
        "OTEL_PROPAGATORS": "xray,b3",
        "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "64",
    },
    {
        "ALL_PROXY": "socks5://127.0.0.1:9",
        "https_proxy": "socks5h://127.0.0.1:9",
        "HOME": "/nonexistent",
        "TMPDIR": "/nonexistent",
        "TZ": "nowhere",
        "LC_ALL": "tlh_KX",
    },
    {
        "HTTP_PROXY": "http://[::1",
        "HTTPS_PROXY": "nonsense://",
        "ALL_PROXY": "http://x:abc",
        "PYTHONIOENCODING": "ascii",
        "PYTHONUTF8": "0",
        "LC_ALL": "C",
        "PYTHONOPTIMIZE": "2",
    },
    {
        "OTEL_METRICS_EXEMPLAR_FILTER": "",
        "OTEL_PROPAGATORS": "",
        "OTEL_ATTRIBUTE_COUNT_LIMIT": "",
        "SSL_CERT_FILE": "",
        "SSL_CERT_DIR": "",
        "ALL_PROXY": "",
    },
]


@pytest.mark.parametrize("environment", STARTS, ids=lambda one: next(iter(one)))
def test_hardening_22_the_service_starts(
    serve: Serve, dsn: str, environment: dict[str, str]
) -> None:
    running = serve(
        CONNECTION_URL=f"{dsn}&connect_timeout=10&channel_binding=prefer&keepalives=1",
        OTEL_EXPORTER_OTLP_ENDPOINT=NOBODY,
        OTEL_TRACES_SAMPLER="always_off",
        OTEL_METRICS_EXPORTER="none",
        **environment,
    ).wait()
    assert running.stop() == 0
    assert "Traceback" not in running.log.read_text()


STOPS = [
    ("OTEL_PROPAGATORS", "jaeger"),
    ("OTEL_PROPAGATORS", "tracecontext,nonsense"),
    ("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "abc"),
    ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "-1"),
    ("OTEL_METRICS_EXEMPLAR_FILTER", "sometimes"),
    ("OTEL_EXPERIMENTAL_RESOURCE_DETECTORS", "nonsense"),
    ("OTEL_PYTHON_EXPORTER_OTLP_HTTP_TRACES_CREDENTIAL_PROVIDER", "nonsense"),
    ("OTEL_EXPORTER_OTLP_HEADERS", "no-value"),
    ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "name=two%0d%0alines"),
    ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/nonexistent"),
    ("OTEL_EXPORTER_OTLP_METRICS_CLIENT_KEY", "/nonexistent"),
    ("OTEL_EXPORTER_OTLP_LOGS_PROTOCOL", "grpc"),
    ("OTEL_PYTHON_EXCLUDED_URLS", "["),
    ("OTEL_SERVICE_NAME", "\udcff"),
    ("SSL_CERT_FILE", "/nonexistent"),
    ("SSL_CERT_FILE", "/etc/hostname"),
    ("SSL_CERT_DIR", "/nonexistent"),
    ("SSLKEYLOGFILE", "/nonexistent/keys"),
    ("AWS_XRAY_DAEMON_ADDRESS", "127.0.0.1:99999"),
    ("HONEYCOMB_API_KEY", "two\nlines"),
    ("PGPORT", "abc"),
    ("PGSSLMODE", "x"),
    ("PGTARGETSESSIONATTRS", "x"),
    ("WEB_CONCURRENCY", "auto"),
    ("PORT", "tcp://10.0.0.1:80"),
]


@pytest.mark.parametrize(("variable", "value"), STOPS)
def test_hardening_22_the_service_stops_with_one_line(
    data: Path, variable: str, value: str
) -> None:
    response = cruddur(data, "serve", **{variable: value})
    assert response.returncode == 1
    [line] = response.stderr.splitlines()
    assert line.startswith(f"cruddur: {variable}")
    assert not data.exists()


@pytest.mark.parametrize(
    "environment",
    [
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector.example:4318"},
        {"AWS_COGNITO_USER_POOL_ID": "us-east-1_x", "AWS_COGNITO_USER_POOL_CLIENT_ID": "x"},
        {"ROLLBAR_ACCESS_TOKEN": "x"},
        {"CRUDDUR_CLOUDWATCH_LOG_GROUP": "x"},
        {"CRUDDUR_XRAY_EXPORTER": "otlp"},
    ],
    ids=lambda one: next(iter(one)),
)
def test_hardening_22_a_proxy_that_is_needed_and_cannot_be_used_is_named(
    environment: dict[str, str],
) -> None:
    with pytest.raises(SettingsError, match=r"^ALL_PROXY is not http://"):
        Settings.from_env({**environment, "ALL_PROXY": "socks5://127.0.0.1:9"})
    Settings.from_env({**environment, "ALL_PROXY": "socks5://127.0.0.1:9", "NO_PROXY": "*"})


@pytest.mark.parametrize(
    ("url", "no_proxy", "proxied"),
    [
        ("https://api.example", "", True),
        ("https://api.example", "example", False),
        ("https://api.example", ".example", False),
        ("https://api.example", "*.example", False),
        ("https://api.example", "pi.example", True),
        ("https://api.example:8443", "api.example:8443", False),
        ("https://api.example", "api.example:8443", True),
        ("https://10.1.2.3", "10.0.0.0/8", False),
        ("https://10.1.2.3", "10.1.2.30", True),
        ("https://[fd07::5]", "other, fd07::/64", False),
        ("https://[fd08::5]", "fd07::/64", True),
        ("https://[fd07::5]:80", "[fd07::5]:80", False),
        ("https://127.0.0.5", "", False),
        ("http://localhost:4318", "", False),
        ("https://[::1]:4318", "", False),
    ],
)
def test_hardening_22_no_proxy_is_read_in_every_form(
    url: str, no_proxy: str, proxied: bool
) -> None:
    environ = {"ALL_PROXY": "proxy.example:3128", "NO_PROXY": no_proxy}
    assert proxy_for(url, environ) == ("http://proxy.example:3128" if proxied else None)


def test_hardening_22_a_working_directory_that_was_removed_is_one_line(tmp_path: Path) -> None:
    folder = tmp_path / "removed"
    folder.mkdir()
    response = subprocess.run(
        ["sh", "-c", 'rmdir "$PWD" && exec "$0" -P -m cruddur migrate', sys.executable],
        cwd=folder,
        env={},
        capture_output=True,
        text=True,
        check=False,
    )
    assert response.returncode == 1
    [line] = response.stderr.splitlines()
    assert ".local/postgres cannot hold the database" in line


def test_hardening_22_loopback_never_goes_through_a_proxy(
    serve: Serve, dsn: str, build: Path
) -> None:
    with OtlpSink() as sink, OtlpSink() as proxy:
        proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy"), proxy.url)
        running = serve(
            CONNECTION_URL=dsn,
            OTEL_EXPORTER_OTLP_ENDPOINT=sink.url.replace("127.0.0.1", "localhost"),
            OTEL_EXPORTER_OTLP_LOGS_ENDPOINT=f"{sink.url}/v1/logs",
            OTEL_LOGS_EXPORTER="otlp",
            ROLLBAR_ACCESS_TOKEN="x",
            ROLLBAR_ENDPOINT=sink.url,
            CRUDDUR_ROLLBAR_TEST="on",
            NO_PROXY="fd07::/64",
            **proxies,
        ).wait()
        httpx.get(f"{running.url}/rollbar/test").raise_for_status()
        assert running.stop() == 0
        assert proxy.requests == []
        paths = {request.path for request in sink.requests}
        assert {"/v1/traces", "/v1/metrics", "/v1/logs", "/item/"} <= paths


async def test_hardening_22_cognito_on_loopback_is_called_without_the_proxy(
    serve: Serve, dsn: str
) -> None:
    pool = FakeCognito()
    await pool.start()
    try:
        running = serve(
            CONNECTION_URL=dsn,
            AWS_COGNITO_ENDPOINT_URL=pool.url,
            AWS_COGNITO_USER_POOL_ID=pool.pool_id,
            AWS_COGNITO_USER_POOL_CLIENT_ID=pool.client_id,
            HTTP_PROXY=NOBODY,
            ALL_PROXY="socks5://127.0.0.1:9",
        )
        async with asyncio.timeout(PATIENCE), httpx.AsyncClient(trust_env=False) as client:
            while True:
                try:
                    response = await client.post(
                        f"{running.url}/api/auth/signin",
                        json={"email": "worf@example.com", "password": "today-is-a-good-day"},
                    )
                    break
                except httpx.TransportError:
                    assert running.process.poll() is None, running.log.read_text()
                    await asyncio.sleep(0.05)
    finally:
        await pool.stop()
    assert response.json() == ["credentials_invalid"]


SAME = [
    ("postgresql://u:p@h/db", "postgresql://u:p@h/db"),
    ("postgres://h", "postgresql://h"),
    ("postgresql://u:p@ss@h:1/db", "postgresql://u:p%40ss@h:1/db"),
    ("postgresql://u:p#s?[é%]@h/db", "postgresql://u:p%23s%3F%5B%C3%A9%25%5D@h/db"),
    ("postgresql://u:%2F%40@h/d%20b", "postgresql://u:%2F%40@h/d%20b"),
    ("postgresql://h/db?connect_timeout=3&channel_binding=prefer&sslsni=1", "postgresql://h/db"),
    ("postgresql://h/db?ssl=true", "postgresql://h/db?sslmode=require"),
    ("postgresql://h/db?options=-c%20a%3Db+c", "postgresql://h/db?options=-c%20a%3Db%2Bc"),
    ("postgresql://h1:1,h2:2/db?target_session_attrs=any",) * 2,
    ("postgresql:///db?host=/run/postgresql",) * 2,
]


@pytest.mark.parametrize(("url", "expected"), SAME)
def test_hardening_22_connection_url_is_read_as_libpq_does(url: str, expected: str) -> None:
    found = Settings.from_env({"CONNECTION_URL": url}).connection_url
    assert found == expected
    assert Settings.from_env({"CONNECTION_URL": found}).connection_url == found


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("postgresql://u:secret/x@h/db", "%2F"),
        ("postgresql://u:1/secret@h/db", "%2F"),
        ("postgresql://h/db?channel_binding=require", "channel_binding=require"),
        ("postgresql://h/db?gssencmode=require", "gssencmode=require"),
        ("postgresql://h/db?requirepeer=secret", "requirepeer"),
        ("postgresql://h/db?hostaddr=10.0.0.1", "hostaddr"),
        ("postgresql://h/db?sslmode=maybe", "sslmode"),
        ("postgresql://h/db?sslrootcert=/nonexistent", "sslrootcert"),
        ("postgresql://h/db?sslrootcert=system&sslmode=require", "verify-full"),
        ("postgresql://h/db?connect_timeout", "connect_timeout"),
        ("postgresql://h:99999/db", "port"),
        ("postgresql://h:0/db", "port"),
        ("postgresql://[::1/db", "host"),
        ("postgresql://a,,b/db", "host"),
        ("postgresql:///db?port=x", "port"),
        ("host=h dbname=db", "postgresql://"),
        ("postgresql+asyncpg://h/db", "postgresql://"),
        ("\udcff", "UTF-8"),
    ],
)
def test_hardening_22_a_connection_url_that_cannot_be_used_is_named(url: str, named: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        Settings.from_env({"CONNECTION_URL": url})
    message = str(refusal.value)
    assert message.startswith("CONNECTION_URL ")
    assert named in message
    assert "secret" not in message.replace("requirepeer=secret", "")
    assert "\n" not in message


@pytest.mark.parametrize("parameter", ["nonsense=1", "TimeZone=Mars", "statement_timeout=x"])
def test_hardening_22_what_the_server_refuses_is_one_line(
    data: Path, dsn: str, parameter: str
) -> None:
    for command in ("serve", "migrate"):
        response = cruddur(data, command, CONNECTION_URL=f"{dsn}&{parameter}")
        assert response.returncode == 1
        [line] = response.stderr.splitlines()
        assert "CONNECTION_URL" in line
        assert parameter.partition("=")[0] in line


def test_hardening_22_a_service_file_names_the_server(data: Path, dsn: str, tmp_path: Path) -> None:
    folder = dsn.partition("host=")[2]
    service = tmp_path / "services"
    service.write_text(f"[here]\nhost={folder}\nuser=postgres\ndbname={database_name(dsn)}\n")
    for name, code in (("here", 0), ("elsewhere", 1)):
        response = cruddur(
            data,
            "migrate",
            CONNECTION_URL=f"postgresql:///?service={name}",
            PGSERVICEFILE=str(service),
        )
        assert response.returncode == code, response.stderr
        assert len(response.stderr.splitlines()) == code


@pytest.mark.parametrize(
    ("url", "addresses", "described"),
    [
        ("postgresql://u:p@h/db", [("h", 5432)], "h:5432"),
        ("postgresql://[::1]:1/db", [("::1", 1)], "[::1]:1"),
        ("postgresql://a:1,b/db", [("a", 1), ("b", 5432)], "a:1, b:5432"),
        ("postgresql:///db?host=a,b&port=1,2", [("a", 1), ("b", 2)], "a:1, b:2"),
        ("postgresql:///db?host=/run/x", [("/run/x", 5432)], "the socket in /run/x"),
        ("postgresql:///db?service=x", [], "the local server"),
    ],
)
def test_hardening_22_the_server_is_described(
    url: str, addresses: list[tuple[str, int]], described: str
) -> None:
    assert server_addresses(url) == addresses
    assert describe_server(url) == described
    assert database_name(url) == "db"
