"""Convert a picture on standard input to a square JPEG of 512 pixels on standard output.

This is a separate program that is started for each picture: the service can kill it, the kernel
limits it, and a crash of a decoder does not affect the service. It imports neither Quart nor
OpenTelemetry, so that it starts in a tenth of a second.
"""

import contextlib
import ctypes
import io
import os
import resource
import signal
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

SIDE = 512
"""Width and height in pixels; PROCESS_WIDTH and PROCESS_HEIGHT in the original project."""

FORMATS = ("JPEG", "PNG", "GIF", "WEBP")

CPU_SECONDS = 4
MEMORY_BYTES = 512 * 1024 * 1024

REFUSED = 3
"""Exit code for bytes that are not a picture, or a picture that needs too much memory."""

_PR_SET_PDEATHSIG = 1
_NICENESS = 10


def main() -> int:
    """Convert the picture and return the exit code."""
    limit()
    data = sys.stdin.buffer.read()
    jpeg = encode(data)
    if jpeg is None:
        return REFUSED
    sys.stdout.buffer.write(jpeg)
    return 0


def limit() -> None:
    """Limit this process, tie its life to its parent, and lower its priority."""
    for kind, hard in (
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
    ):
        with contextlib.suppress(OSError, ValueError):  # some systems lack some of these limits
            resource.setrlimit(kind, (hard, hard))
    os.nice(_NICENESS)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        # If memory runs out, the kernel kills this process and not the service.
        with contextlib.suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text("1000")


def encode(data: bytes) -> bytes | None:
    """Return the picture as a JPEG, or None if the bytes are not a picture."""
    # Imported after the limits are set, so that they also apply to the libraries.
    from PIL import Image, ImageOps

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # malformed metadata does not make a picture invalid
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                image.draft("RGB", (SIDE * 2, SIDE * 2))
                square = ImageOps.fit(_pixels(image), (SIDE, SIDE), Image.Resampling.LANCZOS)
            upright = ImageOps.exif_transpose(square).convert("RGBA")
    except (
        # Pillow's decoders raise these for malformed bytes.
        OSError,
        ValueError,
        SyntaxError,
        TypeError,
        IndexError,
        KeyError,
        EOFError,
        OverflowError,
        MemoryError,
        Image.DecompressionBombError,
    ):
        return None
    flat = Image.new("RGB", upright.size, "white")
    flat.paste(upright, mask=upright)
    out = io.BytesIO()
    flat.save(out, "JPEG", quality=85, optimize=True)
    return out.getvalue()


def _pixels(image: "Picture") -> "Picture":
    if image.mode.startswith("I"):  # convert() keeps the wrong 8 of 16 bits
        return image.convert("I").point(lambda value: value / 256).convert("RGB")
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


if __name__ == "__main__":
    sys.exit(main())
