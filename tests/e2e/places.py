"""Every page there is, and every dialog on it, with what is needed to look at it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from playwright.async_api import Page

from e2e.world import World

Audience = Literal["member", "visitor"]
BOTH: tuple[Audience, ...] = ("member", "visitor")


@dataclass(frozen=True)
class Place:
    """A page, or what opens on it.

    Attributes:
        name: what its pictures are called.
        path: its address; `{crud}` and the like are of the world.
        audience: whom it shows something that it does not show others.
        opens: what opens a dialog on it.
        refused: the paths on it that answer 404, as they should.
    """

    name: str
    path: str
    audience: tuple[Audience, ...] = BOTH
    opens: Callable[[Page], Awaitable[None]] | None = None
    refused: tuple[str, ...] = ()

    def address(self, world: World) -> str:
        """Where it is in a world."""
        return self.path.format(crud=world.crud, own=world.own, reply=world.reply)


def press(name: str) -> Callable[[Page], Awaitable[None]]:
    """Press the first button with a name."""

    async def opens(page: Page) -> None:
        await page.get_by_role("button", name=name).first.click()
        await page.get_by_role("dialog").wait_for()

    return opens


MEMBER: tuple[Audience, ...] = ("member",)
VISITOR: tuple[Audience, ...] = ("visitor",)

PLACES = (
    Place("home", "/"),
    Place("search", "/search"),
    Place("results", "/search?term=%23crud"),
    Place("no-results", "/search?term=tribble", VISITOR),
    Place("notifications", "/notifications"),
    Place("messages", "/messages"),
    Place("conversation", "/messages/@bayko"),
    Place("profile", "/@worf"),
    Place("own-profile", "/@andrewbrown", MEMBER),
    Place("crud", "/@worf/status/{crud}"),
    Place("own-crud", "/@andrewbrown/status/{own}", MEMBER),
    Place("reply", "/@bayko/status/{reply}", MEMBER),
    Place(
        "gone",
        "/@worf/status/00000000-0000-7000-8000-000000000000",
        VISITOR,
        refused=("/api/activities/@worf/status/*",),
    ),
    Place("settings", "/settings"),
    Place("about", "/about"),
    Place("terms", "/terms"),
    Place("privacy", "/privacy"),
    Place("not-found", "/nowhere", refused=("/nowhere",)),
    # These know nothing of who looks at them.
    Place("signup", "/signup", VISITOR),
    Place("confirm", "/confirm", VISITOR),
    Place("signin", "/signin", VISITOR),
    Place("forgot", "/forgot", VISITOR),
    Place("reset", "/reset", VISITOR),
)

DIALOGS = (
    Place("compose-dialog", "/about", MEMBER, press("Crud")),
    Place("reply-dialog", "/@worf", MEMBER, press("Reply")),
    Place("delete-dialog", "/@andrewbrown", MEMBER, press("Delete")),
    Place("leave-dialog", "/settings", MEMBER, press("Delete account…")),
)


def views(*places: Place) -> list[tuple[Place, Audience]]:
    """Each place as each of those sees it who see something of their own."""
    return [(place, audience) for place in places for audience in place.audience]
