"""Convert the colors of a picture to sRGB."""

import io

from PIL import Image, ImageCms

_MODES = {"RGB ": ("RGB",), "GRAY": ("L",), "CMYK": ("CMYK",)}
"""The modes of Pillow for each color space of a profile."""


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Return an image in sRGB, as RGB or RGBA.

    Args:
        image: in mode L, LA, RGB, RGBA or CMYK.
        profile: the ICC profile of its colors. One that is damaged, or for other colors, is
            ignored, and the colors count as sRGB.
    """
    alpha = image.getchannel("A") if image.mode in ("LA", "RGBA") else None
    opaque = image.convert(image.mode.removesuffix("A")) if alpha else image
    converted = _apply(opaque, profile) if profile else None
    if converted is None:
        converted = opaque.convert("RGB")
    if alpha:
        converted.putalpha(alpha)
    return converted


def _apply(image: Image.Image, profile: bytes) -> Image.Image | None:
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        space = source.profile.xcolor_space
        if space == "RGB " and image.mode == "L":
            image = image.convert("RGB")
        if image.mode not in _MODES.get(space, ()):
            return None
        return ImageCms.profileToProfile(
            image, source, ImageCms.createProfile("sRGB"), outputMode="RGB"
        )
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None
