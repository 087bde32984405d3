"""ICC profiles in a few hundred bytes (ICC.1:2022)."""

import itertools
import struct

RED, GREEN, BLUE = (0.4361, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141)
"""The colors of sRGB under D50."""


def profile(space: bytes, connection: bytes, tags: dict[bytes, bytes]) -> bytes:
    """A profile of version 2 for displays."""
    offset = 128 + 4 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for name, content in tags.items():
        table += name + struct.pack(">II", offset + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    header = struct.pack(
        ">I4sI4s4s4s12s4s", 128 + len(table) + len(body), b"lcms", 0x02400000,
        b"prtr" if space == b"CMYK" else b"mntr", space, connection, bytes(12), b"acsp",
    )  # fmt: skip
    header += bytes(28) + xyz(0.9642, 1, 0.8249)[8:] + bytes(48)
    return header + table + body


def xyz(*values: float) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(65536 * value) for value in values))


def gamma(value: float) -> bytes:
    return b"curv" + bytes(4) + struct.pack(">IH", 1, round(256 * value))


def of_display(*colors: tuple[float, float, float]) -> bytes:
    """A profile of RGB with these colors as its red, green and blue."""
    tags = {b"wtpt": xyz(0.9642, 1, 0.8249)}
    for name, color in zip((b"r", b"g", b"b"), colors, strict=True):
        tags[name + b"XYZ"] = xyz(*color)
        tags[name + b"TRC"] = gamma(2.2)
    return profile(b"RGB ", b"XYZ ", tags)


def of_gray(value: float) -> bytes:
    """A profile of gray with this gamma."""
    return profile(b"GRAY", b"XYZ ", {b"wtpt": xyz(0.9642, 1, 0.8249), b"kTRC": gamma(value)})


def of_ink(cyan: tuple[int, int, int]) -> bytes:
    """A profile of CMYK in which full cyan has this color (L*, a* and b*)."""
    straight = bytes(range(256))
    white, black = b"\xff\x80\x80", b"\0\x80\x80"
    corners = [
        black if has_black else bytes(cyan) if has_cyan else white
        for has_cyan, _, _, has_black in itertools.product((0, 1), repeat=4)
    ]
    table = (
        b"mft1" + bytes(4) + bytes((4, 3, 2, 0))
        + struct.pack(">9i", *(65536 * (at % 4 == 0) for at in range(9)))
        + straight * 4 + b"".join(corners) + straight * 3
    )  # fmt: skip
    tags = {b"wtpt": xyz(0.9642, 1, 0.8249), b"A2B0": table}
    return profile(b"CMYK", b"Lab ", tags)
