"""Split a WebP into its parts (RFC 9649)."""

import struct

from cruddur.pictures.exif import read_orientation
from cruddur.pictures.parts import (
    MAX_BLOCKS,
    MAX_PROFILE_BYTES,
    Parts,
    UnreadablePictureError,
    check_size,
)

_ALPHA, _ANIMATION = 0x10, 0x02


def split_webp(data: bytes) -> Parts:
    """Return the parts of a picture, or of the first frame of an animation.

    Raises:
        UnreadablePictureError: there are no pixels, or decoding them costs too much.
        struct.error: the data end inside a header.
    """
    chunks = _read_chunks(data)
    if b"VP8 " in chunks or b"VP8L" in chunks:
        file = _still(chunks)
    elif b"ANMF" in chunks and b"ANIM" in chunks and len(chunks.get(b"VP8X", b"")) == 10:
        file = _animation(chunks)
    else:
        raise UnreadablePictureError
    profile = chunks.get(b"ICCP")
    return Parts(
        "WEBP",
        b"RIFF" + struct.pack("<I", 4 + len(file)) + b"WEBP" + file,
        profile=profile if profile and len(profile) <= MAX_PROFILE_BYTES else None,
        orientation=read_orientation(chunks.get(b"EXIF", b"")),
    )


def _read_chunks(data: bytes) -> dict[bytes, bytes]:
    """Return the first chunk of each kind."""
    chunks: dict[bytes, bytes] = {}
    offset = 12
    for _ in range(MAX_BLOCKS):
        if offset + 8 > len(data):
            return chunks
        (length,) = struct.unpack_from("<I", data, offset + 4)
        chunks.setdefault(data[offset : offset + 4], data[offset + 8 : offset + 8 + length])
        offset += 8 + length + length % 2
    raise UnreadablePictureError


def _still(chunks: dict[bytes, bytes]) -> bytes:
    """Return the chunks of a picture. Its bitstream knows its size, whatever the header states."""
    lossless = chunks.get(b"VP8L")
    if lossless is not None:
        (bits,) = struct.unpack_from("<I", lossless, 1)
        check_size((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
        return _chunk(b"VP8L", lossless)
    lossy = chunks[b"VP8 "]
    width, height = (size & 0x3FFF for size in struct.unpack_from("<HH", lossy, 6))
    check_size(width, height)
    has_alpha = (chunks.get(b"VP8X") or b"\0")[0] & _ALPHA
    if not has_alpha or b"ALPH" not in chunks:
        return _chunk(b"VP8 ", lossy)
    header = _header(_ALPHA, width, height)
    return header + _chunk(b"ALPH", chunks[b"ALPH"]) + _chunk(b"VP8 ", lossy)


def _animation(chunks: dict[bytes, bytes]) -> bytes:
    header = chunks[b"VP8X"]
    width = int.from_bytes(header[4:7], "little") + 1
    height = int.from_bytes(header[7:10], "little") + 1
    check_size(width, height)
    flags = header[0] & _ALPHA | _ANIMATION
    return _header(flags, width, height) + b"".join(
        _chunk(kind, chunks[kind]) for kind in (b"ANIM", b"ANMF")
    )


def _header(flags: int, width: int, height: int) -> bytes:
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return _chunk(b"VP8X", struct.pack("<I", flags) + size)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return kind + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)
