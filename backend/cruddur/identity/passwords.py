"""Passwords: Argon2id hashes, computed in worker threads, and the checks of new ones."""

from functools import cache
from importlib.resources import files

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from precis_i18n import get_profile

from cruddur.concurrency.thread_pool import BoundedThreadPool
from cruddur.errors import InvalidError
from cruddur.telemetry.operation import span

MIN_LENGTH = 10

# OWASP's password storage guidance: 19 MiB, 2 passes, 1 lane.
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
# Each hash uses 19 MiB while it runs, and more than two threads would only compete for cores. A
# queue of 64 is processed in about two seconds.
_threads = BoundedThreadPool("password", threads=2, waiting=64)


_opaque_string = get_profile("OpaqueString")  # RFC 8265, section 4.2


def prepare_password(password: str) -> str:
    """Return a new password in the form in which it is hashed: composed, with ASCII spaces.

    Raises:
        InvalidError: password_invalid, RFC 8265 does not allow one of the characters.
    """
    try:
        return _opaque_string.enforce(password)
    except UnicodeEncodeError as error:
        raise InvalidError("password_invalid") from error


def password_forms(password: str) -> list[str]:
    """Return the forms of a typed password that an account can have: prepared, and as typed.

    Accounts from before passwords were prepared, and those of other applications, have the second.
    """
    try:
        return list(dict.fromkeys([prepare_password(password), password]))
    except InvalidError:
        return [password]


async def hash_password(password: str) -> str:
    """Return the Argon2id hash in its standard text form.

    Raises:
        OverloadedError: too many passwords wait to be hashed.
    """
    with span("hash password"):
        return await _threads.run(_hasher.hash, password)


async def verify_password(password: str, password_hash: str | None) -> bool:
    """Return whether the password matches the hash. Takes the same time if there is no hash.

    Raises:
        OverloadedError: too many passwords wait to be hashed.
    """
    with span("verify password"):
        is_correct = await _threads.run(_verify, password, password_hash)
    return is_correct and password_hash is not None


def check_strength(password: str, *personal: str) -> None:
    """Check that a password is long enough, not common, and not derived from personal data.

    Args:
        password: the new password, prepared.
        personal: texts about the user, such as the handle and the address.

    Raises:
        InvalidError: password_too_weak.
    """
    folded = password.casefold()
    texts = {text.casefold() for text in personal if len(text) >= 4}
    if (
        len(password) < MIN_LENGTH
        or folded in _common_passwords()
        or len(set(folded)) < 4
        or folded in texts
        or any(folded.replace(text, "") in _common_passwords() for text in texts)
        or any(len(folded.replace(text, "")) < 4 for text in texts)
    ):
        raise InvalidError("password_too_weak")


def _verify(password: str, password_hash: str | None) -> bool:
    expected = password_hash or _dummy_hash()
    # Compares all forms, so that the duration only depends on what was typed.
    matches = [_matches(expected, form) for form in password_forms(password)]
    return any(matches)


def _matches(password_hash: str, password: str) -> bool:
    try:
        return _hasher.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


@cache
def _dummy_hash() -> str:
    return _hasher.hash("not the password of any account")


@cache
def _common_passwords() -> frozenset[str]:
    text = files("cruddur.identity").joinpath("common_passwords.txt").read_text("utf-8")
    return frozenset(line for line in text.splitlines() if line and not line.startswith("#"))
