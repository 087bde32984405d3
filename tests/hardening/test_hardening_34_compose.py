"""compose.prod.yaml is fit for production, and exported variables reach the containers.

`make image-check` and `make images` run the files; these tests need no container engine.
"""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from cruddur.settings import Settings, SettingsError, declared_variables
from patience import PATIENCE

ROOT = Path(__file__).parents[2]
PRODUCTION = yaml.safe_load((ROOT / "compose.prod.yaml").read_text("utf-8"))
DEVELOPMENT = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
SERVICE = yaml.safe_load((ROOT / "deploy/service.yaml").read_text("utf-8"))["services"]["service"]
PASSED = yaml.safe_load((ROOT / "deploy/settings.yaml").read_text("utf-8"))["services"]["settings"]
PROXY = (ROOT / "deploy/production.conf.template").read_text("utf-8")
SETTINGS = declared_variables()


def resolved(service: dict[str, Any]) -> dict[str, Any]:
    """A service with what it extends."""
    return (SERVICE if "extends" in service else {}) | service


@pytest.mark.parametrize("name", PRODUCTION["services"])
def test_hardening_34_every_service_is_limited_restarted_and_its_log_rotated(name: str) -> None:
    service = resolved(PRODUCTION["services"][name])
    assert service["mem_limit"]
    assert service["logging"]["options"].keys() == {"max-size", "max-file"}
    assert service["restart"] == ("no" if name == "migrate" else "unless-stopped")


def test_hardening_34_only_the_proxy_is_published() -> None:
    published = {name for name, one in PRODUCTION["services"].items() if "ports" in one}
    assert published == {"proxy"}
    assert PRODUCTION["services"]["backend"]["deploy"]["replicas"] == "${BACKENDS:-2}"
    assert "seed" not in str([one.get("command") for one in PRODUCTION["services"].values()])


def test_hardening_34_the_proxy_speaks_http2_and_keeps_connections_to_the_backends() -> None:
    assert "http2 on;" in PROXY
    assert re.search(r"upstream backends \{[^}]*keepalive \d+;", PROXY)
    assert 'proxy_set_header Connection "";' in PROXY
    documented = (ROOT / "docs/operations.md").read_text("utf-8").partition("```nginx")[2]
    assert "http2 on;" in documented.partition("```")[0]


@pytest.mark.parametrize("script", ["deploy/roll.sh", "deploy/watch-backends.sh"])
def test_hardening_34_scripts_are_executable_and_parse(script: str) -> None:
    assert os.access(ROOT / script, os.X_OK)
    subprocess.run(["sh", "-n", ROOT / script], check=True)


@pytest.mark.parametrize("file", [PRODUCTION, DEVELOPMENT], ids=["production", "development"])
def test_hardening_34_ports_and_the_project_come_from_the_environment(file: Any) -> None:
    assert file["name"].startswith("${COMPOSE_PROJECT_NAME:-")
    ports = [port for one in file["services"].values() for port in one.get("ports", [])]
    assert ports
    assert all(re.search(r"\$\{\w*PORT:-\d+\}:\d+$", port) for port in ports)


def run_cruddur(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-m", "cruddur", *arguments],
        env=environment | variables, capture_output=True, text=True, check=False, timeout=PATIENCE,
    )  # fmt: skip


async def test_hardening_34_a_secret_can_be_a_file(
    make_database: Callable[..., Any], tmp_path: Path
) -> None:
    file = tmp_path / "connection_url"
    file.write_text(f"{await make_database()}\n")
    done = run_cruddur("migrate", CONNECTION_URL_FILE=str(file))
    assert (done.returncode, done.stdout) == (0, "up to date\n"), done.stderr


@pytest.mark.parametrize("variable", [name for name, one in SETTINGS.items() if one.secret])
def test_hardening_34_a_secret_whose_file_cannot_be_read_is_an_error(
    variable: str, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError, match=f"^{variable}_FILE cannot be read: .*$"):
        Settings.from_env({f"{variable}_FILE": str(tmp_path / "missing")})


def test_hardening_34_a_secret_whose_file_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    done = run_cruddur("migrate", HONEYCOMB_API_KEY_FILE=str(tmp_path / "missing"))
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.startswith("cruddur: HONEYCOMB_API_KEY_FILE cannot be read: ")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://worf@db/cruddur", "a/b &c"),
        ("postgresql://worf@one:1,two:2/cruddur?sslmode=require", "a/b &c"),
        ("postgresql://worf:own@db/cruddur", None),
        ("postgresql://worf@db/cruddur?password=own", "own"),
    ],
)
def test_hardening_34_the_password_is_used_where_the_url_has_none(
    url: str, expected: str | None, tmp_path: Path
) -> None:
    file = tmp_path / "password"
    file.write_text("a/b &c\n")
    settings = Settings.from_env({"CONNECTION_URL": url, "PGPASSWORD_FILE": str(file)})
    found = parse_qs(urlsplit(settings.connection_url).query).get("password", [None])
    assert found == [expected]


def test_hardening_34_production_without_smtp_is_warned_about() -> None:
    production = {"CRUDDUR_ENVIRONMENT": "production"}
    [warning] = Settings.from_env(production).warnings
    assert warning.startswith("SMTP_URL is not set")
    assert Settings.from_env({}).warnings == ()
    assert Settings.from_env(production | {"SMTP_URL": "smtp://mail"}).warnings == ()
    # image_check.py finds the line in the log of a container; here it is without a database.
    done = run_cruddur("serve", CONNECTION_URL="postgresql://127.0.0.1:1/x", **production)
    assert "SMTP_URL is not set" in done.stdout + done.stderr


def test_hardening_35_exported_variables_reach_both_kinds_of_container() -> None:
    assert DEVELOPMENT["services"]["backend"]["extends"]["file"] == "deploy/settings.yaml"
    assert SERVICE["extends"]["file"] == "settings.yaml"
    for name in ("backend", "migrate"):
        assert PRODUCTION["services"][name]["extends"]["file"] == "deploy/service.yaml"
    assert set(PASSED["environment"].values()) == {None}


def test_hardening_35_every_setting_reaches_the_service() -> None:
    def variables(service: dict[str, Any]) -> set[str]:
        return PASSED["environment"].keys() | resolved(service)["environment"].keys()

    # Folders and addresses inside the container, and what only loopback may have.
    inside = {
        "CRUDDUR_DATA_DIRECTORY",
        "CRUDDUR_FRONTEND_DIRECTORY",
        "CRUDDUR_DEMO_HANDLE",
        "CRUDDUR_PUBLISHED_ON",
        "CRUDDUR_TRACES_BIND",
    }
    for file in (PRODUCTION, DEVELOPMENT):
        own = variables(file["services"]["backend"]) | SERVICE["environment"].keys()
        assert SETTINGS.keys() - inside - own == set()


def test_hardening_35_an_unset_variable_removes_nothing_that_the_image_sets() -> None:
    dockerfile = (ROOT / "Dockerfile.prod").read_text("utf-8")
    set_by_image = set(re.findall(r"^(?:ENV|   ) (\w+)=", dockerfile.rpartition("FROM ")[2], re.M))
    assert "CRUDDUR_ENVIRONMENT" in set_by_image
    assert set_by_image & PASSED["environment"].keys() == set()
