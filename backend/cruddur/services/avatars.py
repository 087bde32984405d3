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
from cruddur.telemetry.work import span
from cruddur.wire import Avatar

SIDE = 512
"""Pixels; the original's PROCESS_WIDTH and PROCESS_HEIGHT."""

MOST_PIXELS = {"JPEG": 50_000_000, "PNG": 25_000_000, "GIF": 25_000_000, "WEBP": 25_000_000}
"""More is a bomb. A JPEG unpacks smaller at once, the others whole, at up to 12
bytes a pixel."""

FORMATS = tuple(MOST_PIXELS)
_slots = asyncio.Semaphore(1)


async def encode(data: bytes) -> bytes:
    """The JPEG of a picture, in a worker thread.

    Raises:
        InvalidError: avatar_invalid, it is no picture of a known kind, or too large.
    """
    with span("encode avatar", {"app.picture.bytes": len(data)}):
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
    # PostgreSQL takes no NUL, which a path may hold.
    picture = None if "\x00" in subject else await db.select_avatar(conn, subject=subject)
    if picture is None:
        raise NotFoundError
    return picture


def _encode(data: bytes) -> bytes:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd metadata: the picture is good all the same
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                if image.width * image.height > MOST_PIXELS[image.format or ""]:
                    raise InvalidError("avatar_invalid")
                image.draft("RGB", (SIDE * 2, SIDE * 2))
                square = ImageOps.fit(_pixels(image), (SIDE, SIDE), Image.Resampling.LANCZOS)
            upright = ImageOps.exif_transpose(square).convert("RGBA")
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
    flat = Image.new("RGB", upright.size, "white")
    flat.paste(upright, mask=upright)
    out = io.BytesIO()
    flat.save(out, "JPEG", quality=85, optimize=True)
    return out.getvalue()


def _pixels(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):  # 16 bits of grey, of which convert() would keep the wrong 8
        return image.convert("I").point(lambda value: value / 256).convert("RGB")
    return image.convert("RGBA" if image.has_transparency_data else "RGB")
