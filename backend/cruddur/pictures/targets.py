"""What to make of a picture."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Square:
    """A square part of an upright picture. What lies outside the picture is moved into it.

    Attributes:
        left: where the square begins, as a fraction of the picture's width.
        top: where the square begins, as a fraction of the picture's height.
        side: the side of the square, as a fraction of the picture's shorter side.
    """

    left: float
    top: float
    side: float


@dataclass(frozen=True, slots=True)
class Target:
    """The size and the format of one result.

    Attributes:
        width: width of the box in pixels.
        height: height of the box in pixels.
        scaling: "crop" fills the box and cuts off both ends of what is too long; "fit" shows the
            whole picture within the box, and never enlarges it.
        format: "JPEG", which shows transparent pixels on white, or "WEBP", which keeps them.
        quality: quality of the encoder, from 1 to 100.
        square: the part of the picture to use, or None for the whole picture.
    """

    width: int
    height: int
    scaling: Literal["crop", "fit"]
    format: Literal["JPEG", "WEBP"]
    quality: int = 85
    square: Square | None = None


@dataclass(frozen=True, slots=True)
class Encoded:
    """One result: a file, and its width and height in pixels."""

    data: bytes
    width: int
    height: int
