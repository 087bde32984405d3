"""`--help` and an invalid setting need few imports, so a command reports them at once."""

import subprocess
import sys
from pathlib import Path

import pytest

from processes import environment_of

LARGE = {"asyncpg", "cryptography", "hypercorn", "httpx", "opentelemetry", "quart", "requests"}


@pytest.mark.parametrize("arguments", [("--help",), ("serve", "--help"), ("serve",), ("migrate",)])
def test_no_large_library_is_imported_before_the_settings_are_valid(
    data: Path, arguments: tuple[str, ...]
) -> None:
    response = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "cruddur", *arguments],
        env=environment_of(data, CRUDDUR_STREAMS="many"),
        capture_output=True,
        text=True,
        check=False,
    )
    is_help = "--help" in arguments
    assert response.returncode == (0 if is_help else 1)
    assert ("cruddur: CRUDDUR_STREAMS is not" in response.stderr) == (not is_help)
    imported = {line.rpartition("|")[2].strip() for line in response.stderr.splitlines()}
    assert "cruddur.cli.main" in imported
    assert imported & LARGE == set()
