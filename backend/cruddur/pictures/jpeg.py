"""Split a JPEG into its parts (ITU-T T.81, annex B)."""

import re
import struct

from cruddur.pictures.exif import read_orientation
from cruddur.pictures.parts import MAX_PROFILE_BYTES, Parts, UnreadablePictureError

MAX_PIXELS = 50_000_000
"""A JPEG can be decoded at a fraction of its size, so a phone's largest photo is cheap."""

MAX_SCANNED_PIXELS = 500_000_000
"""Pixels times scans of a JPEG. Each scan of a progressive JPEG reads all blocks; about ten scans
are usual."""

MAX_SCANS = 100
MAX_SEGMENTS = 1_000
"""About ten are usual; a profile of 4 MiB takes 64."""

MAX_STRAY_BYTES = 0xFFFF
"""Bytes between two segments: a segment that states a wrong length can leave as many."""

_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]", re.DOTALL)
_START, _END, _SCAN, _WITHOUT_LENGTH = 0xD8, 0xD9, 0xDA, 0x01
_FRAMES = frozenset({0xC0, 0xC1, 0xC2})  # baseline, extended, progressive
_OTHER_FRAMES = frozenset(range(0xC3, 0xD0)) - {0xC4, 0xC8, 0xCC}
_TABLES = frozenset({0xC4, 0xDB, 0xDD})  # Huffman codes, quantization, restart interval
_APP0, _APP1, _APP2, _APP14 = 0xE0, 0xE1, 0xE2, 0xEE


def split_jpeg(data: bytes) -> Parts:
    """Return the parts of the first picture; many phones store others after it.

    Raises:
        UnreadablePictureError: there are no pixels, or decoding them costs too much.
        struct.error: the data end inside a header.
    """
    kept = [data[:2]]
    profile: dict[int, bytes] = {}
    profile_parts = pixels = scans = 0
    orientation = None
    offset = 2
    for _ in range(MAX_SEGMENTS):
        match = _MARKER.search(data, offset, offset + MAX_STRAY_BYTES)
        if match is None:
            raise UnreadablePictureError
        offset = match.start()
        marker = data[offset + 1]
        if marker == _END:
            break
        if marker == _START:  # a thumbnail in a segment that states a wrong length
            end = data.find(b"\xff\xd9", offset)
            offset = end + 2 if end >= 0 else len(data)
            continue
        if marker == _WITHOUT_LENGTH:
            offset += 2
            continue
        (length,) = struct.unpack_from(">H", data, offset + 2)
        content = data[offset + 4 : offset + 2 + length]
        segment = data[offset : offset + 2 + length]
        offset += 2 + length
        if marker in _OTHER_FRAMES:  # lossless, hierarchical, arithmetic: not in use
            raise UnreadablePictureError
        if marker in _FRAMES:
            height, width = struct.unpack_from(">HH", content, 1)
            if pixels or not 0 < width * height <= MAX_PIXELS:
                raise UnreadablePictureError
            pixels = width * height
        if marker in _FRAMES or marker in _TABLES or _names_colors(marker, content):
            kept.append(segment)
        elif marker == _APP1 and content.startswith(b"Exif\0\0") and orientation is None:
            orientation = read_orientation(content)
        elif marker == _APP2 and content.startswith(b"ICC_PROFILE\0") and len(content) > 14:
            profile.setdefault(content[12], content[14:])
            profile_parts = content[13]
        elif marker == _SCAN:
            scans += 1
            if scans > MAX_SCANS or (scans > 1 and scans * pixels > MAX_SCANNED_PIXELS):
                raise UnreadablePictureError
            following = _MARKER.search(data, offset)
            end = following.start() if following else len(data)
            kept += segment, data[offset:end]
            offset = end
            if following is None:
                break
    else:
        raise UnreadablePictureError
    if not (pixels and scans):
        raise UnreadablePictureError
    return Parts(
        "JPEG",
        b"".join([*kept, b"\xff\xd9"]),
        profile=_join_profile(profile, profile_parts),
        orientation=orientation or 1,
        has_end=offset < len(data),
    )


def _names_colors(marker: int, content: bytes) -> bool:
    """Return whether a decoder finds the color model in this segment."""
    return (marker == _APP0 and content.startswith(b"JFIF\0") and len(content) >= 14) or (
        marker == _APP14 and content.startswith(b"Adobe") and len(content) >= 12
    )


def _join_profile(parts: dict[int, bytes], count: int) -> bytes | None:
    """Join the parts of a profile by their numbers (ICC.1, B.4); None unless all are there."""
    if not parts or sorted(parts) != list(range(1, count + 1)):
        return None
    profile = b"".join(parts[number] for number in sorted(parts))
    return profile if len(profile) <= MAX_PROFILE_BYTES else None
