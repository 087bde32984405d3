"""The failures a caller can cause or meet, and their one shape on the wire.

Every status from 400 to 503 has the same body: a JSON array of machine-readable codes.

    CruddurError
    ├── InvalidError            422, the code of the rule that was broken
    ├── MalformedError          400 ["invalid_json"]
    ├── UnauthenticatedError    401, with WWW-Authenticate
    ├── ForbiddenError          403
    ├── NotFoundError           404 ["not_found"], also for what has expired
    ├── UnsupportedMediaTypeError  415
    ├── RateLimitedError        429, with Retry-After
    └── UnavailableError        503, with Retry-After
        └── OverloadedError     503, and nothing has failed
"""

from typing import ClassVar

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
"""The code of a status that carries none of its own. 422 always does."""


class CruddurError(Exception):
    """A failure with a status and at least one code; raise one of the kinds below."""

    status: ClassVar[int] = 500

    def __init__(self, *codes: str) -> None:
        """Take the codes to send; without any, the status's generic one."""
        self.codes = codes or (GENERIC_CODES[self.status],)
        super().__init__(", ".join(self.codes))

    @property
    def headers(self) -> dict[str, str]:
        """The headers that go with the status."""
        return {}


class MalformedError(CruddurError):
    """The body is not JSON, or not a JSON object."""

    status = 400


class UnauthenticatedError(CruddurError):
    """No valid access token where one is needed, or wrong credentials."""

    status = 401

    @property
    def headers(self) -> dict[str, str]:
        """The challenge of RFC 6750."""
        return {"WWW-Authenticate": "Bearer"}


class ForbiddenError(CruddurError):
    """Known, but not allowed."""

    status = 403


class NotFoundError(CruddurError):
    """It is not there: it never was, it expired, or it is not the caller's to see."""

    status = 404


class UnsupportedMediaTypeError(CruddurError):
    """The body is of a type that this route does not read."""

    status = 415


class InvalidError(CruddurError):
    """The request is well formed and breaks a rule; always with a code."""

    status = 422

    def __init__(self, code: str, *codes: str) -> None:
        """Take the codes of the rules that were broken."""
        super().__init__(code, *codes)


class RateLimitedError(CruddurError):
    """Too many attempts; `retry_after` is in seconds."""

    status = 429

    def __init__(self, retry_after: int) -> None:
        """Take the seconds after which an attempt is counted anew."""
        super().__init__()
        self.retry_after = max(1, retry_after)

    @property
    def headers(self) -> dict[str, str]:
        """When to come back."""
        return {"Retry-After": str(self.retry_after)}


class UnavailableError(CruddurError):
    """Something this service depends on does not answer."""

    status = 503

    @property
    def headers(self) -> dict[str, str]:
        """When to come back: dependencies recover in seconds."""
        return {"Retry-After": "5"}


class OverloadedError(UnavailableError):
    """Too much work waits already. It is a limit that holds, so it is not reported as a failure."""
