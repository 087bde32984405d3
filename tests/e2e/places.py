"""Every page, every dialog, and what else opens on a page, with what is needed to open it."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Literal

from PIL import Image
from playwright.async_api import FilePayload, Page

from e2e.world import World

Audience = Literal["member", "visitor"]
BOTH: tuple[Audience, ...] = ("member", "visitor")


@dataclass(frozen=True)
class Place:
    """A page, or something that is open on it, such as a dialog.

    Attributes:
        name: the prefix of its screenshots.
        path: its address, with placeholders such as `{crud}` for the rows of the world.
        audience: the viewers for which it looks different.
        opens: opens a dialog or something else on it.
        refused: the paths on it that return 404, as expected.
    """

    name: str
    path: str
    audience: tuple[Audience, ...] = BOTH
    opens: Callable[[Page], Awaitable[None]] | None = None
    refused: tuple[str, ...] = ()

    def address(self, world: World) -> str:
        """Return its address in a world."""
        return self.path.format(crud=world.crud, own=world.own, reply=world.reply, case=world.case)


def press(name: str) -> Callable[[Page], Awaitable[None]]:
    """Return a function that presses the first button with this name, which opens a dialog."""

    async def opens(page: Page) -> None:
        await page.get_by_role("button", name=name).first.click()
        await page.get_by_role("dialog").wait_for()

    return opens


async def expand_people(page: Page) -> None:
    """Show all people of the first notification."""
    await page.get_by_role("button", name=re.compile("Show all")).first.click()
    await page.get_by_role("button", name="Show less").wait_for()
    await page.mouse.move(0, 0)  # a button below the pointer has a background


async def crop_picture(page: Page) -> None:
    """Choose a picture to crop."""
    await page.get_by_label("Choose a picture").set_input_files(_picture(640, 480))
    await page.get_by_role("application").wait_for()


async def add_pictures(page: Page) -> None:
    """Write a crud with two pictures."""
    await page.get_by_label(WORDS).fill("Two pictures, and nothing to say about them.")
    pictures = [_picture(400, 300), _picture(90, 300)]
    await page.get_by_label("Add pictures").set_input_files(pictures)
    await page.get_by_role("button", name="Remove Picture 2 of 2").wait_for()


def complete(beginning: str) -> Callable[[Page], Awaitable[None]]:
    """Return a function that types the beginning of a word that can be completed."""

    async def opens(page: Page) -> None:
        field = page.get_by_label(WORDS)
        await field.click()
        await page.locator("[aria-autocomplete]").wait_for()
        await field.press_sequentially(beginning)
        await page.get_by_role("option").first.wait_for()

    return opens


WORDS = "What’s on your mind?"


def _picture(width: int, height: int) -> FilePayload:
    data = BytesIO()
    Image.linear_gradient("L").resize((width, height)).save(data, "PNG")
    return {"name": "picture.png", "mimeType": "image/png", "buffer": data.getvalue()}


MEMBER: tuple[Audience, ...] = ("member",)
VISITOR: tuple[Audience, ...] = ("visitor",)

PLACES = (
    Place("home", "/?feed=everyone"),
    Place("following", "/?feed=following", MEMBER),
    Place("search", "/search"),
    Place("results", "/search?term=%23crud"),
    Place("people-results", "/search?term=brown"),
    Place("no-results", "/search?term=tribble", VISITOR),
    Place("notifications", "/notifications"),
    Place("mentions", "/notifications?feed=mentions", MEMBER),
    Place("messages", "/messages"),
    Place("requests", "/messages?list=requests", MEMBER),
    Place("conversation", "/messages/@bayko"),
    Place("request", "/messages/@altbrown", MEMBER),
    Place("profile", "/@worf"),
    Place("own-profile", "/@andrewbrown", MEMBER),
    Place("followers", "/@andrewbrown/followers"),
    Place("followed", "/@andrewbrown/following", MEMBER),
    Place("no-followers", "/@altbrown/followers", VISITOR),
    Place("crud", "/@worf/status/{crud}"),
    Place("own-crud", "/@andrewbrown/status/{own}", MEMBER),
    Place("reply", "/@andrewbrown/status/{reply}", MEMBER),
    Place(
        "gone",
        "/@worf/status/00000000-0000-7000-8000-000000000000",
        VISITOR,
        refused=("/@worf/status/*", "/api/activities/@worf/status/*"),
    ),
    Place("moderation", "/moderation"),
    Place("case", "/moderation?case={case}", MEMBER),
    Place("notices", "/notices"),
    Place("instance", "/instance"),
    Place("settings", "/settings"),
    Place("about", "/about"),
    Place("terms", "/terms"),
    Place("privacy", "/privacy"),
    Place("not-found", "/nowhere", refused=("/nowhere",)),
    # These look the same for a member and a visitor.
    Place("signup", "/signup", VISITOR),
    Place("confirm", "/confirm", VISITOR),
    Place("signin", "/signin", VISITOR),
    Place("forgot", "/forgot", VISITOR),
    Place("reset", "/reset", VISITOR),
)

OPENED = (
    Place("compose-dialog", "/about", MEMBER, press("Crud")),
    Place("message-dialog", "/messages", MEMBER, press("New message")),
    Place("picture-dialog", "/@guinan", VISITOR, press("Picture 2 of 3")),
    Place("reply-dialog", "/@worf", MEMBER, press("Reply")),
    Place("person-dialog", "/@worf", MEMBER, press("More")),
    Place("report-dialog", "/messages/@bayko", MEMBER, press("Report: Did you see")),
    Place("lifetime-dialog", "/messages/@bayko", MEMBER, press("New messages disappear")),
    Place("stop-dialog", "/forgot", VISITOR, press("Stop a change of address")),
    Place("delete-dialog", "/@andrewbrown", MEMBER, press("Delete")),
    Place("two-factor-dialog", "/settings", MEMBER, press("Set up two\u2011factor…")),
    Place("passkey-dialog", "/settings", MEMBER, press("Add a passkey…")),
    Place("token-dialog", "/settings", MEMBER, press("Create a token…")),
    Place("leave-dialog", "/settings", MEMBER, press("Delete account…")),
    Place("crop-dialog", "/settings", MEMBER, crop_picture),
    Place("shortcuts-dialog", "/settings", MEMBER, press("Show all shortcuts")),
    Place("composer-pictures", "/", MEMBER, add_pictures),
    Place("people-completion", "/", MEMBER, complete("@")),
    Place("tag-completion", "/", MEMBER, complete("#")),
    Place("people-notified", "/notifications", MEMBER, expand_people),
)


def views(*places: Place) -> list[tuple[Place, Audience]]:
    """Pair each place with each audience that sees it differently, one audience after the other.

    A worker that gets a part of them then opens fewer browsers, and can skip more of what an
    earlier place of the same audience has shown.
    """
    return [
        (place, audience) for audience in BOTH for place in places if audience in place.audience
    ]
