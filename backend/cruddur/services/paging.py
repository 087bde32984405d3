"""Keyset paging: a cursor is the position at which the next page of a list begins.

It consists of the position of the last item (a time or a rank) and its uuid, 24 bytes in URL-safe
base64. It has no page number and no offset, so no item is repeated or skipped when others are added
or expire.
"""

import base64
import binascii
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Generic, TypeVar
from uuid import UUID

from cruddur.errors import InvalidError

T = TypeVar("T")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CURSOR = struct.Struct(">q16s")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """The items of a page.

    Attributes:
        items: the items.
        cursor: the cursor of the next page, if there is one.
        hidden: the handles of users on the page who are hidden from the viewer. The endpoint leaves
            out what they wrote.
        is_private: whether the page is for the viewer alone, so that no cache may keep it.
    """

    items: list[T]
    cursor: str | None
    hidden: frozenset[str] = frozenset()
    is_private: bool = False


@dataclass(frozen=True, slots=True)
class Cursor:
    """A position as a number (microseconds since 1970, or a rank) and a uuid."""

    position: int
    uuid: UUID

    @property
    def time(self) -> datetime:
        """Return the position as a time.

        Raises:
            InvalidError: cursor_invalid, the number is outside the range of times.
        """
        try:
            return _EPOCH + timedelta(microseconds=self.position)
        except OverflowError:
            raise InvalidError("cursor_invalid") from None


def read_cursor(text: str | None) -> Cursor | None:
    """Parse the cursor of a request; None if the request has none.

    Raises:
        InvalidError: cursor_invalid, the text is not a cursor.
    """
    if text is None:
        return None
    try:
        raw = base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True)
        position, uuid = _CURSOR.unpack(raw)
    except (binascii.Error, UnicodeEncodeError, struct.error):
        raise InvalidError("cursor_invalid") from None
    return Cursor(position, UUID(bytes=uuid))


def time_cursor(text: str | None) -> tuple[datetime | None, UUID | None]:
    """Return the time and uuid after which a page begins; both are None for the first page.

    Raises:
        InvalidError: cursor_invalid.
    """
    cursor = read_cursor(text)
    return (cursor.time, cursor.uuid) if cursor else (None, None)


def page(
    items: Sequence[T], limit: int, position: Callable[[T], tuple[datetime | int, UUID]]
) -> Page[T]:
    """Return a page of up to `limit` items. One more item shows that there is a next page."""
    kept = list(items[:limit])
    if len(items) <= limit:
        return Page(kept, None)
    value, uuid = position(kept[-1])
    if isinstance(value, datetime):
        value = (value - _EPOCH) // timedelta(microseconds=1)
    raw = _CURSOR.pack(value, uuid.bytes)
    return Page(kept, base64.urlsafe_b64encode(raw).decode())
