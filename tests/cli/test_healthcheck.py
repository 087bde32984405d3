"""`python -m cruddur.process.healthcheck`, as a container engine runs it."""

import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from certificates import self_signed
from patience import PATIENCE
from processes import inherited
from support import free_port
from telemetry.serving import served


def check(**environment: str) -> subprocess.CompletedProcess[str]:
    # The check must ignore a proxy from the environment: it requests this machine.
    proxies = {"http_proxy": "http://127.0.0.1:1", "HTTP_PROXY": "http://127.0.0.1:1"}
    return subprocess.run(
        [sys.executable, "-m", "cruddur.process.healthcheck"],
        env={**inherited(), **proxies, **environment},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def test_a_responding_service_is_healthy(dsn: str, tmp_path: Path) -> None:
    binds = ["0.0.0.0", "[::1]", f"unix:{tmp_path}/s"]
    with served(dsn, tmp_path, CRUDDUR_BIND=",".join(binds)) as service:
        for bind in ("", "127.0.0.1,[::1]", *binds):
            found = check(PORT=str(service.port), CRUDDUR_BIND=bind)
            assert (found.returncode, found.stdout, found.stderr) == (0, "", "")


def test_a_service_with_tls_is_healthy(dsn: str, tmp_path: Path) -> None:
    certificate = str(self_signed(tmp_path))
    with served(dsn, tmp_path, CRUDDUR_CERTFILE=certificate) as service:
        found = check(PORT=str(service.port), CRUDDUR_CERTFILE=certificate)
        assert (found.returncode, found.stdout, found.stderr) == (0, "", "")


def test_no_response_prints_one_clear_line() -> None:
    port = free_port()
    found = check(PORT=str(port))
    assert found.returncode == 1
    [line] = found.stderr.splitlines()
    assert line.startswith(f"cruddur: nothing answers at 127.0.0.1:{port}: ")


@pytest.mark.parametrize(
    ("response", "words"),
    [
        (b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", "answers 503"),
        (b"nonsense\r\n\r\n", "nothing answers"),
        (b"", "nothing answers"),
    ],
)
def test_an_unexpected_response_prints_one_clear_line(response: bytes, words: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def respond() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(response)

        thread = threading.Thread(target=respond)
        thread.start()
        found = check(PORT=str(server.getsockname()[1]))
        thread.join()
    assert found.returncode == 1
    [line] = found.stderr.splitlines()
    assert words in line


def test_an_invalid_setting_is_named() -> None:
    found = check(PORT="http")
    assert found.returncode == 1
    [line] = found.stderr.splitlines()
    assert "PORT" in line
