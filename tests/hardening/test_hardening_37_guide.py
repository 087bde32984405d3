"""The commands and addresses in the operator's guide work as written."""

import re
import shlex
import ssl
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from cruddur.settings import Settings
from processes import Running, environment_of
from support import free_port

ROOT = Path(__file__).parents[2]
OPERATIONS = (ROOT / "docs/operations.md").read_text()
DEVELOPMENT = (ROOT / "docs/development.md").read_text()


def test_hardening_37_the_service_runs_under_the_debugger(
    tmp_path: Path, data: Path, dsn: str
) -> None:
    [command] = re.findall(r"python (-m debugpy .*)", DEVELOPMENT)
    debugger, port = free_port(), free_port()
    arguments = shlex.split(command.replace("0.0.0.0:5678", f"127.0.0.1:{debugger}"))
    arguments.remove("--traces")  # its port may be in use on this machine
    log = tmp_path / "log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            env=environment_of(data, PORT=str(port), CONNECTION_URL=dsn),
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
        )
    try:
        running = Running(process, port, log).wait()
        listening = f"127.0.0.1:{debugger}"
        sockets = subprocess.run(["ss", "-ltn"], capture_output=True, text=True, check=True)
        assert listening in sockets.stdout
        running.stop()
    finally:
        process.kill()
        process.wait()


def test_hardening_37_the_certificates_of_the_system_are_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    assert "sslrootcert=system" in OPERATIONS
    url = "postgresql://db.example.com/cruddur?sslmode=verify-full&sslrootcert=system"
    settings = Settings.from_env({"CONNECTION_URL": url})
    [file] = parse_qs(urlsplit(settings.connection_url).query)["sslrootcert"]
    assert ssl.create_default_context(cafile=file).get_ca_certs()


def test_hardening_37_the_scheduled_backup_is_a_command_that_a_shell_takes() -> None:
    [line] = re.findall(r"```crontab\n(.*)\n```", OPERATIONS)
    minute, hour, *days, command = line.split(maxsplit=5)
    assert (int(minute) < 60, int(hour) < 24, days) == (True, True, ["*", "*", "*"])
    # cron treats an unescaped % as the end of the command.
    assert not re.search(r"(?<!\\)%", command)
    shell = command.replace(r"\%", "%")
    subprocess.run(["sh", "-n", "-c", shell], check=True)
    script = re.sub(
        r"cd \S+ && docker compose .*? pg_dump .*? > (.+) && find .*", r"echo \1", shell
    )
    name = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout
    assert re.fullmatch(r"backups/\d{4}-\d\d-\d\d\.dump\n", name)


def test_hardening_37_the_container_restarts_and_its_log_is_bounded() -> None:
    commands = re.findall(r"docker run -d (?:.*\\\n)*.*", OPERATIONS)
    assert len(commands) >= 2
    for command in commands:
        assert "--restart unless-stopped" in command
        assert "--log-opt max-size=" in command
