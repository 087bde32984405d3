"""Pictures that cost much more to decode than their size suggests."""

import io
import re
import struct
import zlib
from typing import Any

from PIL import Image

_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]", re.DOTALL)


def file(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    """The image as a file."""
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def chunk(name: bytes, data: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width: int, height: int, *, color_type: int = 6, before: bytes = b"") -> bytes:
    """A PNG of zeros, with chunks before its pixels."""
    channels = {6: 4, 3: 1}[color_type]
    packer = zlib.compressobj(9)
    line = bytes(1 + width * channels)
    pixels = b"".join(packer.compress(line) for _ in range(height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 8, color_type, 0, 0, 0)
    palette = chunk(b"PLTE", bytes(768)) if color_type == 3 else b""
    ends = chunk(b"IDAT", pixels), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + palette + before + b"".join(ends)


def jpeg_of_scans(width: int, height: int, more: int) -> bytes:
    """A progressive JPEG that repeats its last scan."""
    data = file(Image.new("RGB", (width, height), "red"), "JPEG", progressive=True, quality=50)
    last = data.rindex(b"\xff\xda")
    (length,) = struct.unpack_from(">H", data, last + 2)
    end = _MARKER.search(data, last + 2 + length)
    assert end is not None
    return data[: end.start()] + data[last : end.start()] * more + data[end.start() :]


def jpeg_of_segments(count: int) -> bytes:
    """A JPEG with many empty comments."""
    data = file(Image.new("RGB", (64, 64), "red"), "JPEG")
    return data[:2] + b"\xff\xfe\x00\x02" * count + data[2:]


def webp_chunks(data: bytes, more: bytes) -> bytes:
    """A WebP with chunks after its own."""
    body = data[8:] + more
    return b"RIFF" + struct.pack("<I", len(body)) + body
