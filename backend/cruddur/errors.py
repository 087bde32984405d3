"""The errors that a client can receive, with their statuses, codes and headers.

Every status from 400 to 503 has the same body: a JSON array of machine-readable codes.

    CruddurError
    ├── InvalidError            422, with the code of the broken rule
    ├── MalformedError          400 ["invalid_json"]
    ├── UnauthenticatedError    401, with WWW-Authenticate
    ├── ForbiddenError          403
    │   ├── InsufficientScopeError  403, with WWW-Authenticate
    │   ├── CodeRequiredError       403, the password is correct, and a second factor is needed
    │   └── SuspendedError          403, the credentials are correct, and the account is suspended
    ├── NotFoundError           404 ["not_found"], also for expired cruds
    ├── UnsupportedMediaTypeError  415
    ├── RateLimitedError        429, with Retry-After
    └── UnavailableError        503, with Retry-After
        └── OverloadedError     503, although nothing has failed
"""

from collections.abc import Sequence
from typing import ClassVar
from uuid import UUID

GENERIC_CODES = {
    400: "invalid_json",
    401: "generic_401",
    403: "generic_403",
    404: "not_found",
    405: "method_not_allowed",
    413: "payload_too_large",
    415: "unsupported_media_type",
    429: "rate_limited",
    500: "generic_500",
    503: "unavailable",
}
"""The default code of each status. A 422 always has a code of its own."""


class CruddurError(Exception):
    """A failure with a status and at least one code; raise one of the kinds below."""

    status: ClassVar[int] = 500

    def __init__(self, *codes: str) -> None:
        """Set the codes to send; default: the generic code of the status."""
        self.codes = codes or (GENERIC_CODES[self.status],)
        super().__init__(", ".join(self.codes))

    @property
    def headers(self) -> dict[str, str]:
        """The headers to send with the status."""
        return {}


class MalformedError(CruddurError):
    """The body is not JSON, or not a JSON object."""

    status = 400


class UnauthenticatedError(CruddurError):
    """A valid access token is required and missing, or the credentials are wrong."""

    status = 401

    @property
    def headers(self) -> dict[str, str]:
        """The challenge of RFC 6750."""
        return {"WWW-Authenticate": "Bearer"}


class ForbiddenError(CruddurError):
    """The caller is authenticated but not allowed to do this."""

    status = 403


class InsufficientScopeError(ForbiddenError):
    """The API token does not have the scopes of the route, or no API token may use it."""

    def __init__(self, code: str, *, scopes: Sequence[str]) -> None:
        """Set the scopes that the route requires; none if no API token may use it."""
        super().__init__(code)
        self.scopes = scopes

    @property
    def headers(self) -> dict[str, str]:
        """The challenge of RFC 6750, with the scopes that are required."""
        challenge = 'Bearer error="insufficient_scope"'
        if self.scopes:
            challenge += f', scope="{" ".join(self.scopes)}"'
        return {"WWW-Authenticate": challenge}


class CodeRequiredError(ForbiddenError):
    """The password is correct, and the account also needs its second factor."""


class SuspendedError(ForbiddenError):
    """The credentials of a sign-in are correct and complete, and the account is suspended.

    Attributes:
        user_uuid: the user of the account.
    """

    def __init__(self, user_uuid: UUID) -> None:
        """Set the user."""
        super().__init__("account_suspended")
        self.user_uuid = user_uuid


class NotFoundError(CruddurError):
    """The resource never existed, has expired, or is not visible to the caller."""

    status = 404


class UnsupportedMediaTypeError(CruddurError):
    """The body has a media type that this route does not accept."""

    status = 415


class InvalidError(CruddurError):
    """The request is well formed but breaks a rule; the code names the rule."""

    status = 422

    def __init__(self, code: str, *codes: str) -> None:
        """Set the codes of the broken rules."""
        super().__init__(code, *codes)


class RateLimitedError(CruddurError):
    """Too many attempts; `retry_after` is in seconds."""

    status = 429

    def __init__(self, retry_after: int) -> None:
        """Set the number of seconds until the client may retry."""
        super().__init__()
        self.retry_after = max(1, retry_after)

    @property
    def headers(self) -> dict[str, str]:
        """The `Retry-After` header."""
        return {"Retry-After": str(self.retry_after)}


class UnavailableError(CruddurError):
    """A dependency of this service does not respond."""

    status = 503

    @property
    def headers(self) -> dict[str, str]:
        """The `Retry-After` header: dependencies usually recover within seconds."""
        return {"Retry-After": "5"}


class OverloadedError(UnavailableError):
    """A queue is full. The limit works as intended, so this is not reported as a failure."""
