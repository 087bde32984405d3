"""Split a GIF into its parts (GIF89a, appendix A)."""

import struct

from cruddur.pictures.parts import MAX_BLOCKS, Parts, UnreadablePictureError, check_size

_EXTENSION, _IMAGE, _TRAILER, _GRAPHIC_CONTROL = 0x21, 0x2C, 0x3B, 0xF9
_CONTROL_BYTES = 8


def split_gif(data: bytes) -> Parts:
    """Return the first image with its transparent color. What follows it is not read.

    Raises:
        UnreadablePictureError: there are no pixels, or decoding them costs too much.
        struct.error, IndexError: the data end inside a header.
    """
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    header = 13 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
    offset, blocks, control = header, 0, b""
    while (kind := data[offset]) != _IMAGE:
        if kind == _TRAILER:
            raise UnreadablePictureError
        start = offset
        offset += 1
        if kind == _EXTENSION:
            offset += 1
            while size := data[offset]:
                offset += 1 + size
                blocks += 1
                if blocks > MAX_BLOCKS:
                    raise UnreadablePictureError
            offset += 1
            if data[start + 1] == _GRAPHIC_CONTROL and offset - start == _CONTROL_BYTES:
                control = data[start:offset]
        blocks += 1
        if blocks > MAX_BLOCKS:
            raise UnreadablePictureError
    left, top, inner_width, inner_height = struct.unpack_from("<HHHH", data, offset + 1)
    check_size(max(width, left + inner_width), max(height, top + inner_height))
    return Parts("GIF", data[:header] + control + data[offset:])
