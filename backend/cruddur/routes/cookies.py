"""The cookies of the API: their names, and how they are read."""

from quart import request

REFRESH = "cruddur_refresh"
DEVICE = "cruddur_device"
"""Identifies a device that has signed in before. It grants no access."""
SUSPENSION = "cruddur_suspension"
"""The proof of a sign-in that was rejected because the account is suspended."""
SECURE = "__Secure-"
"""Prefix of cookie names if BACKEND_URL is https. `__Host-` would send them with every request."""


def read_cookie(name: str) -> str | None:
    """Return a cookie with either name; the name without prefix was set before https."""
    return request.cookies.get(SECURE + name) or request.cookies.get(name)
