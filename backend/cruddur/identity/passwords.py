"""Passwords: Argon2id in worker threads, and what is too weak."""

from functools import cache
from importlib.resources import files

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from cruddur.concurrency.thread_pool import BoundedThreadPool
from cruddur.errors import InvalidError
from cruddur.telemetry.operation import span

SHORTEST = 10

# OWASP's password storage guidance: 19 MiB, 2 passes, 1 lane.
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
# Each hash holds 19 MiB while it runs; more at once would only wait for a core. Sixty-four that
# wait are done within some two seconds.
_threads = BoundedThreadPool("password", threads=2, waiting=64)


async def hash_password(password: str) -> str:
    """The Argon2id hash, in its own text form.

    Raises:
        OverloadedError: too many passwords wait to be hashed.
    """
    with span("hash password"):
        return await _threads.run(_hasher.hash, password)


async def verify_password(password: str, password_hash: str | None) -> bool:
    """Whether the password fits; takes as long when there is no hash to fit.

    Raises:
        OverloadedError: too many passwords wait to be hashed.
    """
    with span("verify password"):
        fits = await _threads.run(_verify, password, password_hash)
    return fits and password_hash is not None


def check_strength(password: str, *known: str) -> None:
    """Refuse what is guessed first: short, common, or made of `known` facts.

    Raises:
        InvalidError: password_too_weak.
    """
    folded = password.casefold()
    facts = {fact.casefold() for fact in known if len(fact) >= 4}
    if (
        len(password) < SHORTEST
        or folded in _common()
        or len(set(folded)) < 4
        or folded in facts
        or any(folded.replace(fact, "") in _common() for fact in facts)
        or any(len(folded.replace(fact, "")) < 4 for fact in facts)
    ):
        raise InvalidError("password_too_weak")


def _verify(password: str, password_hash: str | None) -> bool:
    try:
        return _hasher.verify(password_hash or _decoy(), password)
    except (VerificationError, InvalidHashError):
        return False


@cache
def _decoy() -> str:
    return _hasher.hash("a password that nobody has")


@cache
def _common() -> frozenset[str]:
    text = files("cruddur.identity").joinpath("common_passwords.txt").read_text("utf-8")
    return frozenset(line for line in text.splitlines() if line and not line.startswith("#"))
