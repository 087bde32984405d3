"""Split a PNG into its parts (PNG specification, third edition, 5.3 and 11)."""

import struct
import zlib

from cruddur.pictures.exif import read_orientation
from cruddur.pictures.parts import (
    MAX_BLOCKS,
    MAX_PROFILE_BYTES,
    Parts,
    UnreadablePictureError,
    check_size,
)

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_END = struct.pack(">I", 0) + b"IEND" + struct.pack(">I", zlib.crc32(b"IEND"))
_PIXELS = frozenset({b"IHDR", b"PLTE", b"IDAT"})

_TRANSPARENCY_BYTES = {0: range(2, 3), 2: range(6, 7), 3: range(1, 257)}
"""Possible sizes of tRNS for each color type that has it (11.3.1.1)."""


def split_png(data: bytes) -> Parts:
    """Return the parts of the default picture, without the frames of an animation.

    Raises:
        UnreadablePictureError: there are no pixels, or decoding them costs too much.
        struct.error: the data end inside a header.
    """
    if data[12:16] != b"IHDR":
        raise UnreadablePictureError
    check_size(*struct.unpack_from(">II", data, 16))
    kept = [SIGNATURE]
    found: dict[bytes, bytes] = {}
    offset = len(SIGNATURE)
    for _ in range(MAX_BLOCKS):
        if offset + 8 > len(data):
            break
        (length,) = struct.unpack_from(">I", data, offset)
        kind = data[offset + 4 : offset + 8]
        if kind == b"IEND":
            break
        if kind == b"IHDR" and offset != len(SIGNATURE):
            raise UnreadablePictureError
        chunk = data[offset : offset + 12 + length]
        offset += 12 + length
        if kind in _PIXELS or (
            kind == b"tRNS"
            and length in _TRANSPARENCY_BYTES.get(data[25], ())
            and _is_intact(chunk)
        ):
            kept.append(chunk)
        elif kind in (b"iCCP", b"eXIf"):
            found.setdefault(kind, chunk[8:-4])
    else:
        raise UnreadablePictureError
    return Parts(
        "PNG",
        b"".join([*kept, _END]),
        profile=_read_profile(found.get(b"iCCP", b"")),
        orientation=read_orientation(found.get(b"eXIf", b"")),
    )


def _is_intact(chunk: bytes) -> bool:
    return chunk[-4:] == struct.pack(">I", zlib.crc32(chunk[4:-4]))


def _read_profile(content: bytes) -> bytes | None:
    """Decompress a profile (11.3.2.3). Return None if it is damaged or too large."""
    _, separator, compressed = content.partition(b"\0")
    if not separator or compressed[:1] != b"\0":
        return None
    unpacker = zlib.decompressobj()
    try:
        profile = unpacker.decompress(compressed[1:], MAX_PROFILE_BYTES)
    except zlib.error:
        return None
    return profile if unpacker.eof else None
