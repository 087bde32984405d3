"""Checks of the images and the Compose files that need no container engine.

`make images` builds and runs them.
"""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.specifiers import SpecifierSet

from cruddur.settings import declared_variables

ROOT = Path(__file__).parents[2]
DOCKERFILES = ("Dockerfile.prod", "Dockerfile.dev")
COMPOSE = (
    "compose.yaml",
    "compose.prod.yaml",
    "deploy/service.yaml",
    "deploy/settings.yaml",
    "tests/images/compose.yaml",
)
OWN = {"cruddur", "cruddur-dev"}
"""The images that this project builds; they have no tag."""

ONCE = {"migrate"}
"""The services that run once and exit."""

VARIABLE = re.compile(r"\$\{(\w+)")

# Variables in .env that the service does not read: those of Compose, the build, and AWS's and
# OpenTelemetry's own libraries.
OTHERS = {
    "COMPOSE_PROJECT_NAME",
    "COMPOSE_PROFILES",
    "EXTRAS",
    "GID",
    "UID",
    "PROD_CONNECTION_URL",
    "POSTGRES_PASSWORD",
    "POSTGRES_PASSWORD_FILE",
    "FRONTEND_PORT",
    "TRACES_PORT",
    "PROXY_PORT",
    "MAIL_PORT",
    "JAEGER_PORT",
    "PUBLISH_ADDRESS",
    "HTTP_PORT",
    "HTTPS_PORT",
    "BACKENDS",
    "BACKEND_MEMORY",
    "DATABASE_MEMORY",
    "TLS_DIRECTORY",
    "SECRETS_DIRECTORY",
    "ACME_DIRECTORY",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_REGION",
}
# Variables that Compose sets itself, or that have no meaning in a container.
FIXED = {
    "CRUDDUR_BIND",
    "CRUDDUR_DATA_DIRECTORY",
    "CRUDDUR_FRONTEND_DIRECTORY",
    "CRUDDUR_PUBLISHED_ON",
    "CRUDDUR_TRACES_BIND",
    "PGPASSWORD",
}
FILES = {f"{name}_FILE" for name, one in declared_variables().items() if one.secret} - {
    "CONNECTION_URL_FILE",
    "PGPASSWORD_FILE",
}
"""The secrets that can be read from a file, except those that Compose sets."""


class Loader(yaml.SafeLoader):
    """YAML with Compose's own tags for merging files."""


for tag in ("!reset", "!override"):
    Loader.add_constructor(tag, lambda loader, node: loader.construct_sequence(node))


def read(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def compose(name: str) -> dict[str, Any]:
    # The loader is a SafeLoader.
    document: dict[str, Any] = yaml.load(read(name), Loader)
    return document


def services(name: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = compose(name)["services"]
    return found


SERVICES = [
    pytest.param(name, service, id=f"{name}-{service}")
    for name in COMPOSE[:2]
    for service in services(name)
]


def stages(name: str) -> list[tuple[str, str]]:
    """The base and the name of each stage of a Dockerfile."""
    return re.findall(
        r"^FROM (?:--platform=\$BUILDPLATFORM )?(\S+)(?: AS (\w+))?$", read(name), re.MULTILINE
    )


def test_both_images_use_the_same_compatible_bases() -> None:
    production, development = (
        {base.partition(":")[0]: base for base, _ in stages(name) if ":" in base}
        for name in DOCKERFILES
    )
    assert production == development
    version = re.fullmatch(r"python:(3\.\d+)-slim-\w+", production["python"])
    assert version is not None
    supported = tomllib.loads(read("pyproject.toml"))["project"]["requires-python"]
    assert version[1] in SpecifierSet(supported)
    node = re.fullmatch(r"node:(\d+)-\w+-slim", production["node"])
    assert node is not None
    needed = json.loads(read("frontend-react-js/package.json"))["engines"]["node"]
    assert f"{node[1]}.999" in SpecifierSet(needed)


@pytest.mark.parametrize("name", DOCKERFILES)
def test_every_base_is_named_once_and_literally(name: str) -> None:
    """Dependabot updates no name in an argument, and a release replaces each name once."""
    known: set[str] = set()
    for base, stage in stages(name):
        assert re.fullmatch(r"\w+:\d[\w.-]*", base) or base in known
        assert ":" not in base or base not in known
        known |= {base, stage}
    assert len(stages(name)) == len(re.findall("^FROM ", read(name), re.MULTILINE))


def test_the_production_image_is_ready_for_deployment() -> None:
    last = read("Dockerfile.prod").rpartition("\nFROM ")[2]
    assert re.search(r"^USER 10001:10001$", last, re.MULTILINE)
    assert re.search(r'^ENTRYPOINT \["python", "-m", "cruddur"\]$', last, re.MULTILINE)
    assert 'CMD ["python", "-m", "cruddur.process.healthcheck"]' in last
    version = tomllib.loads(read("pyproject.toml"))["project"]["version"]
    assert f"\nARG VERSION={version}\n" in last
    assert "traceview" not in re.sub(r"^#.*$", "", read("Dockerfile.prod"), flags=re.MULTILINE)


def test_every_extra_of_the_service_can_be_built_in() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    outside = {"bench", "dev", "embedded", "load", "traces"}
    wanted = extras["optional-dependencies"].keys() - outside
    copied = re.findall(r"requirements/(\w+)\.txt", read("Dockerfile.prod"))
    assert wanted <= set(copied)
    assert outside.isdisjoint(copied)


@pytest.mark.parametrize(("name", "service"), SERVICES)
def test_every_service_declares_its_dependencies_and_health_check(name: str, service: str) -> None:
    found = services(name)[service]
    for other, how in found.get("depends_on", {}).items():
        end = "service_completed_successfully" if other in ONCE else "service_healthy"
        assert how["condition"] == end
    if service not in ONCE:
        assert "healthcheck" in found or "extends" in found  # the production image has its own


@pytest.mark.parametrize(("name", "service"), SERVICES)
def test_a_service_is_a_pinned_image_that_others_cannot_reach(name: str, service: str) -> None:
    found = services(name)[service]
    if "extends" in found:
        found = services(found["extends"]["file"])[found["extends"]["service"]] | found
    image = found["image"]
    assert image in OWN or re.search(r":v?\d[\w.-]*$", image)
    for port in found.get("ports", []):
        assert port.startswith("127.0.0.1:") or (name, service) == ("compose.prod.yaml", "proxy")


@pytest.mark.parametrize("name", COMPOSE[:2])
def test_our_images_are_built_once_and_never_pulled(name: str) -> None:
    built: dict[str, int] = dict.fromkeys(OWN, 0)
    for service in services(name).values():
        found = service
        if "extends" in service:
            found = services(service["extends"]["file"])[service["extends"]["service"]] | service
        if found["image"] in OWN:
            built[found["image"]] += "build" in found
            assert "build" in found or found["pull_policy"] == "never"
    # Compose writes the service name into the image, so two builds would differ.
    assert max(built.values()) == 1


def test_the_page_the_api_and_the_traces_are_where_the_readme_says() -> None:
    found = services("compose.yaml")
    ports = {name: found[name]["ports"] for name in ("frontend", "backend", "traces")}
    assert ports == {
        "frontend": ["127.0.0.1:${FRONTEND_PORT:-3000}:3000"],
        "backend": ["127.0.0.1:${PORT:-4567}:4567"],
        "traces": ["127.0.0.1:${TRACES_PORT:-4318}:4318"],
    }
    container = json.loads(read(".devcontainer/devcontainer.json"))
    assert sorted(container["forwardPorts"]) == [3000, 4318, 4567]
    assert container["build"] == {"dockerfile": "../Dockerfile.dev", "context": ".."}


def test_a_missing_variable_of_the_production_file_is_named() -> None:
    required = set(re.findall(r"\$\{(\w+):\?", read("compose.prod.yaml")))
    assert required == {"POSTGRES_PASSWORD_FILE", "BACKEND_URL"}
    # Compose reads the whole file, unused profiles too: no variable may be required here.
    assert ":?" not in read("compose.yaml") + read("deploy/service.yaml")


def test_every_variable_is_in_the_example_and_nothing_else_is() -> None:
    shown = re.findall(r"^# ([A-Z0-9_]+)=(.*)$", read(".env.example"), re.MULTILINE)
    assert len(dict(shown)) == len(shown)
    assert not re.search(r"^[^#\n]", read(".env.example"), re.MULTILINE)
    settings = {name: one.default for name, one in declared_variables().items()}
    assert dict(shown).keys() == (settings.keys() - FIXED) | OTHERS | FILES
    assert {name: value for name, value in shown if name in settings} == {
        name: settings[name] for name, _ in shown if name in settings
    }
    used = {name for file in COMPOSE for name in VARIABLE.findall(read(file))}
    assert used <= dict(shown).keys()
