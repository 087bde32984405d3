"""Convert a picture on standard input, and write the results to standard output.

This is a separate program that is started for each picture: the service can kill it, the kernel
limits it, and a crash of a decoder does not affect the service. It imports neither Quart nor
OpenTelemetry, so that it starts in a tenth of a second.
"""

import contextlib
import ctypes
import json
import os
import signal
import struct
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from cruddur.pictures.parts import UnreadablePictureError
from cruddur.pictures.targets import Encoded, Square, Target

CPU_SECONDS = 4
MEMORY_BYTES = 512 * 1024 * 1024

REFUSED = 3
"""Exit code for bytes that are not a picture, or a picture that needs too much memory."""

_PR_SET_PDEATHSIG = 1
_NICENESS = 10
_HEADER = struct.Struct(">III")
"""Width, height and size in bytes of the file that follows."""


def to_arguments(targets: Sequence[Target]) -> list[str]:
    """Return the arguments of the program for these targets."""
    return [json.dumps(asdict(target)) for target in targets]


def from_output(output: bytes) -> list[Encoded]:
    """Return the results in the output of the program, in the order of the targets."""
    results = []
    offset = 0
    while offset < len(output):
        width, height, size = _HEADER.unpack_from(output, offset)
        offset += _HEADER.size + size
        results.append(Encoded(output[offset - size : offset], width, height))
    return results


def main(arguments: Sequence[str]) -> int:
    """Convert the picture for the targets in the arguments, and return the exit code."""
    limit()
    # Imported after the limits are set, so that they also apply to the libraries.
    from cruddur.pictures.conversion import convert

    try:
        results = convert(sys.stdin.buffer.read(), [_target(one) for one in arguments])
    except (UnreadablePictureError, MemoryError):
        return REFUSED
    for result in results:
        sys.stdout.buffer.write(_HEADER.pack(result.width, result.height, len(result.data)))
        sys.stdout.buffer.write(result.data)
    return 0


def _target(argument: str) -> Target:
    fields = json.loads(argument)
    square = fields.pop("square")
    return Target(**fields, square=Square(**square) if square else None)


def limit() -> None:
    """Limit this process, tie its life to its parent, and lower its priority.

    Windows has no such limits. There, the service only kills a process that takes too long.
    """
    try:
        import resource
    except ImportError:
        return
    if sys.platform == "win32":
        return
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


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
