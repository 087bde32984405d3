"""Picture files with damaged, odd or lying metadata, made of a picture that is red on the left and
blue on the right."""

import struct
import zlib
from collections.abc import Iterator
from functools import cache
from typing import Any

from PIL import Image

from pictures import chunk, file, webp_chunks

ORIENTATION, GPS, MAKER = 0x0112, 0x8825, 0x010F
SECRET = b"my home"
"""A text in the metadata of several files, which no result may contain."""


def two_halves(mode: str = "RGB", size: tuple[int, int] = (64, 64)) -> Image.Image:
    image = Image.new("RGB", size, "blue")
    image.paste("red", (0, 0, size[0] // 2, size[1]))
    return image.convert(mode)


def segment(marker: int, content: bytes, length: int | None = None) -> bytes:
    """A segment of a JPEG, which may state another length."""
    stated = len(content) + 2 if length is None else length
    return struct.pack(">BBH", 0xFF, marker, stated) + content


def with_segments(*segments: bytes, after_jfif: bool = True) -> bytes:
    """The JPEG with segments of metadata before its tables."""
    data = file(two_halves(), "JPEG", quality=95)
    end = 20 if after_jfif else 2
    return data[:end] + b"".join(segments) + data[end:]


def exif(orientation: int = 1, order: str = ">") -> bytes:
    """EXIF metadata of a camera: the maker, the orientation, a place."""
    found = Image.Exif()
    found.endian = order
    found[MAKER] = SECRET.decode()
    found[ORIENTATION] = orientation
    found[GPS] = {1: "N", 2: (47.0, 22.0, 0.0), 3: "E", 4: (8.0, 32.0, 0.0)}
    return found.tobytes()


def raw_exif(*entries: tuple[int, int, int, bytes], count: int | None = None) -> bytes:
    """EXIF metadata of these entries: tag, type, number of values, value or offset."""
    stated = len(entries) if count is None else count
    body = b"".join(struct.pack(">HHI4s", *entry) for entry in entries)
    return b"Exif\0\0MM\0*" + struct.pack(">IH", 8, stated) + body + bytes(4)


def exif_segment(content: bytes) -> bytes:
    return segment(0xE1, content)


def profile_segments(profile: bytes, size: int = 60_000) -> list[bytes]:
    """An ICC profile in as many segments as it needs."""
    parts = [profile[at : at + size] for at in range(0, len(profile), size)]
    return [
        segment(0xE2, b"ICC_PROFILE\0" + bytes((number, len(parts))) + part)
        for number, part in enumerate(parts, 1)
    ]


def phone_jpeg() -> bytes:
    """A photo, its preview and a map of its depth in one file (CIPA DC-007)."""
    return file(
        two_halves(), "MPO", quality=95, save_all=True, exif=exif(),
        append_images=[Image.new("RGB", (32, 32), "lime"), Image.new("L", (16, 16), 200)],
    )  # fmt: skip


def thumbnail() -> bytes:
    return file(Image.new("RGB", (16, 16), "lime"), "JPEG")


def jpegs() -> Iterator[tuple[str, bytes]]:
    """JPEGs whose pixels can be read."""
    whole = file(two_halves(), "JPEG", quality=95)
    phone = phone_jpeg()
    index = phone.index(b"MPF\0")
    yield "several pictures", phone
    yield "several pictures, the last one is cut off", phone[:-400]
    yield "several pictures, only the first one is there", phone[: phone.index(b"\xff\xd9") + 2]
    yield (
        "index of pictures with wrong offsets",
        phone[: index + 8] + b"\xff" * 8 + phone[index + 16 :],
    )
    yield "index of pictures that is cut off", with_segments(segment(0xE2, b"MPF\0MM\0*\0"))
    yield "index of pictures with zeros", with_segments(segment(0xE2, b"MPF\0" + bytes(60)))
    for cut in range(0, len(exif()), 7):
        yield f"EXIF of {cut} bytes", with_segments(exif_segment(exif()[:cut]))
    for byte in range(6, 40):
        damaged = exif()[:byte] + b"\xff" + exif()[byte + 1 :]
        yield f"EXIF with a wrong byte {byte}", with_segments(exif_segment(damaged))
    for value in (0, 9, 255, 0xFFFF):
        odd = raw_exif((ORIENTATION, 3, 1, struct.pack(">HH", value, 0)))
        yield f"orientation {value}", with_segments(exif_segment(odd))
    for kind in (0, 1, 2, 5, 7, 12, 13, 0xFFFF):
        odd = raw_exif((ORIENTATION, kind, 1, b"\xff\xff\xff\xff"))
        yield f"orientation of type {kind}", with_segments(exif_segment(odd))
    yield "EXIF of more entries than bytes", with_segments(exif_segment(raw_exif(count=0xFFFF)))
    yield (
        "EXIF with a resolution of 1/0",
        with_segments(
            exif_segment(
                raw_exif((0x011A, 5, 1, struct.pack(">I", 8)), (0x0128, 3, 1, b"\0\2\0\0"))
            )
        ),
    )
    yield "EXIF twice", with_segments(exif_segment(exif()), exif_segment(exif(6)))
    yield "EXIF with its name twice", with_segments(exif_segment(b"Exif\0\0" + exif()))
    yield "EXIF of another byte order", with_segments(exif_segment(exif(order="<")))
    yield "EXIF that states too little", with_segments(segment(0xE1, exif(), len(exif()) - 20))
    yield "EXIF that states nothing", with_segments(segment(0xE1, exif(), 0))
    yield (
        "EXIF with a thumbnail that states too little",
        with_segments(segment(0xE1, exif() + thumbnail(), len(exif()))),
    )
    yield "XMP that is no XML", with_segments(segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<\xff"))
    yield (
        "Photoshop block of a negative size",
        with_segments(segment(0xED, b"Photoshop 3.0\x008BIM\x03\xed\0\0\xff\xff\xff\xff\0")),
    )
    yield (
        "Photoshop block that is cut off",
        with_segments(segment(0xED, b"Photoshop 3.0\x008BIM\x03")),
    )
    yield (
        "Photoshop resolution that is cut off",
        with_segments(segment(0xED, b"Photoshop 3.0\x008BIM\x03\xed\0\0\0\0\0\x02\0\1")),
    )
    yield "FlashPix", with_segments(segment(0xE2, b"FPXR\0"))
    for marker in range(0xE0, 0xF0):
        yield f"empty segment {marker:x}", with_segments(segment(marker, b""))
        for name in (b"JFIF\0", b"JFXX\0", b"Adobe", b"Exif\0\0", b"ICC_PROFILE\0", b"MPF\0"):
            yield f"segment {marker:x} of {name!r} only", with_segments(segment(marker, name))
    yield "Adobe with a wrong color model", with_segments(segment(0xEE, b"Adobe\0d\0\0\0\0\x02"))
    yield "no JFIF", with_segments()[:2] + with_segments()[20:]
    yield "comment that is no text", with_segments(segment(0xFE, SECRET + bytes(range(128, 256))))
    yield "bytes between segments", with_segments(bytes(3_000))
    yield "marker without a length", with_segments(b"\xff\x01")
    yield "bytes after the end", whole + SECRET * 99
    yield "no end", whole[:-2]
    yield "progressive", file(two_halves(), "JPEG", quality=95, progressive=True)
    yield (
        "progressive without an end",
        file(two_halves(), "JPEG", quality=95, progressive=True)[:-2],
    )
    yield "restart markers", file(two_halves(), "JPEG", quality=95, restart_marker_blocks=1)
    yield "ink", file(two_halves("CMYK"), "JPEG", quality=95)
    for profile in (
        b"",
        b"x",
        bytes(128),
        bytes(5_000_000),
        b"\0\0\0\x80" + bytes(124),
        SECRET * 99,
    ):
        yield f"profile of {len(profile)} bytes", with_segments(*profile_segments(profile))
    first, second = profile_segments(bytes(200), 100)
    yield "profile without its second half", with_segments(first)
    yield "profile without its first half", with_segments(second)
    yield "profile in the wrong order", with_segments(second, first)
    yield "profile with a part twice", with_segments(first, first, second)
    yield "profile of no parts", with_segments(segment(0xE2, b"ICC_PROFILE\0\0\0" + bytes(200)))


def ycck() -> bytes:
    """A JPEG of four inks that are stored like brightness and color."""
    data = file(two_halves("CMYK"), "JPEG", quality=95)
    at = data.index(b"Adobe") + 11
    return data[:at] + b"\x02" + data[at + 1 :]


def png_with(*chunks: bytes, image: Image.Image | None = None, **options: Any) -> bytes:
    """The PNG with chunks before its pixels."""
    data = file(image or two_halves(), **options)
    return data[:33] + b"".join(chunks) + data[33:]


def wrong_sum(name: bytes, data: bytes) -> bytes:
    return chunk(name, data)[:-4] + b"\0\0\0\0"


def deep_png(color_type: int) -> bytes:
    """A PNG of 16 bits: 2 for RGB, 6 for RGBA."""
    red, blue = (b"\xff\xff" + bytes(4), bytes(4) + b"\xff\xff")
    opaque = b"\xff\xff" if color_type == 6 else b""
    line = b"\0" + (red + opaque) * 32 + (blue + opaque) * 32
    header = struct.pack(">IIBBBBB", 64, 64, 16, color_type, 0, 0, 0)
    parts = chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(line * 64)), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def palette_png(bits: int, colors: bytes = b"\xff\0\0\0\0\xff") -> bytes:
    """A PNG with a palette of two colors, at 1 to 8 bits a pixel."""
    each = 8 // bits
    first, second = 0, sum(1 << bits * at for at in range(each))
    line = b"\0" + bytes([first] * (32 // each) + [second] * (32 // each))
    header = struct.pack(">IIBBBBB", 64, 64, bits, 3, 0, 0, 0)
    parts = [
        (b"IHDR", header),
        (b"PLTE", colors),
        (b"IDAT", zlib.compress(line * 64)),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def pngs() -> Iterator[tuple[str, bytes]]:
    """PNGs whose pixels can be read."""
    whole = file(two_halves())
    yield "text", png_with(chunk(b"tEXt", b"Comment\0" + SECRET))
    yield "text with a wrong checksum", png_with(wrong_sum(b"tEXt", b"Comment\0" + SECRET))
    yield "text without a key", png_with(chunk(b"tEXt", b""), chunk(b"tEXt", b"\0\0\0"))
    yield "text that is not compressed", png_with(chunk(b"zTXt", b"Comment\0\0" + SECRET))
    yield "text of an unknown compression", png_with(chunk(b"zTXt", b"Comment\0\x09" + SECRET))
    yield (
        "text that expands",
        png_with(chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(90_000_000), 9))),
    )
    yield "text that is no UTF-8", png_with(chunk(b"iTXt", b"a\0\0\0\xff\0\xff\0\xff"))
    yield "text without languages", png_with(chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0"))
    for name in (
        b"cHRM", b"gAMA", b"sRGB", b"iCCP", b"sBIT", b"cICP", b"bKGD", b"hIST", b"pHYs", b"sPLT",
        b"tIME", b"eXIf", b"acTL", b"fcTL", b"fdAT", b"tEXt", b"zTXt", b"iTXt", b"prVt", b"tRNS",
    ):  # fmt: skip
        yield f"empty {name!r}", png_with(chunk(name, b""))
        yield f"{name!r} of noise", png_with(chunk(name, b"\xff\0\x07" * 40))
        yield f"{name!r} with a wrong checksum", png_with(wrong_sum(name, b"\0" * 6))
    yield "profile of an unknown compression", png_with(chunk(b"iCCP", b"a\0\x07xxx"))
    yield (
        "profile that is cut off",
        png_with(chunk(b"iCCP", b"a\0\0" + zlib.compress(b"x" * 999)[:9])),
    )
    yield (
        "profile that expands",
        png_with(chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(90_000_000), 9))),
    )
    yield "EXIF that is cut off", png_with(chunk(b"eXIf", exif()[6:30]))
    yield (
        "frames in the wrong order",
        png_with(
            chunk(b"acTL", struct.pack(">II", 2, 0)),
            chunk(b"fcTL", struct.pack(">I", 7) + bytes(22)),
        ),
    )
    yield (
        "frame that is too large",
        png_with(
            chunk(b"acTL", struct.pack(">II", 1, 0)),
            chunk(b"fcTL", struct.pack(">IIIIIHHBB", 0, 99, 99, 0, 0, 0, 0, 0, 0)),
        ),
    )
    yield "no end", whole[:-12]
    yield "bytes after the end", whole + SECRET
    yield "text after the pixels that is cut off", whole[:-12] + chunk(b"tEXt", SECRET * 9)[:-30]
    yield "16 bits", deep_png(2)
    yield "16 bits and transparency", deep_png(6)
    for bits in (1, 2, 4, 8):
        yield f"palette of {bits} bits", palette_png(bits, b"\xff\0\0\0\0\xff")
    yield "transparency", file(two_halves("RGBA"))


def gif(*blocks: bytes, **options: Any) -> bytes:
    """The GIF with blocks before its first image."""
    data = file(two_halves("P"), "GIF", **options)
    at = 13 + (3 << (data[10] & 7) + 1)
    return data[:at] + b"".join(blocks) + data[at:]


def gifs() -> Iterator[tuple[str, bytes]]:
    """GIFs whose pixels can be read."""
    frames = [Image.new("P", (64, 64), number) for number in range(3)]
    yield "animation", file(two_halves("P"), "GIF", save_all=True, append_images=frames)
    yield (
        "animation that is cut off",
        file(two_halves("P"), "GIF", save_all=True, append_images=frames)[:-60],
    )
    yield "comment", gif(b"!\xfe\x07" + SECRET + b"\0")
    for label in (0x01, 0xF9, 0xFE, 0xFF, 0x00):
        yield f"empty extension {label:x}", gif(bytes((0x21, label, 0)))
        yield f"short extension {label:x}", gif(bytes((0x21, label, 1, 1, 0)))
    yield "XMP", gif(b"!\xff\x0bXMP DataXMP" + b"\x01<" * 9 + b"\0")
    yield "loops that are cut off", gif(b"!\xff\x0bNETSCAPE2.0\x01\x01\0")
    yield "bytes between blocks", gif(bytes(9))
    yield "no end", gif()[:-1]


def webps() -> Iterator[tuple[str, bytes]]:
    """WebPs whose pixels can be read."""
    lossless = {"lossless": True}
    frames = [Image.new("RGB", (64, 64), color) for color in ("lime", "white")]
    for name, options in (("lossy", {"quality": 95}), ("lossless", lossless)):
        whole = file(two_halves(), "WEBP", **options)
        yield name, whole
        for kind in (b"EXIF", b"ICCP", b"XMP ", b"VP8X", b"ALPH", b"????"):
            noise = kind + struct.pack("<I", 40) + b"\xff\0\x07\x01" * 10
            yield f"{name} with {kind!r} of noise", webp_chunks(whole, noise)
            yield f"{name} with {kind!r} that is cut off", webp_chunks(whole, noise[:-20])
        yield f"{name} that states too little", whole[:4] + b"\x10\0\0\0" + whole[8:]
        yield f"{name} that states too much", whole[:4] + b"\xff\xff\xff\x7f" + whole[8:]
        yield (
            f"{name} with metadata",
            file(two_halves(), "WEBP", exif=exif(), icc_profile=SECRET * 9, xmp=SECRET, **options),
        )
    yield "transparency", file(two_halves("RGBA"), "WEBP", quality=95, exif=exif())
    animation = file(two_halves(), "WEBP", save_all=True, append_images=frames, quality=95)
    yield "animation", animation
    yield "animation that is cut off", animation[:-10]
    yield "animation with damaged metadata", webp_chunks(animation, b"EXIF\xff\xff\0\0" + SECRET)


@cache
def readable() -> dict[str, bytes]:
    """Files whose pixels can be read, by what is odd about them."""
    kinds = ("JPEG", jpegs()), ("PNG", pngs()), ("GIF", gifs()), ("WebP", webps())
    return {f"{kind}: {name}": data for kind, found in kinds for name, data in found}


def unreadable() -> dict[str, bytes]:
    """Files whose pixels cannot be read, by the reason."""
    noise = Image.effect_noise((200, 200), 90)
    jpeg, png = file(noise.convert("RGB"), "JPEG"), file(noise)
    frame, scan = jpeg.index(b"\xff\xc0"), jpeg.index(b"\xff\xda")
    webp, animation = file(noise, "WEBP"), file(noise.convert("P"), "GIF")
    data = png.index(b"IDAT") + 40
    return {
        "JPEG: half of it": jpeg[: len(jpeg) // 2],
        "JPEG: nine tenths of it": jpeg[: len(jpeg) * 9 // 10],
        "JPEG: progressive, half of it": (
            progressive := file(noise.convert("RGB"), "JPEG", progressive=True)
        )[: len(progressive) // 2],
        "JPEG: no scan": jpeg[:scan],
        "JPEG: no frame": jpeg[:frame] + jpeg[frame + 19 :],
        "JPEG: no tables": jpeg[:2] + jpeg[frame : frame + 19] + jpeg[scan:],
        "JPEG: no pixels": jpeg[: frame + 5] + bytes(4) + jpeg[frame + 9 :],
        "JPEG: lossless": jpeg[: frame + 1] + b"\xc3" + jpeg[frame + 2 :],
        "JPEG: 12 bits": jpeg[: frame + 4] + b"\x0c" + jpeg[frame + 5 :],
        "JPEG: 7 colors": jpeg[: frame + 9] + b"\x07" + jpeg[frame + 10 :],
        "JPEG: a segment that swallows the tables": with_segments(segment(0xE1, b"Exif", 600)),
        "JPEG: no more than its beginning": b"\xff\xd8\xff",
        "PNG: half of it": png[: len(png) // 2],
        "PNG: no pixels": png[:33] + png[-12:],
        "PNG: wrong checksum of pixels": png[:data] + b"\0\0" + png[data + 2 :],
        "PNG: wrong checksum of the header": png[:29] + bytes(4) + png[33:],
        "PNG: unknown color type": png[:25] + b"\x05" + png[26:],
        "PNG: a text that swallows the pixels": png_with(b"\0\xff\xff\xfftEXt"),
        "PNG: two headers": png[:33] + png[8:33] + png[33:],
        "GIF: half of it": animation[: len(animation) // 2],
        "GIF: no image": animation[:13] + b";",
        "GIF: pixels of noise": animation[:-3000] + bytes(3000),
        "WebP: half of it": webp[: len(webp) // 2],
        "WebP: no pixels": webp[:12] + b"EXIF" + bytes(4),
        "WebP: header only": webp[:12] + b"VP8X\x0a\0\0\0" + bytes(10),
        "WebP: pixels of noise": webp[:30] + b"\xff" * 2000,
    }  # fmt: skip


def metadata_of(data: bytes) -> list[str]:
    """The segments or chunks of a JPEG or WebP that are not needed for its pixels."""
    if data.startswith(b"RIFF"):
        kinds, at = [], 12
        while at < len(data):
            kinds.append(data[at : at + 4].decode())
            at += 8 + (size := struct.unpack_from("<I", data, at + 4)[0]) + size % 2
        return [kind for kind in kinds if kind not in {"VP8 ", "VP8L", "VP8X", "ALPH"}]
    found, at = [], 2
    while data[at + 1] != 0xDA:
        content = data[at + 4 : at + 2 + struct.unpack_from(">H", data, at + 2)[0]]
        if data[at + 1] >= 0xE0 and content != b"JFIF\0\1\1\0\0\1\0\1\0\0":
            found.append(f"{data[at + 1]:x} {content!r}")
        at += 4 + len(content)
    return found
