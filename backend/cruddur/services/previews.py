"""Rules for previews: what the page of a crud's first link says about itself.

A crud is posted without its preview. The rows of its link and of the preview are the queue, so a
job survives a restart, and one process fetches each page. Streams deliver the preview later.
"""

import asyncio
import contextlib
import logging
import time
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import msgspec
import regex
from opentelemetry.trace import Span

from cruddur.concurrency.child_process import ChildProcessFailedError, ChildProcessQueue
from cruddur.concurrency.tasks import cancel_tasks
from cruddur.db import previews as db
from cruddur.db.pool import Database, DatabaseUnavailableError
from cruddur.db.statements import Connection
from cruddur.errors import InvalidError, NotFoundError, OverloadedError
from cruddur.pictures.targets import Target
from cruddur.process import page_metadata
from cruddur.public_web.client import Fetched, NotFetchedError, PublicWeb
from cruddur.public_web.urls import RefusedError, names_host, public_url
from cruddur.services.pictures import PictureConverter
from cruddur.services.text import first_link
from cruddur.telemetry.background import background
from cruddur.telemetry.error_reporting import report
from cruddur.telemetry.operation import Instruments, current_operation, span

logger = logging.getLogger(__name__)

MAX_FETCHES = 4
"""Maximum number of previews that one worker fetches at the same time."""

MAX_ATTEMPTS = 3
PAUSES = (timedelta(minutes=1), timedelta(minutes=10))
"""Time between an attempt that failed and the next one."""

FETCH_SECONDS = 90.0
"""Maximum duration of fetching one preview, with the waits for processes."""

LEASE = timedelta(minutes=2)
"""Time after which another process may fetch a page; longer than FETCH_SECONDS."""

POLL_SECONDS = 30.0
"""How often the queue is read without a new link: for pages to fetch again, and for those that a
process has left behind."""

PARSE_SECONDS = 10.0
"""Seconds that parsing one page may take on a busy machine."""

TITLE_CHARS = 200
DESCRIPTION_CHARS = 400

PICTURE = Target(600, 315, "crop", "JPEG", quality=80)
"""The shape that OpenGraph advises, which the page has room for."""

PICTURE_CACHE_SECONDS = 3600

_MAX_LINKS = 100
_MAX_METADATA_BYTES = 64 * 1024
# Characters that control the display of other text, such as overrides of its direction.
_UNSEEN = regex.compile(r"[\p{Cc}\p{Bidi_Control}\p{Cs}\p{Co}\p{Cn}]+")


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a page says about itself; each text may be empty."""

    title: str
    description: str
    picture: str


_METADATA = msgspec.json.Decoder(Metadata)


class Previews:
    """Fetches previews in the background."""

    def __init__(
        self,
        database: Database,
        web: PublicWeb | None,
        converter: PictureConverter,
        instruments: Instruments,
        *,
        own_hosts: Collection[str],
    ) -> None:
        """Set what the previews need.

        Args:
            database: has the queue and the previews.
            web: fetches pages; None if previews are off.
            converter: converts the pictures.
            instruments: measure the fetches.
            own_hosts: hosts of this service. Links to them get no preview, because it would show a
                crud after its end.
        """
        self._database = database
        self._web = web
        self._converter = converter
        self._instruments = instruments
        self._own_hosts = own_hosts
        self._parsers = ChildProcessQueue("page parser", waiting=MAX_FETCHES)
        self._changed = asyncio.Event()

    def link(self, message: str) -> str | None:
        """Return the link of a message that gets a preview, in normal form; None without one."""
        link = first_link(message) if self._web is not None else None
        if link is None:
            return None
        try:
            url = public_url(link)
        except RefusedError:
            return None
        return None if names_host(url, self._own_hosts) else str(url)

    def note_new_link(self) -> None:
        """Fetch the preview of a crud that the current request posts, after its commit."""
        current_operation().after_commit(self._changed.set)

    async def run(self) -> None:
        """Fetch all previews that are due, until cancelled."""
        web = self._web
        if web is None:
            return
        running: set[asyncio.Task[None]] = set()
        try:
            while True:
                for claimed in await self._claim(MAX_FETCHES - len(running)):
                    task = asyncio.create_task(self._fetch(web, claimed))
                    running.add(task)
                    task.add_done_callback(running.discard)
                    task.add_done_callback(lambda _: self._changed.set())
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(POLL_SECONDS):
                        await self._changed.wait()
                self._changed.clear()
        finally:
            await cancel_tasks(*running)

    def close(self) -> None:
        """Kill the parser that is running."""
        self._parsers.close()

    async def _claim(self, limit: int) -> list[db.ClaimedPreview]:
        """Give new links their previews, and claim some of the previews that are due."""
        with background("queue previews", self._instruments, is_quiet=True):
            try:
                async with self._database.writing() as conn:
                    if await db.update_new_links(conn, limit=_MAX_LINKS) == _MAX_LINKS:
                        self._changed.set()
                if not limit:
                    return []
                async with self._database.writing() as conn:
                    return await db.update_due_previews(
                        conn, limit=limit, lease=LEASE, max_attempts=MAX_ATTEMPTS
                    )
            except DatabaseUnavailableError as error:
                logger.warning("previews wait for the database: %s", error)
            except Exception as error:
                report(error, "the queue of previews")
            return []

    async def _fetch(self, web: PublicWeb, claimed: db.ClaimedPreview) -> None:
        """Fetch one preview, in a trace that is linked to the request that posted the link."""
        start = time.monotonic()
        outcome = "failed"
        with (
            contextlib.suppress(Exception),  # it is reported
            background(
                "fetch preview",
                self._instruments,
                private=[claimed.url],
                cause=claimed.traceparent,
            ) as root,
        ):
            root.set_attribute("app.preview.attempt", claimed.attempts)
            try:
                async with asyncio.timeout(FETCH_SECONDS):
                    outcome = await self._attempt(web, claimed, root)
            except (DatabaseUnavailableError, TimeoutError) as error:
                logger.warning("a preview waits for its next attempt: %s", error)
            finally:
                root.set_attribute("app.outcome", outcome)
                seconds = time.monotonic() - start
                if histogram := self._instruments.histograms.get("app.preview.duration"):
                    histogram.record(seconds, {"app.outcome": outcome})

    async def _attempt(self, web: PublicWeb, claimed: db.ClaimedPreview, root: Span) -> str:
        """Fetch and store a preview; return the outcome, as telemetry names it."""
        try:
            page = await web.page(claimed.url)
            metadata = await self._parse(page)
        except (NotFetchedError, OverloadedError) as error:
            is_temporary = not isinstance(error, NotFetchedError) or error.is_temporary
            root.set_attribute("app.preview.reason", str(error) or "overloaded")
            pause = None
            if is_temporary and claimed.attempts < MAX_ATTEMPTS:
                pause = PAUSES[claimed.attempts - 1]
            async with self._database.writing() as conn:
                await db.update_failed_preview(conn, uuid=claimed.uuid, pause=pause)
            return "none" if pause is None else "postponed"
        picture = await self._picture(web, page, metadata.picture)
        async with self._database.writing() as conn:
            await db.update_preview(
                conn,
                uuid=claimed.uuid,
                title=metadata.title,
                description=metadata.description,
                site=_site(claimed.url),
                picture=picture,
            )
        return "stored"

    async def _parse(self, page: Fetched) -> Metadata:
        """Read the metadata of a page in a process of its own.

        Raises:
            NotFetchedError: it has no title, or parsing it costs too much.
            OverloadedError: too many pages wait, or the process cannot be started.
        """
        charset = page.charset.encode("ascii", "replace").replace(b"\n", b"")
        try:
            with span("parse page", {"app.page.bytes": len(page.body)}):
                found = await self._parsers.run(
                    page_metadata.__name__,
                    data=charset + b"\n" + page.body,
                    seconds=PARSE_SECONDS,
                    max_bytes=_MAX_METADATA_BYTES,
                )
        except ChildProcessFailedError as error:
            if error.code >= 0:
                raise
            raise NotFetchedError("parsing it costs too much") from error
        metadata = _METADATA.decode(found)
        title = clean_text(metadata.title, TITLE_CHARS)
        if not title:
            raise NotFetchedError("it has no title")
        description = clean_text(metadata.description, DESCRIPTION_CHARS)
        return Metadata(title, description, metadata.picture.strip())

    async def _picture(self, web: PublicWeb, page: Fetched, address: str) -> bytes | None:
        """Fetch and convert the picture of a page; None if there is none."""
        if not address:
            return None
        try:
            data = await web.picture(page.join(address))
            await self._converter.check(data, "preview_invalid")
            [encoded] = await self._converter.convert(data, [PICTURE], "preview_invalid")
        except (NotFetchedError, InvalidError, OverloadedError):
            return None
        return encoded.data


async def show_picture(conn: Connection, uuid: UUID) -> db.PreviewPicture:
    """Return the picture of a preview. Raises NotFoundError if no live crud has it."""
    picture = await db.select_picture(conn, uuid=uuid)
    if picture is None:
        raise NotFoundError
    return picture


def clean_text(text: str, max_chars: int) -> str:
    """Return a text in one line, in normalization form C, without characters that are not shown."""
    words = _UNSEEN.sub(" ", text).split()
    line = unicodedata.normalize("NFC", " ".join(words))
    return line if len(line) <= max_chars else f"{line[: max_chars - 1].rstrip()}…"


def _site(url: str) -> str:
    """Return the host that a link names.

    A page is not asked for its name: the reader would see another one than that of the link.
    """
    return public_url(url).raw_host.decode("ascii").removeprefix("www.")
