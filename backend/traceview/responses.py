"""Responses of JSON, and of files to download."""

from typing import NamedTuple

import msgspec
from quart import Response


def json_answer(content: object, status: int = 200) -> Response:
    """Return a JSON response that must not be cached."""
    response = Response(msgspec.json.encode(content), status, content_type="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response


class Download(NamedTuple):
    """A file that the browser saves."""

    name: str
    content_type: str
    body: bytes


def otlp_file(name: str, body: bytes) -> Download:
    """Return a file of OTLP in JSON, with an object per line."""
    return Download(f"{name}.jsonl", "application/x-ndjson", body)


def csv_file(name: str, body: bytes) -> Download:
    """Return a file of CSV."""
    return Download(f"{name}.csv", "text/csv; charset=utf-8", body)


def download_answer(download: Download) -> Response:
    """Return a response that the browser saves as a file."""
    response = Response(download.body, content_type=download.content_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{download.name}"'
    response.headers["Cache-Control"] = "no-store"
    return response
