"""The accounts of a load test, and the texts they post."""

import random
from collections.abc import Sequence
from typing import TypeVar

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
