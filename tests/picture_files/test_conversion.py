"""Pictures in other sizes and formats: what is shown, and how large."""

import io
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageOps

from cruddur.pictures.conversion import convert
from cruddur.pictures.parts import UnreadablePictureError
from cruddur.pictures.targets import Encoded, Square, Target
from pictures import file

ORIENTATION = 0x0112


def opened(result: Encoded) -> Image.Image:
    image = Image.open(io.BytesIO(result.data))
    assert image.size == (result.width, result.height)
    return image


def differ(one: Image.Image, other: Image.Image) -> int:
    """The largest difference of two images in any pixel and channel."""
    bands = ImageChops.difference(one.convert("RGB"), other.convert("RGB")).getextrema()
    return max(int(high) for _, high in bands)


def blocks(width: int = 6, height: int = 4, side: int = 40) -> Image.Image:
    """A picture of blocks of different colors."""
    small = Image.new("RGB", (width, height))
    for number in range(width * height):
        color = (40 + 30 * (number % width), 40 + 50 * (number // width), 200 - 7 * number)
        small.putpixel((number % width, number // width), color)
    return small.resize((width * side, height * side), Image.Resampling.NEAREST)


def test_one_picture_becomes_a_file_for_each_target() -> None:
    targets = [
        Target(512, 512, "crop", "JPEG"),
        Target(1600, 1600, "fit", "WEBP", quality=80),
        Target(320, 200, "crop", "WEBP"),
    ]
    results = [opened(one) for one in convert(file(Image.new("RGB", (2000, 1000))), targets)]
    assert [(one.format, one.size) for one in results] == [
        ("JPEG", (512, 512)),
        ("WEBP", (1600, 800)),
        ("WEBP", (320, 200)),
    ]


@pytest.mark.parametrize(
    ("size", "expected"),
    [((400, 300), (400, 300)), ((3000, 1500), (1000, 500)), ((300, 2000), (75, 500)),
     ((9000, 1), (1000, 1)), ((1, 9000), (1, 500)), ((1, 1), (1, 1))],
)  # fmt: skip
def test_a_picture_fits_into_its_box_and_is_never_enlarged(
    size: tuple[int, int], expected: tuple[int, int]
) -> None:
    for kind in ("PNG", "JPEG"):
        [result] = convert(file(Image.new("RGB", size), kind), [Target(1000, 500, "fit", "WEBP")])
        assert (result.width, result.height) == expected


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("square", [None, Square(0.5, 0.25, 0.5)])
def test_every_orientation_is_turned_upright_before_it_is_cut(
    kind: str, orientation: int, square: Square | None
) -> None:
    """Compare with Pillow, which turns all the pixels first."""
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    options: dict[str, Any] = {"lossless": True} if kind == "WEBP" else {"quality": 95}
    data = file(blocks(), kind, exif=exif, **options)
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    whole = upright.size
    side = min(whole) / 2
    box = (whole[0] / 2, whole[1] / 4, whole[0] / 2 + side, whole[1] / 4 + side)
    expected = ImageOps.fit(upright.crop(tuple(map(round, box))) if square else upright, (64, 64))
    [result] = convert(data, [Target(64, 64, "crop", "WEBP", quality=100, square=square)])
    assert differ(opened(result), expected) < 40
    [whole_picture] = convert(data, [Target(999, 999, "fit", "WEBP", quality=100)])
    assert (whole_picture.width, whole_picture.height) == whole
    assert differ(opened(whole_picture), upright) < 40


def test_a_large_jpeg_is_cut_at_the_same_place_as_a_small_one() -> None:
    square = Square(0.5, 0.5, 0.4)
    target = Target(64, 64, "crop", "JPEG", quality=95, square=square)
    small, large = (
        opened(convert(file(blocks(side=side), "JPEG", quality=95), [target])[0])
        for side in (40, 1000)
    )
    assert differ(small, large) < 40


@pytest.mark.parametrize(
    ("square", "box"),
    [
        (Square(0, 0, 1), (0, 0, 160, 160)),
        (Square(0.9, 0.9, 1), (80, 0, 240, 160)),
        (Square(-5, -5, 0.5), (0, 0, 80, 80)),
        (Square(0.5, 0.5, 9), (80, 0, 240, 160)),
        (Square(1, 1, 0), (239, 159, 240, 160)),
    ],
)
def test_a_square_outside_the_picture_is_moved_into_it(
    square: Square, box: tuple[int, int, int, int]
) -> None:
    [result] = convert(file(blocks()), [Target(80, 80, "crop", "WEBP", quality=100, square=square)])
    expected = blocks().crop(box).resize((80, 80))
    assert differ(opened(result), expected) < 60


def test_transparent_pixels_stay_in_a_webp_and_are_white_in_a_jpeg() -> None:
    image = Image.new("RGBA", (100, 100), (0, 0, 0, 0))
    image.paste((255, 0, 0, 255), (0, 0, 50, 100))
    targets = [Target(100, 100, "fit", "WEBP"), Target(100, 100, "fit", "JPEG", quality=95)]
    for data in (file(image), file(image, "WEBP", lossless=True), file(image.convert("P"))):
        webp, jpeg = (opened(one) for one in convert(data, targets))
        assert webp.mode == "RGBA"
        assert webp.getpixel((90, 50))[3] == 0
        assert webp.getpixel((10, 50))[3] == 255
        assert differ(jpeg.crop((60, 0, 100, 100)), Image.new("RGB", (40, 100), "white")) < 8


@pytest.mark.parametrize("data", [b"", b"no picture", file(blocks())[:200]])
def test_other_bytes_are_unreadable(data: bytes) -> None:
    with pytest.raises(UnreadablePictureError):
        convert(data, [Target(10, 10, "fit", "WEBP")])
