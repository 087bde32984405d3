"""Decode a picture and encode it in other sizes, upright, in sRGB and without metadata."""

import io
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageChops

from cruddur.pictures.color import to_srgb
from cruddur.pictures.formats import split
from cruddur.pictures.parts import Parts, UnreadablePictureError
from cruddur.pictures.targets import Encoded, Target

_Box = tuple[float, float, float, float]
"""Left, top, right and bottom edge in pixels."""

_MARGIN = 1.5
"""A JPEG is decoded at this multiple of the needed size or more, because resampling gives sharper
pictures than the decoder."""

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""How to turn the pixels upright, by orientation."""

_END_OF_JPEG = b"\xff\xd9"
_FILLER = b"\x55\xaa" * 64


def convert(data: bytes, targets: Sequence[Target]) -> list[Encoded]:
    """Decode a picture once and encode it for each target.

    The caller limits the size of the data, and the time and memory that this takes.

    Args:
        data: a JPEG, PNG, GIF or WebP. Of several pictures in a file, the first one counts.
        targets: sizes and formats, at least one.

    Raises:
        UnreadablePictureError: `split` rejects it, or its pixels are damaged or incomplete.
    """
    parts = split(data)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image, cuts = _decode(parts, parts.file, targets)
            if not parts.has_end:
                _check_complete(image, parts, targets)
    # Decoders raise errors of any kind for damaged bytes.
    except Exception as error:
        raise UnreadablePictureError(type(error).__name__) from error
    return [
        _encode(_resize(image, cut, parts), target)
        for cut, target in zip(cuts, targets, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class _Cut:
    """What to take of a picture, and the size to give it.

    Attributes:
        box: in pixels of the turned picture.
        whole: width and height of the turned picture in pixels.
        size: width and height of the result in pixels.
    """

    box: _Box
    whole: tuple[int, int]
    size: tuple[int, int]

    def reduction(self) -> float:
        """Return how many pixels of the picture become one of the result, at least."""
        left, top, right, bottom = self.box
        return min((right - left) / self.size[0], (bottom - top) / self.size[1])


def _cut(target: Target, whole: tuple[int, int]) -> _Cut:
    """Return what a target takes of an upright picture of this size."""
    left, top, width, height = 0.0, 0.0, float(whole[0]), float(whole[1])
    if target.square:
        side = min(max(target.square.side * min(whole), 1.0), *whole)
        left = min(max(target.square.left * width, 0.0), width - side)
        top = min(max(target.square.top * height, 0.0), height - side)
        width = height = side
    if target.scaling == "fit":
        scale = min(target.width / width, target.height / height, 1.0)
        size = max(1, round(width * scale)), max(1, round(height * scale))
        return _Cut((left, top, left + width, top + height), whole, size)
    scale = min(width / target.width, height / target.height)
    inner_width, inner_height = target.width * scale, target.height * scale
    left += (width - inner_width) / 2
    top += (height - inner_height) / 2
    box = left, top, left + inner_width, top + inner_height
    return _Cut(box, whole, (target.width, target.height))


def _decode(parts: Parts, file: bytes, targets: Sequence[Target]) -> tuple[Image.Image, list[_Cut]]:
    """Decode a file, at a fraction of its size if that suffices for all targets."""
    with Image.open(io.BytesIO(file), formats=[parts.format]) as opened:
        width, height = opened.size
        whole = (height, width) if parts.orientation >= 5 else (width, height)
        cuts = [_cut(target, whole) for target in targets]
        factor = min(cut.reduction() for cut in cuts) / _MARGIN
        if factor > 1:
            opened.draft(None, (max(1, int(width / factor)), max(1, int(height / factor))))
        opened.load()
        return _in_plain_mode(opened), cuts


def _check_complete(image: Image.Image, parts: Parts, targets: Sequence[Target]) -> None:
    """Check that a JPEG without an end lacks no pixels.

    The decoder replaces what is missing by bits of its own, or takes the bits that follow. If other
    bits give the same picture, nothing is missing.
    """
    other, _ = _decode(parts, parts.file[:-2] + _FILLER + _END_OF_JPEG, targets)
    if ImageChops.difference(image, other).getbbox():
        raise UnreadablePictureError


def _in_plain_mode(image: Image.Image) -> Image.Image:
    """Return an image in mode L, LA, RGB, RGBA or CMYK."""
    if image.mode.startswith("I"):  # convert() keeps the wrong 8 of 16 bits
        return image.convert("I").point(lambda value: value / 256).convert("L")
    if image.has_transparency_data:
        return image.convert("LA" if image.mode in ("1", "L", "LA") else "RGBA")
    if image.mode == "1":
        return image.convert("L")
    return image if image.mode in ("L", "RGB", "CMYK") else image.convert("RGB")


def _resize(image: Image.Image, cut: _Cut, parts: Parts) -> Image.Image:
    """Return a part of an image in its new size, upright and in sRGB."""
    is_turned = parts.orientation >= 5
    width, height = reversed(cut.whole) if is_turned else cut.whole
    across, down = image.width / width, image.height / height  # a fraction of the size was decoded
    left, top, right, bottom = _unturned(cut.box, (width, height), parts.orientation)
    box = (
        max(left * across, 0.0),
        max(top * down, 0.0),
        min(right * across, image.width),
        min(bottom * down, image.height),
    )
    size = (cut.size[1], cut.size[0]) if is_turned else cut.size
    resized = to_srgb(image.resize(size, Image.Resampling.LANCZOS, box=box), parts.profile)
    turn = _TURNS.get(parts.orientation)
    return resized if turn is None else resized.transpose(turn)


def _unturned(box: _Box, size: tuple[int, int], orientation: int) -> _Box:
    """Return where a box of the upright picture lies in a stored picture of this size."""
    left, top, right, bottom = box
    if orientation >= 5:
        left, top, right, bottom = top, left, bottom, right
    if orientation in (2, 3, 7, 8):
        left, right = size[0] - right, size[0] - left
    if orientation in (3, 4, 6, 7):
        top, bottom = size[1] - bottom, size[1] - top
    return left, top, right, bottom


def _encode(image: Image.Image, target: Target) -> Encoded:
    if target.format == "JPEG" and image.mode == "RGBA":
        flat = Image.new("RGB", image.size, "white")
        flat.paste(image, mask=image)
        image = flat
    image.info.clear()  # encoders write profiles and comments that they find here
    out = io.BytesIO()
    options = {"optimize": True} if target.format == "JPEG" else {}
    image.save(out, target.format, quality=target.quality, **options)
    return Encoded(out.getvalue(), image.width, image.height)
