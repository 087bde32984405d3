"""Avatars: from a signed URL to a square JPEG, and the rejection of all other files."""

import asyncio
import io
import os
import signal
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import asyncpg
import pytest
from PIL import Image
from quart import Quart

from cruddur.app import create_app
from cruddur.identity.keys import new_signing_key
from cruddur.services.uploads import UPLOAD_SECONDS
from cruddur.settings import Settings
from decoders import frozen
from picture_files import profiles
from picture_files.corpus import readable
from picture_files.profiles import of_display
from support import Api, Member, count_rows, refused, serving, visiting

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 128, 0), (0, 0, 255), (255, 255, 255)
ORIENTATION, GPS = 0x0112, 0x8825
TOP, BOTTOM, LEFT, RIGHT = (256, 20), (256, 490), (20, 256), (490, 256)


def file(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def two_halves(mode: str = "RGB", size: tuple[int, int] = (600, 600)) -> Image.Image:
    """A picture that is red on the left and blue on the right."""
    image = Image.new("RGB", size, "blue")
    image.paste("red", (0, 0, size[0] // 2, size[1]))
    return image.convert(mode)


def bomb(width: int, height: int, color_type: int = 6) -> bytes:
    """A PNG that decompresses to far more than its own size."""
    channels = {6: 4, 3: 1}[color_type]
    packer = zlib.compressobj(9)
    line = bytes(1 + width * channels)
    pixels = b"".join(packer.compress(line) for _ in range(height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 8, color_type, 0, 0, 0)
    palette = [(b"PLTE", bytes(768))] if color_type == 3 else []
    chunks = [(b"IHDR", header), *palette, (b"IDAT", pixels), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )


def claiming(data: bytes, width: int, height: int) -> bytes:
    """The same PNG with other dimensions in its header."""
    header = b"IHDR" + struct.pack(">II", width, height) + data[24:29]
    return data[:12] + header + struct.pack(">I", zlib.crc32(header)) + data[33:]


def close_to(pixel: Any, colour: tuple[int, ...]) -> bool:
    return all(abs(one - other) < 24 for one, other in zip(pixel, colour, strict=True))


async def address(member: Member, extension: str = "png") -> str:
    """Request a signed upload URL."""
    response = await member.post("/api/avatars/key_upload", {"extension": extension})
    url: str = response["url"]
    return url


async def upload(member: Member, data: bytes, expect: int = 200) -> Any:
    """Upload a file as the front ends do, without a token."""
    anybody = Api(member.http)
    url = await address(member)
    headers = {"Content-Type": "image/png"}
    return (await anybody.request("PUT", url, content=data, headers=headers, expect=expect)).json()


async def picture(member: Member, data: bytes) -> Image.Image:
    """Upload a picture and decode what is served."""
    url = (await upload(member, data))["avatar_url"]
    response = await Api(member.http).request("GET", url)
    return Image.open(io.BytesIO(response.content))


@pytest.mark.parametrize("path", ["/api/avatars/key_upload", "/avatars/key_upload"])
async def test_both_paths_return_an_upload_url_of_this_service(andrew: Member, path: str) -> None:
    response = await andrew.post(path, {"extension": "jpg"})
    assert response.keys() == {"url"}
    assert response["url"].startswith("http://localhost:4567/api/avatars/uploads/")
    await Api(andrew.http).request("PUT", response["url"], content=file(two_halves()))


async def test_with_any_origin_the_upload_url_has_the_host_of_the_request(
    settings: Settings, database: asyncpg.Connection
) -> None:
    application = create_app(replace(settings, backend_url="*"))
    async with application.test_app(), visiting(application, base_url="https://x.example") as api:
        member = await Member.enter(api, database, application, "worf", "Worf")
        assert (await address(member)).startswith("https://x.example/api/avatars/uploads/")


@pytest.mark.parametrize("path", ["/api/avatars/key_upload", "/avatars/key_upload"])
async def test_a_visitor_gets_no_upload_url(api: Api, path: str) -> None:
    await api.post(path, {"extension": "jpg"}, expect=401)


@pytest.mark.parametrize("extension", ["jpg", ".JPG", "jpeg", "Png", "gif", "webp"])
async def test_an_extension_of_a_supported_format_is_accepted(
    andrew: Member, extension: str
) -> None:
    await address(andrew, extension)


@pytest.mark.parametrize(
    "extension", ["", "svg", "html", "../png", "png/x", "png\n", "pn\x00g", "p" * 99, None, 5]
)
async def test_any_other_extension_is_rejected(andrew: Member, extension: Any) -> None:
    body = {"extension": extension}
    refusal = await andrew.post("/api/avatars/key_upload", body, expect=422)
    assert refusal == ["extension_invalid"]


@pytest.mark.rule("C50")
async def test_an_uploaded_picture_is_served_as_a_square_jpeg(andrew: Member) -> None:
    url = (await upload(andrew, file(two_halves())))["avatar_url"]
    response = await Api(andrew.http).request("GET", url)
    assert response.headers["content-type"] == "image/jpeg"
    assert response.headers["x-content-type-options"] == "nosniff"
    image = Image.open(io.BytesIO(response.content))
    assert (image.format, image.size, image.mode) == ("JPEG", (512, 512), "RGB")
    assert close_to(image.getpixel(LEFT), RED)
    assert close_to(image.getpixel(RIGHT), BLUE)


async def test_only_a_versioned_picture_url_is_immutable(andrew: Member) -> None:
    anybody = Api(andrew.http)
    url = (await upload(andrew, file(two_halves())))["avatar_url"]
    pinned = await anybody.request("GET", url)
    assert pinned.headers["cache-control"] == "public, max-age=31536000, s-maxage=60, immutable"
    for address_ in (url.partition("?")[0], f"{url}0"):
        other = await anybody.request("GET", address_)
        assert other.headers["cache-control"] == "public, max-age=60"
        assert other.content == pinned.content
    headers = {"If-None-Match": pinned.headers["etag"]}
    unchanged = await anybody.request("GET", url, headers=headers, expect=304)
    assert unchanged.content == b""
    newer = (await upload(andrew, file(two_halves("L"))))["avatar_url"]
    assert newer != url
    changed = await anybody.request("GET", newer, headers=headers)
    assert changed.headers["etag"] != pinned.headers["etag"]


async def test_the_same_picture_has_the_same_url(andrew: Member) -> None:
    data = file(two_halves())
    assert await upload(andrew, data) == await upload(andrew, data)


@pytest.mark.parametrize("subject", ["nobody", "%00", "%FF", "..%2f..%2fetc", "x" * 5000])
async def test_the_picture_of_an_unknown_user_returns_404(api: Api, subject: str) -> None:
    assert await api.get(f"/api/avatars/{subject}.jpg", expect=404) == ["not_found"]


async def test_a_user_without_a_picture_has_none(api: Api, andrew: Member) -> None:
    await api.get(f"/api/avatars/{andrew.uuid}.jpg", expect=404)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
async def test_the_exif_orientation_is_applied_and_removed(andrew: Member, kind: str) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 6  # rotated by 90 degrees
    exif[GPS] = {1: "N", 2: (47.0, 22.0, 0.0), 3: "E", 4: (8.0, 32.0, 0.0)}
    exif[0x010F] = "Kodak Brownie"
    image = await picture(andrew, file(two_halves(size=(800, 400)), kind, exif=exif))
    assert close_to(image.getpixel(TOP), RED)
    assert close_to(image.getpixel(BOTTOM), BLUE)
    assert dict(image.getexif()) == {}
    assert image.info.keys() <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


@pytest.mark.rule("C50")
async def test_comments_and_color_profiles_are_removed(andrew: Member) -> None:
    data = file(two_halves(), "JPEG", comment=b"my home", icc_profile=b"profile", xmp=b"<x/>")
    await upload(andrew, data)
    served = await andrew.http.get(f"/api/avatars/{andrew.uuid}.jpg")
    assert not [word for word in (b"my home", b"profile", b"<x/>") if word in served.content]


async def test_transparent_areas_become_white(andrew: Member) -> None:
    image = Image.new("RGBA", (100, 100), (0, 0, 0, 0))
    image.paste((255, 0, 0, 255), (0, 0, 50, 100))
    for data in (file(image), file(image, "WEBP", lossless=True), file(image.convert("P"))):
        served = await picture(andrew, data)
        assert close_to(served.getpixel(LEFT), RED)
        assert close_to(served.getpixel(RIGHT), WHITE)


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
async def test_the_first_frame_of_an_animation_is_kept(andrew: Member, kind: str) -> None:
    frames = [Image.new("RGB", (64, 64), colour) for colour in ("green", "red", "blue")]
    data = file(frames[0], kind, save_all=True, append_images=frames[1:], duration=50)
    assert close_to((await picture(andrew, data)).getpixel(TOP), GREEN)


COLORS: dict[str, Callable[[], bytes]] = {
    "cmyk": lambda: file(two_halves("CMYK"), "JPEG"),
    "palette": lambda: file(two_halves("P")),
    "alpha": lambda: file(two_halves("RGBA")),
    "progressive": lambda: file(two_halves(), "JPEG", progressive=True),
    "webp": lambda: file(two_halves(), "WEBP"),
    "gif": lambda: file(two_halves("P"), "GIF"),
}


@pytest.mark.parametrize("kind", COLORS)
async def test_every_color_mode_is_decoded(andrew: Member, kind: str) -> None:
    image = await picture(andrew, COLORS[kind]())
    assert close_to(image.getpixel(LEFT), RED)
    assert close_to(image.getpixel(RIGHT), BLUE)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "I;16"])
async def test_every_grayscale_mode_is_decoded(andrew: Member, mode: str) -> None:
    image = Image.new("L", (64, 64), 255)
    image.paste(0, (0, 0, 32, 64))
    if mode == "I;16":  # 65280 on the right, so that truncated bits would show as gray
        deep = Image.new(mode, (64, 64), 128 * 256)
        deep.paste(0, (0, 0, 32, 64))
        served = await picture(andrew, file(deep))
        assert close_to(served.getpixel(RIGHT), (128, 128, 128))
    else:
        served = await picture(andrew, file(image.convert(mode)))
        assert close_to(served.getpixel(RIGHT), WHITE)
    assert close_to(served.getpixel(LEFT), (0, 0, 0))


@pytest.mark.parametrize("size", [(1, 1), (1, 4000), (4000, 1), (511, 513)])
async def test_any_aspect_ratio_becomes_a_square(andrew: Member, size: tuple[int, int]) -> None:
    assert (await picture(andrew, file(Image.new("RGB", size)))).size == (512, 512)


@pytest.mark.rule("C50")
@pytest.mark.parametrize("name", [
    "JPEG: several pictures",
    "JPEG: index of pictures with wrong offsets",
    "JPEG: EXIF of 21 bytes",
    "JPEG: EXIF of more entries than bytes",
    "JPEG: EXIF that states nothing",
    "JPEG: orientation 9",
    "JPEG: segment e0 of b'JFIF\\x00' only",
    "JPEG: profile of 5000000 bytes",
    "JPEG: no end",
    "PNG: text with a wrong checksum",
    "PNG: 16 bits",
    "PNG: profile that is cut off",
    "GIF: animation that is cut off",
    "WebP: animation with damaged metadata",
])  # fmt: skip
async def test_damaged_metadata_do_not_matter(andrew: Member, name: str) -> None:
    image = await picture(andrew, readable()[name])
    assert close_to(image.getpixel(LEFT), RED)
    assert close_to(image.getpixel(RIGHT), BLUE)


@pytest.mark.rule("C50")
async def test_colors_are_converted_to_srgb(andrew: Member) -> None:
    swapped = of_display(profiles.BLUE, profiles.GREEN, profiles.RED)
    image = await picture(andrew, file(two_halves(), "JPEG", quality=95, icc_profile=swapped))
    assert close_to(image.getpixel(LEFT), BLUE)
    assert close_to(image.getpixel(RIGHT), RED)
    assert "icc_profile" not in image.info


QUARTERS = ((0, "red"), (150, "blue"), (300, "white"), (450, "green"))


@pytest.mark.rule("C90")
@pytest.mark.parametrize(
    ("square", "left", "right"),
    [
        ("", BLUE, WHITE),
        ("?square=0,0,1", RED, BLUE),
        ("?square=0.5,0,1", WHITE, GREEN),
        ("?square=0.25,0.1,0.5", BLUE, BLUE),
        ("?square=1,1,1", WHITE, GREEN),
        ("?square=0.85,0.5,0", GREEN, GREEN),
    ],
)
async def test_an_upload_may_name_the_square_to_show(
    andrew: Member, square: str, left: tuple[int, ...], right: tuple[int, ...]
) -> None:
    image = Image.new("RGB", (600, 300))
    for start, color in QUARTERS:
        image.paste(color, (start, 0, start + 150, 300))
    url = f"{await address(andrew)}{square}"
    uploaded = await Api(andrew.http).request("PUT", url, content=file(image))
    served = await Api(andrew.http).request("GET", uploaded.json()["avatar_url"])
    shown = Image.open(io.BytesIO(served.content))
    assert close_to(shown.getpixel(LEFT), left)
    assert close_to(shown.getpixel(RIGHT), right)


@pytest.mark.rule("C90")
@pytest.mark.parametrize(
    "square",
    ["", "0", "0,0", "0,0,1,0", "0,0,2", "-0.1,0,1", "nan,0,1", "inf,0,1", "1e1,0,1", "a,b,c",
     "0.1234567,0,1", " 0,0,1", "0;0;1", "0,0,1.0000001", "%00"],
)  # fmt: skip
async def test_any_other_square_is_rejected_before_the_upload_counts(
    andrew: Member, square: str
) -> None:
    url, anybody = await address(andrew), Api(andrew.http)
    refusal = await anybody.request("PUT", f"{url}?square={square}", content=PNG, expect=422)
    assert refusal.json() == ["square_invalid"]
    await anybody.request("PUT", url, content=PNG)


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
PNG = file(two_halves())


def other_files() -> list[bytes]:
    """Return files that are not pictures, and damaged or unsupported ones."""
    return [
        b"",
        b"\x00",
        b"not a picture at all",
        SVG,
        b"<!doctype html><script>alert(1)</script>",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        b"%PDF-1.4",
        PNG[:8],
        PNG[:40],
        PNG[: len(PNG) // 2],
        PNG[8:],
        SVG + PNG,
        file(two_halves(), "JPEG")[:300],
        file(two_halves("P"), "GIF")[:30],
        file(two_halves(), "WEBP")[:40],
        file(two_halves(), "BMP"),
        file(two_halves(), "TIFF"),
        file(two_halves(), "ICO"),
        claiming(PNG, 0, 0),
        claiming(PNG, 2**31 - 1, 2**31 - 1),
    ]


async def test_other_files_are_rejected_and_the_old_picture_stays(
    andrew: Member, database: asyncpg.Connection
) -> None:
    for data in other_files():
        assert await upload(andrew, data, expect=422) == ["avatar_invalid"], data[:40]
        assert await count_rows(database, "avatars") == 0
    before = (await upload(andrew, PNG))["avatar_url"]
    for data in other_files():
        assert await upload(andrew, data, expect=422) == ["avatar_invalid"], data[:40]
        assert (await andrew.get("/api/auth/me"))["avatar_url"] == before
    await Api(andrew.http).request("GET", before)


async def test_data_after_the_picture_is_not_stored(andrew: Member) -> None:
    await upload(andrew, PNG + b"<script>alert(1)</script>")
    served = await andrew.http.get(f"/api/avatars/{andrew.uuid}.jpg")
    assert b"<script>" not in served.content


BOMBS: dict[str, Callable[[], bytes]] = {
    "pixels": lambda: bomb(20_000, 1_000),
    "palette": lambda: bomb(6_000, 6_000, color_type=3),
    "claim": lambda: claiming(bomb(1_000, 10), 60_000, 60_000),
    "gif": lambda: file(Image.new("P", (6_000, 6_000)), "GIF"),
}


async def test_a_decompression_bomb_is_rejected_without_decoding(andrew: Member) -> None:
    anybody, url = Api(andrew.http), await address(andrew)
    for kind, make in BOMBS.items():
        data = make()
        assert len(data) < 300_000, kind
        refusal = await anybody.request("PUT", url, content=data, expect=422)
        assert refusal.json() == ["avatar_invalid"], kind
    await anybody.request("PUT", url, content=PNG)  # only decoding uses up the address


def test_the_largest_picture_takes_bounded_memory() -> None:
    """Runs in its own process, because other tests have raised this one's peak memory."""
    script = (
        "import resource, sys; from cruddur.pictures.conversion import convert;"
        " from cruddur.pictures.targets import Target;"
        " peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024;"
        " before = peak();"
        " convert(sys.stdin.buffer.read(), [Target(512, 512, 'crop', 'JPEG')]);"
        " print(peak() - before)"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, input=bomb(4_096, 4_096), capture_output=True, check=True)
    assert int(done.stdout) < 400  # MB


@pytest.mark.rule("C50")
async def test_a_file_of_more_than_8_mib_is_rejected(
    andrew: Member, database: asyncpg.Connection
) -> None:
    url = await address(andrew)
    most = 8 * 1024 * 1024

    async def in_parts() -> Any:
        for _ in range(9):
            yield bytes(1024 * 1024)

    for body in (bytes(most + 1), in_parts()):
        response = await andrew.http.put(url, content=body)
        assert response.status_code == 413
        assert refused(response) == ["payload_too_large"]
    padded = PNG + bytes(most - len(PNG))
    await Api(andrew.http).request("PUT", url, content=padded)
    assert await count_rows(database, "avatars") == 1


@pytest.mark.rule("C49")
async def test_an_upload_url_expires_after_five_minutes(
    andrew: Member, app: Quart, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    signer = app.extensions["cruddur"].uploads
    tokens = {}
    for age in (UPLOAD_SECONDS - 5, UPLOAD_SECONDS + 5):
        monkeypatch.setattr(time, "time", lambda age=age: now - age)
        tokens[age] = signer.sign(andrew.uuid)
    monkeypatch.undo()
    young, old = (f"/api/avatars/uploads/{token}" for token in tokens.values())
    anybody = Api(andrew.http)
    await anybody.request("PUT", young, content=PNG)
    refusal = await anybody.request("PUT", old, content=PNG, expect=403)
    assert refusal.json() == ["generic_403"]


@pytest.mark.parametrize(
    "tampered", ["{0}x", "x{0}", "{1}", "{1}.{1}.{1}", "{0}.x", "x", "%00", "%FF", "x." * 5000]
)
async def test_a_modified_upload_url_is_rejected(
    andrew: Member, database: asyncpg.Connection, tampered: str
) -> None:
    base, _, token = (await address(andrew)).rpartition("/")
    url = f"{base}/{tampered.format(token, token.partition('.')[0])}"
    refusal = await Api(andrew.http).request("PUT", url, content=PNG, expect=403)
    assert refusal.json() == ["generic_403"]
    assert await count_rows(database, "avatars") == 0


async def test_an_upload_url_of_another_deployment_is_rejected(
    andrew: Member, settings: Settings
) -> None:
    application = create_app(replace(settings, signing_key=new_signing_key()))
    async with serving(application) as other:
        url = await address(andrew)
        path = url.removeprefix("http://localhost:4567")
        await other.request("PUT", path, content=PNG, expect=403)


async def test_the_upload_url_of_a_deleted_user_is_rejected(
    andrew: Member, database: asyncpg.Connection
) -> None:
    url = await address(andrew)
    await database.execute("DELETE FROM users")
    await Api(andrew.http).request("PUT", url, content=PNG, expect=404)


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
@pytest.mark.usefixtures("first_decoder_stops")
async def test_other_requests_are_served_while_a_picture_is_decoded(andrew: Member) -> None:
    uploading = asyncio.create_task(upload(andrew, PNG))
    decoder = await frozen(os.getpid())
    await Api(andrew.http).get("/api/health-check")
    await andrew.get("/api/auth/me")
    assert not uploading.done()
    os.kill(decoder, signal.SIGCONT)
    await uploading


async def addresses(api: Api, andrew: Member, bayko: Member, crud: dict[str, Any]) -> set[Any]:
    """The addresses of Andrew's picture wherever he is shown."""
    [listed] = await api.get("/api/activities/home")
    page = await api.get(f"/api/activities/{crud['uuid']}")
    profile = await api.get("/api/activities/@andrewbrown?shape=profile")
    [found] = await api.get("/api/activities/search?term=@andrewbrown&limit=1")
    shown = [
        listed,
        page["activity"],
        page["replies"][0],
        profile["profile"],
        profile["activities"][0],
        found,
        *await bayko.get("/api/messages/@andrewbrown"),
        *await bayko.get("/api/message_groups"),
        *await bayko.get("/api/activities/notifications"),
        *await api.get("/api/users/suggested"),
        await api.get("/api/users/@andrewbrown/short"),
        await andrew.get("/api/auth/me"),
    ]
    return {one["avatar_url"] for one in shown}


@pytest.mark.rule("C91")
async def test_a_picture_shows_wherever_its_user_does_until_it_is_removed(
    api: Api, andrew: Member, bayko: Member, database: asyncpg.Connection
) -> None:
    crud = await andrew.crud("Hello @bayko")
    await andrew.reply(crud["uuid"])
    await andrew.message("bayko")
    url = (await upload(andrew, PNG))["avatar_url"]
    assert (await andrew.message("bayko"))["avatar_url"] == url
    for _ in range(3):  # responses are cached from the second request on
        assert await addresses(api, andrew, bayko, crud) == {url}
    page = await api.http.get("/api/activities/home")
    headers = {"If-None-Match": page.headers["etag"]}
    await api.request("GET", "/api/activities/home", headers=headers, expect=304)

    assert await andrew.delete("/api/avatars/me") == {"avatar_url": None}
    assert await count_rows(database, "avatars") == 0
    assert await api.get(url, expect=404) == ["not_found"]
    changed = await api.request("GET", "/api/activities/home", headers=headers)
    assert changed.json()[0]["avatar_url"] is None
    assert await addresses(api, andrew, bayko, crud) == {None}

    assert await andrew.delete("/api/avatars/me") == {"avatar_url": None}
    again = (await upload(andrew, PNG))["avatar_url"]
    assert await addresses(api, andrew, bayko, crud) == {again}


@pytest.mark.rule("C91")
async def test_only_a_member_removes_their_own_picture(
    api: Api, andrew: Member, bayko: Member, database: asyncpg.Connection
) -> None:
    url = (await upload(andrew, PNG))["avatar_url"]
    await api.delete("/api/avatars/me", expect=401)
    await bayko.delete("/api/avatars/me")
    assert (await andrew.get("/api/auth/me"))["avatar_url"] == url
    await database.execute("DELETE FROM sessions WHERE user_uuid = $1", andrew.uuid)
    await andrew.delete("/api/avatars/me", expect=401)
    await api.request("GET", url)


async def test_an_upload_that_waits_for_a_removal_leaves_one_picture(
    andrew: Member, database: asyncpg.Connection
) -> None:
    await upload(andrew, PNG)
    for _ in range(5):
        uploaded, _ = await asyncio.gather(upload(andrew, PNG), andrew.delete("/api/avatars/me"))
        shown = (await andrew.get("/api/auth/me"))["avatar_url"]
        assert shown in (None, uploaded["avatar_url"])
        assert await count_rows(database, "avatars") == (shown is not None)
