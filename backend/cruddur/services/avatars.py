"""Avatars: any picture becomes a square JPEG of 512 pixels."""

import asyncio
import hashlib
import io
import warnings
from uuid import UUID

from PIL import Image, ImageOps

from cruddur.db import avatars as db
from cruddur.db.statements import Connection
from cruddur.errors import InvalidError, NotFoundError
from cruddur.wire import Avatar

SIDE = 512
"""Pixels; the original's PROCESS_WIDTH and PROCESS_HEIGHT."""

MOST_PIXELS = 50_000_000
"""A picture is unpacked whole: this many pixels are 200 MB, and more is a bomb."""

FORMATS = ("JPEG", "PNG", "GIF", "WEBP")
_slots = asyncio.Semaphore(1)


async def encode(data: bytes) -> bytes:
    """The JPEG of a picture, in a worker thread.

    Raises:
        InvalidError: avatar_invalid, it is no picture of a known kind, or too large.
    """
    async with _slots:
        return await asyncio.to_thread(_encode, data)


async def save(conn: Connection, user_uuid: UUID, jpeg: bytes) -> Avatar:
    """Keep a person's picture. Raises NotFoundError when the person is gone."""
    digest = hashlib.blake2b(jpeg, digest_size=8).hexdigest()
    url = await db.upsert_avatar(conn, user_uuid=user_uuid, jpeg=jpeg, digest=digest)
    if url is None:
        raise NotFoundError
    return Avatar(url)


async def show(conn: Connection, subject: str) -> db.Picture:
    """The picture of a person. Raises NotFoundError when there is none."""
    picture = await db.select_avatar(conn, subject=subject)
    if picture is None:
        raise NotFoundError
    return picture


def _encode(data: bytes) -> bytes:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                if image.width * image.height > MOST_PIXELS:
                    raise InvalidError("avatar_invalid")
                image.draft("RGB", (SIDE * 2, SIDE * 2))  # lets a JPEG unpack smaller
                upright = ImageOps.exif_transpose(image)
                flat = Image.new("RGB", upright.size, "white")
                pixels = upright.convert("RGBA")
                flat.paste(pixels, mask=pixels.getchannel("A"))
                square = ImageOps.fit(flat, (SIDE, SIDE), Image.Resampling.LANCZOS)
    except InvalidError:
        raise
    except (
        # What Pillow's decoders raise for bytes that are not what they claim to be.
        OSError,
        ValueError,
        SyntaxError,
        TypeError,
        IndexError,
        KeyError,
        EOFError,
        OverflowError,
        MemoryError,
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
    ) as error:
        raise InvalidError("avatar_invalid") from error
    out = io.BytesIO()
    square.save(out, "JPEG", quality=85, optimize=True)
    return out.getvalue()
