"""The wheel runs with the packages of the production image, and the image has the right contents.

`make image-check` builds and runs the image; these tests need no container engine.
"""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from browsing import do_without

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile.prod").read_text("utf-8")
PYTHON = ROOT / ".local" / "production" / "bin" / "python"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]

IMPORT_ALL = """
import importlib, json, pkgutil, sys
import cruddur
missing = {}
for found in pkgutil.walk_packages(cruddur.__path__, "cruddur."):
    try:
        importlib.import_module(found.name)
    except ModuleNotFoundError as error:
        missing[found.name] = error.name.partition(".")[0]
json.dump({"from": cruddur.__file__, "missing": missing}, sys.stdout)
"""


def run(*command: str | Path, **options: object) -> str:
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, check=False, timeout=300,
        **options,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """The interpreter with only requirements/prod.txt, and the directory of the wheel's files."""
    if not PYTHON.exists():
        do_without("make test makes .local/production first")
    folder = tmp_path_factory.mktemp("production")
    source, wheel = folder / "source", folder / "wheel"
    source.mkdir()
    for name in ("LICENSE", "pyproject.toml"):
        shutil.copy(ROOT / name, source)
    # As in the image: the trace explorer is for development.
    for name in ("cruddur", "hypercorn_httptools"):
        shutil.copytree(
            ROOT / "backend" / name, source / "backend" / name,
            ignore=shutil.ignore_patterns("__pycache__"),
        )  # fmt: skip
    run(
        sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation",
        "--no-index", "--no-compile", "--target", wheel, source,
    )  # fmt: skip
    environment = {"CONNECTION_URL": "postgresql://build", "PATH": "/usr/bin:/bin"}
    return PYTHON, environment | {"PYTHONPATH": str(wheel)}


def test_hardening_29_every_module_but_the_extras_imports_in_production(
    production: tuple[Path, dict[str, str]],
) -> None:
    python, environment = production
    found = json.loads(run(python, "-c", IMPORT_ALL, env=environment, cwd="/").splitlines()[-1])
    assert found["from"].startswith(environment["PYTHONPATH"])
    extras = {
        re.split(r"[^\w-]", requirement)[0]
        for extra in ("aws", "redis", "rollbar")
        for requirement in PROJECT["optional-dependencies"][extra]
    }
    strangers = {name: library for name, library in found["missing"].items()
                 if library not in extras}  # fmt: skip
    assert strangers == {}


def test_hardening_29_the_command_line_works_in_production(
    production: tuple[Path, dict[str, str]],
) -> None:
    python, environment = production
    assert PROJECT["version"] in run(python, "-m", "cruddur", "--version", env=environment, cwd="/")


def test_hardening_29_no_scenario_can_be_enabled_in_production(
    production: tuple[Path, dict[str, str]],
) -> None:
    python, environment = production
    script = "import importlib.util; print(importlib.util.find_spec('scenarios'))"
    assert run(python, "-c", script, env=environment, cwd="/") == "None\n"
    sources = [path.read_text("utf-8") for path in (ROOT / "backend").rglob("*.py")]
    assert [
        text for text in sources if re.search(r"(?:import|from) scenarios\b|SCENARIO", text)
    ] == []


def test_hardening_29_the_image_compiles_without_importing_and_then_imports_the_service() -> None:
    compiling = DOCKERFILE.index("compileall -q --invalidation-mode unchecked-hash /opt/venv")
    importing = re.search(r"-c 'import ([\w., ]+)'", DOCKERFILE)
    assert importing is not None
    assert importing.start() > compiling
    assert {
        "cruddur.asgi",
        "cruddur.process.application",
        "cruddur.__main__",
        "cruddur.process.healthcheck",
        "fido2.server",
    } == set(importing[1].split(", "))
    assert "walk_packages" not in DOCKERFILE


def test_hardening_38_the_image_is_labeled_and_its_page_is_built_once_for_all_platforms() -> None:
    assert re.search(
        r"^FROM --platform=\$BUILDPLATFORM node:\S+ AS page$", DOCKERFILE, re.MULTILINE
    )
    labels = dict(re.findall(r'org\.opencontainers\.image\.(\w+)="([^"]*)"', DOCKERFILE))
    assert labels["licenses"] == PROJECT["license"]
    assert {"source", "revision", "created", "version"} <= labels.keys()
    for name in ("source", "revision", "created", "version"):
        assert labels[name] == f"${{{name.upper()}}}"
        assert re.search(rf"^ARG {name.upper()}=", DOCKERFILE, re.MULTILINE)
