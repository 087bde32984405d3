"""Uploading a picture takes seconds; all other requests are fast.

Cause: the encoder enlarges each picture to 3,072 pixels before it makes it small, which was meant
to make pictures sharper.

Telemetry: among the slow requests, `http.route` is the one for uploads. Most of the time is in the
span `encode avatar`.
"""

import io
from collections.abc import AsyncGenerator
from dataclasses import replace

from PIL import Image
from quart import Quart

from cruddur.concurrency.thread_pool import BoundedThreadPool
from cruddur.services.avatars import MAX_UPLOADS, Encoder
from scenarios.scenario import Scenario

SIDE = 3072


class SlowAvatars(Scenario):
    """An encoder that enlarges first.

    Attributes:
        side: the width and height in pixels that it enlarges to.
    """

    def __init__(self, side: int = SIDE) -> None:
        """Set the size."""
        self.side = side

    def extend(self, app: Quart) -> None:
        """Replace the encoder."""

        @app.while_serving
        async def replace_encoder() -> AsyncGenerator[None, None]:
            resources, encoder = app.extensions["cruddur"], EnlargingEncoder(self.side)
            app.extensions["cruddur"] = replace(resources, encoder=encoder)
            yield
            encoder.close()


class EnlargingEncoder(Encoder):
    """Enlarges each picture before it is encoded."""

    def __init__(self, side: int) -> None:
        """Set the size in pixels."""
        super().__init__()
        self._side = side
        self._enlarging = BoundedThreadPool("enlarging", threads=1, waiting=MAX_UPLOADS)

    async def encode(self, data: bytes) -> bytes:
        """Convert a picture to a JPEG."""
        return await super().encode(await self._enlarging.run(enlarge, data, self._side))

    def close(self) -> None:
        """Drop the pictures that wait."""
        super().close()
        self._enlarging.close()


def enlarge(data: bytes, side: int) -> bytes:
    """Return a picture with a width and a height of `side` pixels."""
    out = io.BytesIO()
    with Image.open(io.BytesIO(data)) as picture:
        picture.convert("RGB").resize((side, side)).save(out, "PNG", compress_level=1)
    return out.getvalue()


SCENARIO = SlowAvatars
