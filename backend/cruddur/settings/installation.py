"""How this copy of Cruddur is installed, and what follows: its page, its data, and its extras."""

import os
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

CLONE = Path(__file__).parents[3]
"""The root of the clone, if this is one (`is_clone`)."""

_WINDOWS_VARIABLES = ("SYSTEMROOT", "USERPROFILE")

_PAGE = Path(__file__).parents[1] / "page"


def is_clone() -> bool:
    """Return whether this code runs from a clone of the repository, by `make`."""
    return (CLONE / "Makefile").is_file() and (CLONE / "requirements").is_dir()


def packaged_page() -> str:
    """Return the directory of the page that the wheel contains; empty if there is none."""
    return str(_PAGE) if (_PAGE / "index.html").is_file() else ""


def default_data_directory() -> Path:
    """Return where the embedded database and the traces are kept.

    In a clone it is `.local`, and elsewhere the user's directory for the data of programs. The
    extras that keep data install platformdirs; without them nothing is kept.
    """
    if is_clone():
        return Path(".local")
    try:
        from platformdirs import user_data_path
    except ImportError:
        return Path(".local")
    return user_data_path("cruddur", appauthor=False)


def install_hint(*extras: str) -> str:
    """Return the command that installs extras of this package: in a clone, or elsewhere."""
    if is_clone():
        names = " ".join(extra for extra in extras if extra not in {"embedded", "traces"})
        return f'make run EXTRAS="{names}"' if names else "make run"
    names = ",".join(extras)
    return f"pip install '{_distribution()}[{names}]', or build the image with them in EXTRAS"


def embedded_hint() -> str:
    """Return what to do if the embedded PostgreSQL is not installed."""
    advice = "set CONNECTION_URL to the URL of a PostgreSQL 18 server"
    if not is_clone() and _distribution() == "cruddur":  # it installs one where there is one
        return f"there is none for this platform; {advice}"
    return f"{advice}, or install it: {install_hint('embedded', 'traces')}"


def program_environment() -> dict[str, str]:
    """Return the environment of PostgreSQL's programs: only what the operating system needs."""
    return {
        **{name: os.environ[name] for name in _WINDOWS_VARIABLES if name in os.environ},
        "PATH": "/usr/bin:/bin",
        "LC_ALL": "C",
        "TZ": "UTC",
    }


def _distribution() -> str:
    """Return the name of the distribution that was installed: the whole product, or the service."""
    try:
        distribution("cruddur")
    except PackageNotFoundError:
        return "cruddur-service"
    return "cruddur"
