"""Colors are converted from the profile of the picture to sRGB."""

import io
import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from cruddur.pictures.conversion import convert
from cruddur.pictures.targets import Target
from picture_files.corpus import metadata_of, png_with
from picture_files.profiles import BLUE, GREEN, RED, of_display, of_gray, of_ink
from pictures import chunk, file

SWAPPED = of_display(BLUE, GREEN, RED)
"""A profile in which the first channel is blue and the third is red."""


def shown(data: bytes, kind: str = "WEBP") -> Any:
    """The color in the middle of the result, which has no profile."""
    [result] = convert(data, [Target(16, 16, "crop", kind, quality=100)])
    assert metadata_of(result.data) == []
    return Image.open(io.BytesIO(result.data)).convert("RGB").getpixel((8, 8))


def is_near(color: Any, expected: tuple[int, int, int]) -> bool:
    return all(abs(one - other) < 16 for one, other in zip(color, expected, strict=True))


def plain(mode: str, color: Any, kind: str, **options: Any) -> bytes:
    if kind == "WEBP":
        options["lossless"] = True
    return file(Image.new(mode, (20, 20), color), kind, **options)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("target", ["JPEG", "WEBP"])
def test_the_profile_decides_what_the_channels_are(kind: str, target: str) -> None:
    data = plain("RGB", (250, 20, 20), kind, icc_profile=SWAPPED)
    assert is_near(shown(data, target), (20, 20, 250))
    assert is_near(shown(plain("RGB", (250, 20, 20), kind), target), (250, 20, 20))


def test_a_profile_like_srgb_changes_almost_nothing() -> None:
    data = plain("RGB", (200, 100, 50), "PNG", icc_profile=of_display(RED, GREEN, BLUE))
    assert is_near(shown(data), (200, 100, 50))


def test_colors_that_srgb_lacks_are_clipped() -> None:
    wide = of_display((0.5151, 0.2412, -0.0011), (0.292, 0.6922, 0.0419), (0.1571, 0.0666, 0.7841))
    assert is_near(shown(plain("RGB", (0, 255, 0), "PNG", icc_profile=wide)), (0, 255, 0))
    assert shown(plain("RGB", (60, 200, 60), "PNG", icc_profile=wide))[0] < 40


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_transparency_is_kept(kind: str) -> None:
    image = Image.new("RGBA", (20, 20), (250, 20, 20, 128))
    options = {"lossless": True} if kind == "WEBP" else {}
    data = file(image, kind, icc_profile=SWAPPED, **options)
    [result] = convert(data, [Target(16, 16, "fit", "WEBP", quality=100)])
    pixel = Image.open(io.BytesIO(result.data)).getpixel((8, 8))
    assert is_near(pixel[:3], (20, 20, 250))
    assert abs(pixel[3] - 128) < 8


def test_the_colors_of_a_palette_are_converted() -> None:
    image = Image.new("RGB", (20, 20), (250, 20, 20)).convert("P")
    assert is_near(shown(file(image, icc_profile=SWAPPED)), (20, 20, 250))


@pytest.mark.parametrize("mode", ["L", "LA", "I;16"])
def test_gray_is_converted(mode: str) -> None:
    color: Any = {"L": 128, "LA": (128, 255), "I;16": 128 * 256}[mode]
    light, plain_gray, dark = (
        shown(plain(mode, color, "PNG", icc_profile=of_gray(value)))[0] for value in (1.0, 2.2, 4.0)
    )
    assert dark < plain_gray - 40 < plain_gray + 40 < light
    assert abs(plain_gray - 128) < 10


def test_gray_with_a_profile_of_colors_is_gray() -> None:
    assert is_near(shown(plain("L", 100, "JPEG", icc_profile=SWAPPED)), (100, 100, 100))


def test_the_profile_decides_what_inks_look_like() -> None:
    red, blue = (140, 208, 198), (80, 200, 18)  # L*, a* and b* of bright red and blue
    cyan = (255, 0, 0, 0)
    found = [
        shown(plain("CMYK", cyan, "JPEG", quality=100, icc_profile=of_ink(look)))
        for look in (red, blue)
    ]
    assert found[0][0] > 200 > 60 > found[0][1]
    assert found[1][2] > 200 > 90 > found[1][0]
    assert is_near(shown(plain("CMYK", cyan, "JPEG", quality=100)), (0, 255, 255))


@pytest.mark.parametrize("profile", [of_gray(2.2), of_ink((140, 208, 198))])
def test_a_profile_of_other_channels_is_ignored(profile: bytes) -> None:
    assert is_near(shown(plain("RGB", (250, 20, 20), "PNG", icc_profile=profile)), (250, 20, 20))


def test_a_profile_in_several_segments_is_joined() -> None:
    large = SWAPPED + bytes(200_000)
    large = struct.pack(">I", len(large)) + large[4:]
    assert is_near(
        shown(plain("RGB", (250, 20, 20), "JPEG", quality=100, icc_profile=large)), (20, 20, 250)
    )


def test_without_a_profile_other_statements_about_colors_do_not_matter() -> None:
    red = Image.new("RGB", (20, 20), (250, 20, 20))
    data = png_with(chunk(b"gAMA", struct.pack(">I", 100_000)), image=red)
    assert is_near(shown(data), (250, 20, 20))


@settings(deadline=None, max_examples=100)
@given(
    profile=st.sampled_from([SWAPPED, of_gray(2.2), of_ink((140, 208, 198))]),
    changes=st.lists(st.tuples(st.integers(0, 2500), st.integers(0, 255)), max_size=6),
    cut=st.integers(0, 60),
)
def test_a_damaged_profile_never_rejects_a_picture(
    profile: bytes, changes: list[tuple[int, int]], cut: int
) -> None:
    damaged = bytearray(profile[: len(profile) - cut])
    for at, value in changes:
        damaged[at % len(damaged)] = value
    for mode, color in (("RGB", (250, 20, 20)), ("L", 100), ("CMYK", (255, 0, 0, 0))):
        shown(plain(mode, color, "JPEG", icc_profile=bytes(damaged)))
