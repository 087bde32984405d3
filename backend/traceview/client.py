"""Ask a running traceview, for the command line."""

import json
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import NoReturn, TypeVar
from urllib.parse import urlencode

import click
import msgspec

from traceview.query.model import QueryError
from traceview.storage.database import StatementError

TIMEOUT_SECONDS = 30.0

UNAVAILABLE = 1
"""Exit code: no traceview responds, or the file cannot be read."""

INVALID = 2
"""Exit code: the query is invalid."""

T = TypeVar("T")

# Without a proxy: the explorer usually runs on this machine.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def ask(url: str, endpoint: str, arguments: Mapping[str, str | int], answer_type: type[T]) -> T:
    """Return the response of an endpoint of the API.

    Raises:
        QueryError: the request is invalid.
        StatementError: there is no response, or another error.
    """
    host = url.rstrip("/")
    try:
        address = f"{host}/api/{endpoint}?{urlencode(arguments)}"
        with _opener.open(address, timeout=TIMEOUT_SECONDS) as response:
            return msgspec.json.decode(response.read(), type=answer_type)
    except urllib.error.HTTPError as error:
        answer = _json(error.read())
        message = str(answer.get("error", f"status {error.code}"))
        if error.code == 400:
            position = answer.get("position")
            raise QueryError(message, position if isinstance(position, int) else None) from error
        raise StatementError(message) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise StatementError(f"no traceview responds at {host}: {reason}") from error


def _json(body: bytes) -> dict[str, object]:
    try:
        answer = json.loads(body)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def leave_for(error: Exception) -> NoReturn:
    """Print an error as one line and exit."""
    if isinstance(error, QueryError):
        at = "" if error.position is None else f"column {error.position + 1}: "
        click.echo(f"traceview: {at}{error}", err=True)
        sys.exit(INVALID)
    click.echo(f"traceview: {error}", err=True)
    sys.exit(UNAVAILABLE)
