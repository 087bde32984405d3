"""The parts of a picture file that count, and the limits that every format shares."""

from dataclasses import dataclass
from typing import Literal

Format = Literal["JPEG", "PNG", "GIF", "WEBP"]

MAX_PIXELS = 4096 * 4096
"""Pixels of a PNG, GIF or WebP, which are decoded in full, at up to 20 bytes per pixel."""

MAX_BLOCKS = 20_000
"""Segments, chunks or blocks of a file. Some encoders write the pixels in chunks of 4 KiB."""

MAX_PROFILE_BYTES = 4 * 1024 * 1024
"""Size of a color profile. The largest in use are those of printers, with about 2.5 MB."""


class UnreadablePictureError(Exception):
    """The bytes are not a picture of a supported format, or decoding it costs too much."""


@dataclass(frozen=True, slots=True)
class Parts:
    """A picture file in parts.

    Attributes:
        format: the name of the format in Pillow.
        file: a file with the pixels of the first picture and without metadata.
        profile: the ICC profile, which may be damaged, or None.
        orientation: how to turn the pixels, from 1 to 8 as in EXIF.
        has_end: False if the end of the pixels is not marked, so that some may be missing.
    """

    format: Format
    file: bytes
    profile: bytes | None = None
    orientation: int = 1
    has_end: bool = True


def check_size(width: int, height: int) -> None:
    """Raise UnreadablePictureError for a PNG, GIF or WebP without pixels, or with too many."""
    if not 0 < width * height <= MAX_PIXELS:
        raise UnreadablePictureError
