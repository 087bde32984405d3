"""Look for likely mistakes in the environment, for `cruddur doctor`.

Nothing here returns the value of a variable, except `secret_values`, whose result is removed from
what the doctor prints.
"""

import os
import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from urllib.parse import unquote, urlsplit

from cruddur.settings import declared_variables
from cruddur.settings.database import split_urls

CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
"""Variables of AWS that its libraries read."""

ENV_FILE = Path(".env")
"""The file that Docker Compose reads, in the working directory."""

_PREFIXES = ("CRUDDUR_", "HONEYCOMB_", "ROLLBAR_", "OTEL_", "SMTP_", "CONNECTION_", "AWS_XRAY_")
_TESTS = ("CRUDDUR_TEST_", "CRUDDUR_IMAGE")
_URLS = ("CONNECTION_URL", "CRUDDUR_DIRECT_URL", "CRUDDUR_READ_URLS", "SMTP_URL", "CRUDDUR_BUS")
_LISTS = ("CRUDDUR_READ_URLS",)  # secrets whose value may have spaces
_PLACEHOLDER = re.compile(r"\$\{[A-Za-z_]\w*[^}]*\}|\$[A-Za-z_]\w*")
_ASSIGNMENT = re.compile(r"(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*)")
_SIMILARITY = 0.85
_MIN_SECRET_CHARS = 6
_CONTAINER_VARIABLES = ("KUBERNETES_SERVICE_HOST", "ECS_CONTAINER_METADATA_URI_V4")
_CONTAINER_FILES = (Path("/.dockerenv"), Path("/run/.containerenv"))


def malformed_values(environ: Mapping[str, str] = os.environ) -> Iterator[tuple[str, str]]:
    """Yield each variable whose value was probably not meant so, and what is wrong with it."""
    for name in sorted({*declared_variables(), *CREDENTIALS}):
        text = environ.get(name, "")
        stripped = text.strip()
        if len(stripped) > 1 and stripped[0] == stripped[-1] and stripped[0] in "\"'":
            yield name, "has quotation marks around its value"
        elif _PLACEHOLDER.fullmatch(stripped):
            yield name, "is the name of another variable instead of its value"
        elif _has_stray_space(name, stripped):
            yield name, "has a space in its value"
        elif name in CREDENTIALS and text != stripped:
            yield name, "has a space at an end of its value"
    for name in _header_variables(environ):
        for item in environ[name].split(","):
            header, _, value = item.partition("=")
            if header.strip() and not value.strip():
                yield name, f"has {header.strip()} without a value"


def misspelled_names(environ: Mapping[str, str] = os.environ) -> Iterator[tuple[str, str]]:
    """Yield each variable that is similar to a setting but is none, and the name of the setting."""
    known = {*declared_variables(), *(f"{name}_FILE" for name in declared_variables())}
    for name in sorted(environ):
        if name in known or not name.startswith(_PREFIXES) or name.startswith(_TESTS):
            continue
        for meant in get_close_matches(name, known, n=1, cutoff=_SIMILARITY):
            if environ[name].strip() and not environ.get(meant, "").strip():
                yield name, meant


def unset_of_env_file(environ: Mapping[str, str] = os.environ) -> list[str]:
    """Return the settings and credentials of ENV_FILE that this process does not have."""
    wanted = {*declared_variables(), *CREDENTIALS}
    try:
        lines = ENV_FILE.read_text("utf-8").splitlines()
    except (OSError, ValueError):
        return []
    assigned = (_ASSIGNMENT.fullmatch(line.strip()) for line in lines)
    names = {found[1] for found in assigned if found and found[2].strip("\"' ")}
    return sorted(name for name in names & wanted if not environ.get(name, "").strip())


def is_region_ignored(environ: Mapping[str, str] = os.environ) -> bool:
    """Return whether AWS_REGION is set, and AWS_DEFAULT_REGION, which the service reads, is not."""
    region, default = (
        environ.get(f"AWS_{name}", "").strip() for name in ("REGION", "DEFAULT_REGION")
    )
    return bool(region) and not default


def is_in_container(environ: Mapping[str, str] = os.environ) -> bool:
    """Return whether this process runs in a container of Docker, Podman, Kubernetes or ECS."""
    has_variable = any(environ.get(name) for name in _CONTAINER_VARIABLES)
    return has_variable or any(path.exists() for path in _CONTAINER_FILES)


def secret_values(environ: Mapping[str, str] = os.environ) -> list[str]:
    """Return the secrets of the environment, the longest first, also those in URLs and files.

    Short ones are left out, because they can be part of ordinary words.
    """
    found: set[str] = set()
    for name, text in environ.items():
        if _is_secret(name) or name in CREDENTIALS:
            found |= {text, *text.split()}
        if name.endswith("_FILE") and _is_secret(name.removesuffix("_FILE")):
            try:
                text = Path(text).read_text("utf-8")
            except (OSError, ValueError):
                continue
            found |= {text.strip(), *text.split()}
    for url in (url for name in _URLS for url in _split(name, environ.get(name, ""))):
        try:
            password = urlsplit(url).password or ""
        except ValueError:
            continue
        found |= {password, unquote(password)}
    for name in _header_variables(environ):
        found |= {unquote(item.partition("=")[2]).strip() for item in environ[name].split(",")}
    long = {text.strip("\"' ") for text in found}
    return sorted((text for text in long if len(text) >= _MIN_SECRET_CHARS), key=len, reverse=True)


def _split(name: str, text: str) -> tuple[str, ...]:
    return split_urls(text) if name in _LISTS else (text,)


def _has_stray_space(name: str, text: str) -> bool:
    return (
        _is_secret(name)
        and name not in _LISTS
        and "PRIVATE KEY" not in text
        and re.search(r"\s", text) is not None
    )


def _header_variables(environ: Mapping[str, str]) -> list[str]:
    return [name for name in environ if re.fullmatch(r"OTEL_EXPORTER_OTLP_(\w+_)?HEADERS", name)]


def _is_secret(name: str) -> bool:
    variable = declared_variables().get(name)
    return variable is not None and variable.secret
