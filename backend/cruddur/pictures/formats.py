"""Split a picture file of any supported format into its parts.

Splitting reads lengths and dimensions and decodes nothing. Every loop is bounded, so it takes
milliseconds. It rejects pictures that cost much more to decode than their size suggests. Decoders
get the pixels only, so that damaged metadata cannot disturb them.
"""

import struct

from cruddur.pictures.gif import split_gif
from cruddur.pictures.jpeg import split_jpeg
from cruddur.pictures.parts import Parts, UnreadablePictureError
from cruddur.pictures.png import SIGNATURE, split_png
from cruddur.pictures.webp import split_webp


def split(data: bytes) -> Parts:
    """Return the parts of a JPEG, PNG, GIF or WebP.

    Raises:
        UnreadablePictureError: the bytes are not such a picture, or decoding it costs too much.
    """
    try:
        if data.startswith(b"\xff\xd8\xff"):
            return split_jpeg(data)
        if data.startswith(SIGNATURE):
            return split_png(data)
        if data.startswith((b"GIF87a", b"GIF89a")):
            return split_gif(data)
        if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
            return split_webp(data)
    except (struct.error, IndexError) as error:  # the data end inside a header
        raise UnreadablePictureError from error
    raise UnreadablePictureError
