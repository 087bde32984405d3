"""Damaged files: what can be seen is accepted, and nothing else survives."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from cruddur.pictures.conversion import convert
from cruddur.pictures.parts import UnreadablePictureError
from cruddur.pictures.targets import Encoded, Target
from picture_files.corpus import SECRET, exif, metadata_of, readable, two_halves, unreadable, ycck
from pictures import file

TARGETS = [Target(32, 32, "crop", "JPEG", quality=95), Target(64, 64, "fit", "WEBP", quality=95)]


def is_shown(result: Encoded) -> bool:
    """Return whether the left is red and the right is blue."""
    image = Image.open(io.BytesIO(result.data)).convert("RGB")
    middle = image.height // 2
    left, right = image.getpixel((4, middle)), image.getpixel((image.width - 5, middle))
    return left[0] > 200 > 90 > left[2] and right[2] > 200 > 90 > right[0]


def test_files_with_damaged_metadata_are_shown() -> None:
    for name, data in readable().items():
        try:
            results = convert(data, TARGETS)
        except UnreadablePictureError as error:
            pytest.fail(f"{name}: {error!r}")
        for result in results:
            assert is_shown(result), name
            assert metadata_of(result.data) == [], name
            assert SECRET not in result.data, name


def test_inks_that_are_stored_like_brightness_and_color_are_decoded() -> None:
    convert(ycck(), TARGETS)


def test_files_whose_pixels_cannot_be_read_are_unreadable() -> None:
    for name, data in unreadable().items():
        try:
            convert(data, TARGETS)
        except UnreadablePictureError:
            continue
        pytest.fail(f"{name}: it was converted")


BASES = [
    *(file(two_halves(), kind, exif=exif(6)) for kind in ("JPEG", "PNG", "WEBP")),
    file(two_halves("P"), "GIF", comment=b"a comment"),
    file(two_halves("CMYK"), "JPEG", progressive=True, icc_profile=bytes(300)),
    file(two_halves("RGBA"), "WEBP", save_all=True, append_images=[two_halves("RGBA")]),
]


@settings(deadline=None, max_examples=300)
@given(
    base=st.sampled_from(BASES),
    place=st.floats(0, 1),
    removed=st.integers(0, 30),
    added=st.binary(max_size=30),
    cut=st.sampled_from([0, 0, 0, 1, 40]),
)
def test_a_file_with_any_change_is_converted_or_unreadable(
    base: bytes, place: float, removed: int, added: bytes, cut: int
) -> None:
    at = int(place * len(base))
    changed = base[:at] + added + base[at + removed : len(base) - cut]
    try:
        results = convert(changed, TARGETS)
    except UnreadablePictureError:
        return
    for result in results:
        assert metadata_of(result.data) == []
