"""Export a member's own data as a ZIP archive, which is written while it is sent.

docs/export.md describes the format. Memory holds one batch of rows or one picture, and the list of
files of the archive. What has expired, or is hidden from the member, when its batch is read is left
out.

The archive is written by `zipfile`, which supports files that it cannot seek in. Libraries that
stream archives hold the same list of files, and add a dependency (docs/export.md).
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Literal
from uuid import UUID
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import msgspec

from cruddur.asgi_types import Receive, Send
from cruddur.db import avatars, throttles
from cruddur.db import export as db
from cruddur.db.pool import Database
from cruddur.db.statements import Connection
from cruddur.errors import RateLimitedError
from cruddur.identity.viewer import Viewer, check_session
from cruddur.services import moderation
from cruddur.services.crud_pictures import CrudPictures
from cruddur.services.evidence import EvidenceSealer
from cruddur.telemetry.background import background
from cruddur.telemetry.operation import Instruments
from cruddur.wire import AuditExportQuery

EXPORTS_PER_DAY = 3
"""Exports that a member may start in 24 hours."""

BATCH = 500
"""Rows of a statement."""

FORMAT = 1
"""The version of the format in `export.json`."""

TABLES: Mapping[str, str] = {
    "accounts": "profile",
    "activities": "cruds",
    "activity_links": "cruds",
    "activity_tags": "cruds",
    "api_tokens": "api_tokens",
    "audit_entries": "audit",
    "avatars": "avatar.jpg",
    "blocks": "blocks",
    "email_changes": "email_changes",
    "familiar_clients": "known_devices",
    "follow_counts": "profile",
    "followed_tags": "followed_tags",
    "follows": "following",
    "likes": "likes",
    "message_groups": "conversations",
    "messages": "messages",
    "moderation_actions": "notices",
    "mutes": "mutes",
    "notifications": "notifications",
    "picture_files": "pictures/",
    "passkeys": "passkeys",
    "pictures": "pictures",
    "recovery_codes": "second_factor",
    "reports": "reports",
    "reposts": "reposts",
    "second_factors": "second_factor",
    "sessions": "sessions",
    "users": "profile",
}
"""The tables with rows of members, each with the part of the archive that shows them."""

LEFT_OUT: Mapping[str, str] = {
    "cases": "Cases of moderators would reveal who reported you. Decisions are in notices.json.",
    "deleted_activities": "Sealed copies of cruds that you deleted, for ten minutes.",
    "events": "The log of the last 15 minutes for open pages. It has no content.",
    "expired_activities": "The uuids of what has expired in the last 30 minutes.",
    "expired_messages": "The uuids of messages that have expired in the last 30 minutes.",
    "idempotency_keys": "Copies of responses, for 24 hours, if a client repeats a request.",
    "passkey_challenges": "Challenges for passkeys, for a few minutes.",
    "password_resets": "A code that was sent to you, for 15 minutes; only its digest is stored.",
    "refresh_tokens": "Secrets of your sessions; only their digests are stored.",
    "stream_tickets": "Secrets that open a stream, for 30 seconds; only their digests are stored.",
    "used_uploads": "Addresses for an upload that were used, for a few minutes.",
}
"""The other tables that refer to members, each with the reason."""

_DAY = timedelta(days=1)

Reason = Literal["client", "complete", "failed"]


class Export:
    """The archive of one member, as a response that continues after its request.

    Attributes:
        sent: messages that were passed to the server.
        reason: why the response ended.
    """

    def __init__(
        self,
        viewer: Viewer,
        database: Database,
        crud_pictures: CrudPictures,
        sealer: EvidenceSealer,
        instruments: Instruments,
    ) -> None:
        """Set the member and the sources; `sealer` opens the words of the member's reports."""
        self.sent = 0
        self.reason: Reason = "failed"
        self._viewer = viewer
        self._database = database
        self._crud_pictures = crud_pictures
        self._sealer = sealer
        self._instruments = instruments

    def release(self) -> None:
        """Do nothing: an export that was not run holds nothing."""

    async def run(self, receive: Receive, send: Send) -> None:
        """Send the archive, unless the client disconnects before its end.

        Raises:
            Exception: reading failed, or the session has ended. The server then closes the
                connection, so that the client does not take the archive for complete.
        """

        async def wait_for_disconnect() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass

        with background("export", self._instruments, is_quiet=True):
            sending = asyncio.create_task(self._send(send))
            leaving = asyncio.create_task(wait_for_disconnect())
            try:
                await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
                if not sending.done():
                    self.reason = "client"
                    return
                await sending
                self.reason = "complete"
            finally:
                for task in (sending, leaving):
                    task.cancel()
                await asyncio.gather(sending, leaving, return_exceptions=True)

    async def _send(self, send: Send) -> None:
        async with contextlib.aclosing(self._archive()) as chunks:
            async for chunk in chunks:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
                self.sent += 1
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _archive(self) -> AsyncGenerator[bytes, None]:
        """Yield the bytes of the archive."""
        sink = _Sink()
        with ZipFile(sink, "w") as archive:
            archive.writestr(_file("export.json"), self._description())
            for part in db.PARTS:
                with archive.open(_file(f"{part}.json"), "w") as file:
                    separator = b"["
                    async for batch in self._rows(part):
                        for item in batch:
                            file.write(separator + b"\n" + item)
                            separator = b","
                        yield sink.take()
                    file.write(b"\n]\n" if separator == b"," else b"[]\n")
                yield sink.take()
            with archive.open(_file("audit.jsonl"), "w") as file:
                async for lines in self._audit():
                    file.write(lines)
                    yield sink.take()
            avatar = await self._avatar()
            if avatar is not None:
                archive.writestr(_file("avatar.jpg", ZIP_STORED), avatar)
                yield sink.take()
            async for batch in self._rows("pictures"):
                for item in batch:
                    uuid = msgspec.json.decode(item, type=_Picture).uuid
                    jpeg = await self._crud_pictures.file(uuid)
                    if jpeg is not None:  # the crud has not expired since
                        archive.writestr(_file(f"pictures/{uuid}.jpg", ZIP_STORED), jpeg)
                        yield sink.take()
        yield sink.take()

    async def _rows(self, part: str) -> AsyncIterator[list[bytes]]:
        """Yield batches of the rows of a part; the session must be open for each."""
        after: str | None = None
        while True:
            async with self._connection() as conn:
                rows = await db.select_part(
                    conn, part, user_uuid=self._viewer.uuid, after=after, batch=BATCH
                )
            yield [self._item(part, row.item) for row in rows]
            if len(rows) < BATCH:
                return
            after = rows[-1].position

    def _item(self, part: str, item: str) -> bytes:
        if part != "reports":
            return item.encode()
        report = msgspec.json.decode(item)
        sealed = report.pop("sealed_words")
        sealed = None if sealed is None else msgspec.convert(sealed.replace("\n", ""), bytes)
        return msgspec.json.encode({**report, "words": self._sealer.open_words(sealed)})

    async def _audit(self) -> AsyncIterator[bytes]:
        query = AuditExportQuery(limit=BATCH)
        while True:
            async with self._connection() as conn:
                page = await moderation.own_audit(conn, self._viewer, query)
            yield moderation.as_lines(page.items).encode()
            if page.cursor is None:
                return
            query = AuditExportQuery(limit=BATCH, cursor=page.cursor)

    async def _avatar(self) -> bytes | None:
        async with self._connection() as conn:
            return await avatars.select_avatar_of(conn, user_uuid=self._viewer.uuid)

    @contextlib.asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        """Yield a connection, if the session is still open. None is held while a batch is sent."""
        async with self._database.connection() as conn:
            await check_session(conn, self._viewer)
            yield conn

    def _description(self) -> bytes:
        described = {
            "format": FORMAT,
            "handle": self._viewer.handle,
            "created_at": datetime.now(UTC),
            "left_out": LEFT_OUT,
        }
        return msgspec.json.format(msgspec.json.encode(described), indent=2) + b"\n"


async def count_export(conn: Connection, viewer: Viewer) -> None:
    """Count an export of the viewer.

    Raises:
        RateLimitedError: they have started too many in 24 hours.
    """
    counted = await throttles.count_attempt(conn, bucket=f"export:{viewer.uuid}", period=_DAY)
    if counted.attempts > EXPORTS_PER_DAY:
        raise RateLimitedError(counted.retry_after)


class _Picture(msgspec.Struct):
    uuid: UUID


class _Sink:
    """A file that ZipFile writes to and cannot seek in; `take` returns what was written."""

    def __init__(self) -> None:
        self._chunks: list[bytes] = []

    def write(self, chunk: bytes, /) -> int:
        self._chunks.append(bytes(chunk))
        return len(chunk)

    def flush(self) -> None:
        """Do nothing: `take` returns everything."""

    def close(self) -> None:
        """Do nothing: it holds no resource."""

    def take(self) -> bytes:
        """Return what was written since the last call."""
        taken = b"".join(self._chunks)
        self._chunks.clear()
        return taken


def _file(name: str, compression: int = ZIP_DEFLATED) -> ZipInfo:
    info = ZipInfo(name, time.gmtime()[:6])
    info.compress_type = compression
    info.external_attr = 0o600 << 16
    return info
