"""What a check finds, and what to do about it."""

from typing import Literal

from msgspec import Struct

Outcome = Literal["ok", "warning", "fault", "not configured"]


class Finding(Struct, frozen=True, omit_defaults=True):
    """The result of one check.

    Attributes:
        check: what was checked, such as `Honeycomb`.
        outcome: `fault`: it does not work; `warning`: it works, but probably not as intended.
        message: what was found, in one sentence.
        advice: what to do about it, in one sentence; empty if there is nothing to do.
        url: the page that shows what the check has sent.
    """

    check: str
    outcome: Outcome
    message: str
    advice: str = ""
    url: str = ""
