"""Errors of a request, with their HTTP status and google.rpc code, and of one of its items."""

from typing import ClassVar


class RefusedError(Exception):
    """A request error; the message gives the sender the reason."""

    status: ClassVar[int]
    rpc_code: ClassVar[int]


class MalformedError(RefusedError):
    """The body does not match its headers."""

    status = 400
    rpc_code = 3  # INVALID_ARGUMENT


class TooLargeError(RefusedError):
    """The body is too long, or contains too much."""

    status = 413
    rpc_code = 8  # RESOURCE_EXHAUSTED


class UnsupportedError(RefusedError):
    """The body's type or encoding is not supported."""

    status = 415
    rpc_code = 3  # INVALID_ARGUMENT


class BusyError(RefusedError):
    """More arrives than can be stored; the sender should try again."""

    status = 503
    rpc_code = 14  # UNAVAILABLE


class UnusableError(Exception):
    """One item of a request is unusable; the others are not affected."""
