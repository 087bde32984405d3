"""Request errors with their HTTP status and google.rpc code."""

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
