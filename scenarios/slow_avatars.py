"""Uploading a picture takes seconds; all other requests are fast.

Cause: the converter enlarges each picture to 3,072 pixels before it makes it small, which was meant
to make pictures sharper.

Telemetry: among the slow requests, `http.route` is the one for uploads. Most of the time is in the
span `convert picture`.
"""

import io
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace

from PIL import Image
from quart import Quart

from cruddur.concurrency.thread_pool import BoundedThreadPool
from cruddur.pictures.targets import Encoded, Target
from cruddur.services.pictures import MAX_UPLOADS, PictureConverter
from scenarios.scenario import Scenario

SIDE = 3072


class SlowAvatars(Scenario):
    """A converter that enlarges first.

    Attributes:
        side: the width and height in pixels that it enlarges to.
    """

    def __init__(self, side: int = SIDE) -> None:
        """Set the size."""
        self.side = side

    def extend(self, app: Quart) -> None:
        """Replace the converter."""

        @app.while_serving
        async def replace_converter() -> AsyncGenerator[None, None]:
            resources = app.extensions["cruddur"]
            converter = EnlargingConverter(self.side)
            app.extensions["cruddur"] = replace(resources, picture_converter=converter)
            yield
            converter.close()


class EnlargingConverter(PictureConverter):
    """Enlarges each picture before it is converted."""

    def __init__(self, side: int) -> None:
        """Set the size in pixels."""
        super().__init__()
        self._side = side
        self._enlarging = BoundedThreadPool("enlarging", threads=1, waiting=MAX_UPLOADS)

    async def convert(
        self, data: bytes, targets: Sequence[Target], error_code: str
    ) -> list[Encoded]:
        """Enlarge a picture and convert it."""
        enlarged = await self._enlarging.run(enlarge, data, self._side)
        return await super().convert(enlarged, targets, error_code)

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
