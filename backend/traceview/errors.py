"""What a request can be refused for, each with its HTTP status and its google.rpc code."""

from typing import ClassVar


class RefusedError(Exception):
    """A request that is answered with an error; the message says why, to its sender."""

    status: ClassVar[int]
    rpc_code: ClassVar[int]


class MalformedError(RefusedError):
    """The body is not what its headers say."""

    status = 400
    rpc_code = 3  # INVALID_ARGUMENT


class TooLargeError(RefusedError):
    """The body is longer, or holds more, than is taken at once."""

    status = 413
    rpc_code = 8  # RESOURCE_EXHAUSTED


class UnsupportedError(RefusedError):
    """The body's type or encoding is not known here."""

    status = 415
    rpc_code = 3  # INVALID_ARGUMENT
