"""A real PostgreSQL that is too old: the embedded wheel also contains version 16."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cruddur.db import embedded
from cruddur.db.embedded import EmbeddedPostgres
from processes import cruddur


class OldPostgres(EmbeddedPostgres):
    """PostgreSQL 16, which lacks the builtin locale provider."""

    _locale_options = ("--locale=C",)


@pytest.fixture
def old_dsn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    binaries = embedded.find_binaries().parents[1] / "pginstall" / "bin"
    monkeypatch.setattr(embedded, "find_binaries", lambda: binaries)
    server = OldPostgres(tmp_path / "postgres", durable=False)
    server.start()
    yield server.dsn("postgres")
    server.stop()


def test_an_old_server_prints_one_clear_line(old_dsn: str, data: Path) -> None:
    for command in ("serve", "migrate"):
        response = cruddur(data, command, CONNECTION_URL=old_dsn)
        assert response.returncode == 1
        [line] = response.stderr.splitlines()
        assert "PostgreSQL 18 or newer is needed, this server is 16" in line
    response = cruddur(data, "doctor", CONNECTION_URL=old_dsn)
    assert response.returncode == 1
    assert "this server is 16" in response.stdout
    assert "Use a server with PostgreSQL 18" in response.stdout
