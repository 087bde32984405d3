"""Responses of JSON, of the page's files, and of files to download."""

import asyncio
import io
from typing import NamedTuple

import msgspec
from quart import Response
from quart.wrappers.response import FileBody


def json_answer(content: object, status: int = 200) -> Response:
    """Return a JSON response that must not be cached."""
    response = Response(msgspec.json.encode(content), status, content_type="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response


class WholeFileBody(FileBody):
    """A small file, which one thread opens, reads and closes.

    Quart's own body opens the file in a thread and closes it in another call. If the client
    disconnects while the file is being opened, it stays open. It also fails for a request for
    the last bytes ("Range: bytes=-10").
    """

    async def make_conditional(self, begin: int, end: int | None) -> int:
        return await super().make_conditional(
            max(self.size + begin, 0) if begin < 0 else begin, end
        )

    async def __aenter__(self) -> "WholeFileBody":
        self._content = io.BytesIO(await asyncio.to_thread(self._read))
        return self

    async def __aexit__(self, *_exception: object) -> None:
        self._content.close()

    async def __anext__(self) -> bytes:
        if chunk := self._content.read(self.buffer_size):
            return chunk
        raise StopAsyncIteration

    def _read(self) -> bytes:
        with self.file_path.open("rb") as file:
            file.seek(self.begin)
            return file.read(self.end - self.begin)


class PageResponse(Response):
    """What the application answers with, the files of the page included."""

    file_body_class = WholeFileBody


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
