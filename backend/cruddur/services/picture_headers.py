"""Reject pictures by their headers if decoding them would be too expensive for their size.

The check reads lengths and dimensions and decodes nothing. Every loop is bounded, so the check
itself is cheap. Accepted pictures are decoded in a process with its own limits, which also checks
that a picture is complete.
"""

import re
import struct
from collections import Counter

from cruddur.errors import InvalidError

MAX_JPEG_PIXELS = 50_000_000
"""A JPEG can be decoded at a fraction of its size, so a phone's largest photo is cheap."""

MAX_PIXELS = 4096 * 4096
"""Pixels of a PNG, GIF or WebP, which are decoded in full, at up to 20 bytes per pixel."""

MAX_SCANNED_PIXELS = 500_000_000
"""Pixels times scans of a JPEG. Each scan of a progressive JPEG reads all blocks; about ten scans
are usual."""

MAX_SCANS = 100
MAX_FRAMES = 1_000
MAX_BLOCKS = 1_000
"""Segments, chunks or blocks of metadata. About ten are usual."""

MAX_STRAY_BYTES = 1_000
"""Stray bytes between two segments of a JPEG; decoders skip them one by one."""

MAX_PNG_CHUNKS = 20_000
"""Chunks of all kinds, including those with pixels: some encoders write chunks of 4 KiB."""

MAX_COMPRESSED_CHUNKS = 64
"""PNG chunks of text or color profiles, which can decompress to many times their size."""

_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]", re.DOTALL)
_FRAME_MARKERS = frozenset({0xC0, 0xC1, 0xC2})  # baseline, extended, progressive
_OTHER_FRAME_MARKERS = frozenset(range(0xC3, 0xD0)) - {0xC4, 0xC8, 0xCC}


def check_picture(data: bytes) -> None:
    """Check the headers of a JPEG, PNG, GIF or WebP.

    Raises:
        InvalidError: avatar_invalid, the bytes are not such a picture, or it costs too much.
    """
    try:
        if data.startswith(b"\xff\xd8\xff"):
            is_acceptable = _is_acceptable_jpeg(data)
        elif data.startswith(b"\x89PNG\r\n\x1a\n"):
            is_acceptable = _is_acceptable_png(data)
        elif data.startswith((b"GIF87a", b"GIF89a")):
            is_acceptable = _is_acceptable_gif(data)
        elif data.startswith(b"RIFF") and data[8:12] == b"WEBP":
            is_acceptable = _is_acceptable_webp(data)
        else:
            is_acceptable = False
    except (struct.error, IndexError):  # the data ends inside a header
        is_acceptable = False
    if not is_acceptable:
        raise InvalidError("avatar_invalid")


def _is_acceptable_jpeg(data: bytes) -> bool:
    """Walk the segments to the end of the image (ITU-T T.81, annex B)."""
    pixels = scans = 0
    offset = 2
    for _ in range(MAX_BLOCKS + MAX_SCANS):
        match = _MARKER.search(data, offset, offset + MAX_STRAY_BYTES)
        if match is None:
            return False
        offset = match.start()
        marker = data[offset + 1]
        if marker == 0xD9:
            break
        (length,) = struct.unpack_from(">H", data, offset + 2)
        if marker in _OTHER_FRAME_MARKERS:  # lossless, hierarchical, arithmetic: not in use
            return False
        if marker in _FRAME_MARKERS:
            if pixels:
                return False
            height, width = struct.unpack_from(">HH", data, offset + 5)
            pixels = width * height
            if not 0 < pixels <= MAX_JPEG_PIXELS:
                return False
        offset += 2 + length
        if marker == 0xDA:
            scans += 1
            if scans > MAX_SCANS or (scans > 1 and scans * pixels > MAX_SCANNED_PIXELS):
                return False
            following = _MARKER.search(data, offset)
            if following is None:  # truncated, which the decoder may accept
                break
            offset = following.start()
    else:
        return False
    return pixels > 0 and scans > 0


def _is_acceptable_png(data: bytes) -> bool:
    """Walk all chunks (PNG specification, 5.3)."""
    if data[12:16] != b"IHDR" or not _is_acceptable_size(*struct.unpack_from(">II", data, 16)):
        return False
    kinds: Counter[bytes] = Counter()
    offset = 8
    while offset + 8 <= len(data) and not kinds[b"IEND"]:
        (length,) = struct.unpack_from(">I", data, offset)
        kinds[data[offset + 4 : offset + 8]] += 1
        if kinds.total() > MAX_PNG_CHUNKS:
            return False
        offset += 12 + length
    compressed = kinds[b"iCCP"] + kinds[b"zTXt"] + kinds[b"iTXt"]
    return (
        kinds[b"IHDR"] == 1
        and compressed <= MAX_COMPRESSED_CHUNKS
        and kinds[b"iCCP"] <= 1
        and kinds[b"fcTL"] <= MAX_FRAMES
    )


def _is_acceptable_gif(data: bytes) -> bool:
    """Walk the blocks to the first image; nothing after it is read (GIF89a, appendix A)."""
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    offset = 13 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
    blocks = 0
    while data[offset] == 0x21:
        offset += 2
        while size := data[offset]:
            offset += 1 + size
            blocks += 1
            if blocks > MAX_BLOCKS:
                return False
        offset += 1
    if data[offset] != 0x2C:
        return False
    left, top, inner_width, inner_height = struct.unpack_from("<HHHH", data, offset + 1)
    return _is_acceptable_size(max(width, left + inner_width), max(height, top + inner_height))


def _is_acceptable_webp(data: bytes) -> bool:
    """Read the size and count the frames (RFC 9649)."""
    kind = data[12:16]
    if kind == b"VP8X":
        width = int.from_bytes(data[24:27], "little") + 1
        height = int.from_bytes(data[27:30], "little") + 1
    elif kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    elif kind == b"VP8 ":
        width, height = (size & 0x3FFF for size in struct.unpack_from("<HH", data, 26))
    else:
        return False
    offset, chunks = 12, 0
    while offset + 8 <= len(data):
        (length,) = struct.unpack_from("<I", data, offset + 4)
        offset += 8 + length + length % 2
        chunks += 1
        if chunks > MAX_FRAMES:
            return False
    return _is_acceptable_size(width, height)


def _is_acceptable_size(width: int, height: int) -> bool:
    return 0 < width * height <= MAX_PIXELS
