"""The errors that a client can receive, and the error of the operator.

Every error response has the same shape: problem details (RFC 9457) with a stable `code`.
"""

from typing import ClassVar


class OperatorError(Exception):
    """The operator can fix this; the command line prints the message in one line."""


class ServiceError(Exception):
    """A failure with a status and a code; raise one of the kinds below."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"
    headers: ClassVar[dict[str, str]] = {}


class MalformedError(ServiceError):
    """The body is not JSON."""

    status = 400
    code = "malformed_json"


class NotFoundError(ServiceError):
    """The resource does not exist."""

    status = 404
    code = "not_found"


class UnsupportedMediaTypeError(ServiceError):
    """The body is not declared as JSON."""

    status = 415
    code = "unsupported_media_type"


class InvalidError(ServiceError):
    """The request breaks a rule of its schema; the message names the field."""

    status = 422
    code = "invalid_request"


class UnavailableError(ServiceError):
    """The database does not respond."""

    status = 503
    code = "unavailable"
    headers: ClassVar[dict[str, str]] = {"Retry-After": "5"}
