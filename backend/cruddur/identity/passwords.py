"""Passwords: Argon2id hashes, computed in worker threads, and the check for weak ones."""

from functools import cache
from importlib.resources import files

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from cruddur.concurrency.thread_pool import BoundedThreadPool
from cruddur.errors import InvalidError
from cruddur.telemetry.operation import span

MIN_LENGTH = 10

# OWASP's password storage guidance: 19 MiB, 2 passes, 1 lane.
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
# Each hash uses 19 MiB while it runs, and more than two at once would only wait for a core. A queue
# of 64 is processed in about two seconds.
_threads = BoundedThreadPool("password", threads=2, waiting=64)


async def hash_password(password: str) -> str:
    """Return the Argon2id hash in its standard text form.

    Raises:
        OverloadedError: too many passwords wait to be hashed.
    """
    with span("hash password"):
        return await _threads.run(_hasher.hash, password)


async def verify_password(password: str, password_hash: str | None) -> bool:
    """Return whether the password matches the hash. Takes as long if there is no hash.

    Raises:
        OverloadedError: too many passwords wait to be hashed.
    """
    with span("verify password"):
        fits = await _threads.run(_verify, password, password_hash)
    return fits and password_hash is not None


def check_strength(password: str, *known: str) -> None:
    """Check that a password is not short, not common, and not made of `known` facts.

    Raises:
        InvalidError: password_too_weak.
    """
    folded = password.casefold()
    facts = {fact.casefold() for fact in known if len(fact) >= 4}
    if (
        len(password) < MIN_LENGTH
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
    return _hasher.hash("not the password of any account")


@cache
def _common() -> frozenset[str]:
    text = files("cruddur.identity").joinpath("common_passwords.txt").read_text("utf-8")
    return frozenset(line for line in text.splitlines() if line and not line.startswith("#"))
