"""Read the orientation from EXIF metadata, however damaged the rest of it is."""

import struct

_ORIENTATION = 0x0112
_FORMATS = {3: "H", 4: "I"}  # SHORT, as EXIF demands, and LONG, which some programs write


def read_orientation(exif: bytes) -> int:
    """Return the orientation of a picture, from 1 to 8 (CIPA DC-008, 4.6.4 and 4.6.5.1.2).

    Args:
        exif: the TIFF header and what follows it, with or without "Exif" in front.

    Returns:
        1 if the metadata contain no valid orientation.
    """
    while exif.startswith(b"Exif\0\0"):
        exif = exif[6:]
    order = {b"II": "<", b"MM": ">"}.get(exif[:2])
    if order is None:
        return 1
    try:
        (offset,) = struct.unpack_from(f"{order}I", exif, 4)
        (count,) = struct.unpack_from(f"{order}H", exif, offset)
        for entry in range(offset + 2, offset + 2 + 12 * count, 12):
            tag, kind = struct.unpack_from(f"{order}HH", exif, entry)
            if tag == _ORIENTATION and kind in _FORMATS:
                (value,) = struct.unpack_from(f"{order}{_FORMATS[kind]}", exif, entry + 8)
                return value if 1 <= value <= 8 else 1
    except struct.error:  # the data end earlier
        pass
    return 1
