"""The users of a load test: their accounts, their clients, and what they post."""

import io
import random
from collections.abc import Sequence
from functools import cache
from typing import TypeVar

from PIL import Image

T = TypeVar("T")

PASSWORD = "as-many-as-there-are-people"
"""A public password: only for a database that is not reachable from outside."""

DOMAIN = "load.invalid"
"""Mail cannot reach this domain (RFC 2606), so no one can sign up with such an address."""

_WORDS = """
    time again crud gone always never before after while still here there coffee morning night
    train rain window garden river mountain city street market bread soup apple winter summer
    music guitar song silence book page letter story cat dog bird horse friend stranger neighbour
    ship star engine signal station planet captain deck orbit build deploy test query index cache
    queue thread socket broken fixed slow fast small large quiet loud early late first last
    tomorrow yesterday today hour minute second week month forget remember vanish stay leave
    return watch listen write read answer ask wonder expire begin end keep lose find
"""
WORDS = _WORDS.split()

_TAGS = """
    cruddur expiry today coffee music cats rain books deploy space cooking travel running garden
    night photography trains history chess weather
"""
TAGS = _TAGS.split()

_WEBKIT = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
_BLINK = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/149.0.0.0"

CLIENTS = (
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_BLINK} Safari/537.36",
    "Cruddur-iOS/3.2.0-rc.1 (iPhone; iOS 26.1)",
    f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {_WEBKIT} Version/26.1 Safari/605.1.15",
    "Mozilla/5.0 (X11; Linux x86_64; rv:152.0) Gecko/20100101 Firefox/152.0",
    "Cruddur-iOS/3.1.0 (iPhone; iOS 26.1)",
    "Cruddur-Android/3.0.2 (Android 16)",
    "Cruddur-Android/3.1.0 (Android 16)",
    f"Mozilla/5.0 (Linux; Android 16; K) {_BLINK} Mobile Safari/537.36",
)
"""The user agents of the users: browsers, and apps in several versions."""


def handle_of(number: int) -> str:
    """Return the handle of a member; members are numbered from 1 without gaps."""
    return f"load_{number}"


def email_of(number: int) -> str:
    """Return the member's email address."""
    return f"{handle_of(number)}@{DOMAIN}"


def number_of(email: str) -> int:
    """Return the number of the member with this address."""
    return int(email.removeprefix("load_").removesuffix(f"@{DOMAIN}"))


def sentence() -> str:
    """Return a random text."""
    return " ".join(random.choices(WORDS, k=random.randint(4, 14))).capitalize()


def favourite(all_of_them: Sequence[T]) -> T:
    """Return a random item, with a bias to the first: a few users write most of the cruds."""
    return all_of_them[int(len(all_of_them) * random.random() ** 2)]


@cache
def picture() -> bytes:
    """Return a photo of 800 by 800 pixels, as a JPEG."""
    out = io.BytesIO()
    Image.effect_noise((800, 800), 40).convert("RGB").save(out, "JPEG")
    return out.getvalue()
