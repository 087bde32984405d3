"""The people of a load: who they are, and what they write about."""

import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

PASSWORD = "as-many-as-there-are-people"
"""Known to everybody who reads this: they belong in a database that nobody else can reach."""

DOMAIN = "load.invalid"
"""No mail can go there (RFC 2606), so nobody can sign up with such an address."""

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
    """The handle of a member; they are numbered from 1 without a gap."""
    return f"load_{number}"


def email_of(number: int) -> str:
    """The member's address."""
    return f"{handle_of(number)}@{DOMAIN}"


def number_of(email: str) -> int:
    """The number of the member with that address."""
    return int(email.removeprefix("load_").removesuffix(f"@{DOMAIN}"))


def sentence() -> str:
    """Something to say."""
    return " ".join(random.choices(WORDS, k=random.randint(4, 14))).capitalize()


def favourite(all_of_them: Sequence[T]) -> T:
    """One of them, and rather one of the first: a few people write most, about a few things."""
    return all_of_them[int(len(all_of_them) * random.random() ** 2)]
