"""`cruddur serve` as a user runs it: a process, its own PostgreSQL, a port, Ctrl-C."""

import re
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import httpx
import pytest

from cruddur.services.seed import PASSWORD
from processes import START_SECONDS, STOP_SECONDS, Running, Serve, cruddur, services
from support import BUILD, free_port


def _sign_in(url: str) -> dict[str, str]:
    response = httpx.post(
        f"{url}/api/auth/signin", json={"email": "andrewbrown", "password": PASSWORD}
    )
    assert response.status_code == 200, response.text
    return {"Authorization": f"Bearer {response.json()['access_token']}"}


def _messages(url: str) -> list[str]:
    return [crud["message"] for crud in httpx.get(f"{url}/api/activities/home").json()]


@pytest.fixture(scope="module")
def embedded(
    tmp_path_factory: pytest.TempPathFactory, prepare: Callable[[Path], None]
) -> Iterator[tuple[Running, Path]]:
    """A service with its own PostgreSQL, for tests that do not stop it; and its data directory."""
    folder = tmp_path_factory.mktemp("embedded")
    prepare(folder / "data")
    with services(folder, folder / "data") as serve:
        yield serve().wait(), folder / "data"


def _modes(folders: Iterable[Path]) -> list[int]:
    return [folder.stat().st_mode for folder in folders]


def test_serve_seeds_an_empty_database_and_keeps_its_data(serve: Serve, data: Path) -> None:
    before = _modes(data.parents)
    first = serve(LOG_FORMAT="text", may_fork=False).wait()
    assert _modes(data.parents) == before, "the parent folders of the data stay private"
    assert stat.S_IMODE((data / "postgres" / "data").stat().st_mode) == 0o700
    assert set(_messages(first.url)) == {
        "This was imported as seed data!",
        "I am the other! #cruddur",
    }
    posted = httpx.post(
        f"{first.url}/api/activities",
        json={"message": "still here?", "ttl": "1-hour"},
        headers=_sign_in(first.url),
    )
    assert posted.status_code == 200
    assert first.stop() == 0
    summary = first.log.read_text()
    for part in (
        f"Cruddur    http://localhost:{first.port}/docs",
        "embedded PostgreSQL",
        "local accounts",
    ):
        assert part in summary
    for part in ("Telemetry", "Ctrl-C", PASSWORD):
        assert part in summary
    assert "Traceback" not in summary

    again = serve().wait()
    assert _messages(again.url)[0] == "still here?"
    assert len(_messages(again.url)) == 3, "an existing database must not be seeded again"
    assert again.stop(signal.SIGTERM) == 0
    assert PASSWORD not in again.log.read_text()


def test_a_second_server_prints_one_clear_line(embedded: tuple[Running, Path]) -> None:
    first, data = embedded
    for port in (free_port(), first.port):
        second = cruddur(data, "serve", PORT=str(port))
        assert second.returncode == 1
        assert re.fullmatch(
            rf"cruddur: Cruddur is already running .*{first.process.pid}.*\n", second.stderr
        )
        assert httpx.get(f"{first.url}/api/ready").status_code == 200


def test_other_commands_work_while_a_server_runs(embedded: tuple[Running, Path]) -> None:
    _, data = embedded
    assert cruddur(data, "migrate").stdout == "up to date\n"
    assert cruddur(data, "seed").stdout == "not empty: nothing was added\n"
    assert cruddur(data, "sweep").stdout == "removed 0\n"


def test_a_server_restarts_without_data_loss_after_a_kill(
    serve: Serve, prepared_data: Path
) -> None:
    first = serve().wait()
    httpx.post(
        f"{first.url}/api/activities",
        json={"message": "committed", "ttl": "1-hour"},
        headers=_sign_in(first.url),
    ).raise_for_status()
    first.stop(signal.SIGKILL)
    again = serve().wait()
    assert _messages(again.url)[0] == "committed"
    assert again.stop() == 0
    assert not (prepared_data / "postgres" / "data" / "postmaster.pid").exists()


@pytest.mark.usefixtures("prepared_data")
def test_several_workers_stop_before_the_database_does(serve: Serve) -> None:
    running = serve("--workers", "2").wait()
    for _ in range(10):
        assert httpx.get(f"{running.url}/api/activities/home").status_code == 200
    with socket.create_connection(("127.0.0.1", running.port)) as slow:
        slow.sendall(b"POST /api/auth/forgot HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{")
        httpx.get(f"{running.url}/api/ready")
        assert running.stop(signal.SIGTERM) == 0
    assert "shutting down" not in running.log.read_text()
    assert "Traceback" not in running.log.read_text()


def test_several_workers_serve_the_front_end(serve: Serve, dsn: str, build: Path) -> None:
    running = serve(
        CONNECTION_URL=dsn,
        WEB_CONCURRENCY="2",
        LOG_FORMAT="text",
        CRUDDUR_FRONTEND_DIRECTORY=str(build),
    ).wait()
    for _ in range(10):
        for path in ("/", "/about"):
            assert httpx.get(f"{running.url}{path}").text == BUILD["index.html"]
    head = httpx.head(f"{running.url}/icon.svg")
    assert (head.status_code, head.content) == (200, b"")
    assert httpx.get(f"{running.url}/api/activities/home").status_code == 200
    assert running.stop() == 0
    cruddur, api, *_ = running.log.read_text().splitlines()
    assert cruddur == f"Cruddur    http://localhost:{running.port}/"
    assert api == f"API        http://localhost:{running.port}/docs"


def test_the_workers_of_a_killed_server_release_the_port(serve: Serve, dsn: str) -> None:
    running = serve("--workers", "2", CONNECTION_URL=dsn).wait()
    running.stop(signal.SIGKILL)
    deadline = time.monotonic() + STOP_SECONDS
    while time.monotonic() < deadline:
        try:
            httpx.get(f"{running.url}/api/health-check")
        except httpx.TransportError:
            break
        time.sleep(0.05)
    else:
        raise AssertionError("a process still listens on the port")
    socket.create_server(("127.0.0.1", running.port)).close()


def test_a_stale_pid_file_with_a_foreign_pid_is_ignored(prepared_data: Path) -> None:
    stranger = subprocess.Popen(["sleep", "60"])
    try:
        pid_file = prepared_data / "postgres" / "data" / "postmaster.pid"
        pid_file.write_text(f"{stranger.pid}\n{pid_file.parent}\n0\n5432\n\n\n\n")
        response = cruddur(prepared_data, "migrate")
        assert response.returncode in {0, 1}, (
            "PostgreSQL's exit code depends on the owner of the process"
        )
        assert len(response.stderr.splitlines()) == response.returncode
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


@pytest.mark.parametrize(
    ("number", "delay"), [(signal.SIGINT, 0.0), (signal.SIGTERM, 0.3), (signal.SIGINT, 0.9)]
)
def test_a_signal_during_the_start_leaves_no_process_behind(
    serve: Serve, data: Path, number: int, delay: float
) -> None:
    running = serve(may_fork=False)
    deadline = time.monotonic() + START_SECONDS
    while not (data / "postgres" / "lock").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(delay)  # the outcome is the same at every stage of the start
    assert running.stop(number) == 0, running.log.read_text()
    assert "Traceback" not in running.log.read_text()
    assert not (data / "postgres" / "data" / "postmaster.pid").exists()


def test_a_taken_port_prints_one_clear_line(data: Path, dsn: str) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        response = cruddur(data, "serve", PORT=str(other.getsockname()[1]), CONNECTION_URL=dsn)
    assert response.returncode == 1
    [line] = response.stderr.splitlines()
    assert "cannot serve on 127.0.0.1" in line


def test_with_connection_url_no_embedded_server_is_started(
    serve: Serve, data: Path, dsn: str
) -> None:
    running = serve("--setup", CONNECTION_URL=dsn).wait()
    assert running.stop() == 0
    assert not data.exists()
    assert "embedded" not in running.log.read_text()


@pytest.mark.parametrize("command", ["serve", "migrate", "seed", "sweep"])
def test_an_unreachable_database_prints_one_clear_line(data: Path, command: str) -> None:
    response = cruddur(data, command, CONNECTION_URL="postgresql://u:secret@127.0.0.1:1/cruddur")
    assert response.returncode == 1
    [line] = response.stderr.splitlines()
    assert line.startswith("cruddur: ")
    assert "secret" not in line


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"PORT": "http"}, "PORT"),
        ({"CONNECTION_URL": "mysql://x"}, "CONNECTION_URL"),
        ({"AWS_COGNITO_USER_POOL_ID": "x"}, "AWS_COGNITO_USER_POOL_CLIENT_ID"),
        ({"CRUDDUR_ACCOUNT_PROVIDER": "ldap"}, "CRUDDUR_ACCOUNT_PROVIDER"),
        (
            {
                "CRUDDUR_MODERATOR_SECOND_FACTOR": "required",
                "AWS_COGNITO_USER_POOL_ID": "x",
                "AWS_COGNITO_USER_POOL_CLIENT_ID": "x",
            },
            "CRUDDUR_MODERATOR_SECOND_FACTOR",
        ),
        ({"CRUDDUR_DEMO_HANDLE": "andrewbrown", "CRUDDUR_BIND": "0.0.0.0:1"}, "loopback"),
        ({"CRUDDUR_PROFILE_SHAPE": "round"}, "CRUDDUR_PROFILE_SHAPE"),
        ({"CRUDDUR_SIGNING_KEY": "no key"}, "CRUDDUR_SIGNING_KEY"),
        ({"SMTP_URL": "http://mail"}, "SMTP_URL"),
        ({"LOG_LEVEL": "LOUD"}, "LOG_LEVEL"),
        ({"PORT": "99999"}, "PORT"),
        ({"CRUDDUR_BIND": "nonsense"}, "CRUDDUR_BIND"),
        ({"CRUDDUR_STATEMENT_TIMEOUT": "nan"}, "CRUDDUR_STATEMENT_TIMEOUT"),
        ({"CRUDDUR_SWEEP_INTERVAL": "nan"}, "CRUDDUR_SWEEP_INTERVAL"),
        ({"CRUDDUR_TRUSTED_HOPS": "-1"}, "CRUDDUR_TRUSTED_HOPS"),
        ({"SMTP_URL": "smtp://mail:99999999"}, "SMTP_URL"),
        ({"FRONTEND_URL": "nonsense"}, "FRONTEND_URL"),
        ({"CRUDDUR_DATA_DIRECTORY": "/dev/null/data"}, "/dev/null/data"),
        ({"CRUDDUR_FRONTEND_DIRECTORY": "/dev/null"}, "CRUDDUR_FRONTEND_DIRECTORY"),
    ],
)
def test_an_invalid_setting_prints_one_clear_line(
    data: Path, environment: dict[str, str], named: str
) -> None:
    response = cruddur(data, "serve", **environment)
    assert response.returncode == 1
    [line] = response.stderr.splitlines()
    assert named in line


def test_help_lists_the_commands_and_their_options(data: Path) -> None:
    text = cruddur(data, "--help").stdout
    for command in ("serve", "migrate", "seed", "sweep", "openapi"):
        assert re.search(rf"^  {command} ", text, re.MULTILINE)
    text = cruddur(data, "serve", "--help").stdout
    for option in ("--bind", "--workers", "--reload"):
        assert option in text
