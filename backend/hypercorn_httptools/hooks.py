"""Make stock Hypercorn use this package, and check the names of Hypercorn that it relies on."""

import logging

import hypercorn.protocol
from hypercorn.protocol import ProtocolWrapper
from hypercorn.protocol.h11 import H11Protocol

from hypercorn_httptools.protocol import HTTPToolsProtocol

LOGGER = logging.getLogger("hypercorn_httptools")

METHODS = ("stream_send", "_send_h11_event", "_handle_events", "_maybe_recycle")
"""The methods of `H11Protocol` that are overridden, or that use the connection."""


def missing_names() -> list[str]:
    """Return the names that this package needs and that the installed Hypercorn does not have."""
    missing = [f"H11Protocol.{name}" for name in METHODS if not hasattr(H11Protocol, name)]
    if "connection" not in H11Protocol.__init__.__code__.co_names:
        missing.append("H11Protocol.connection")
    if "H11Protocol" not in ProtocolWrapper.__init__.__code__.co_names:
        missing.append("hypercorn.protocol.H11Protocol")
    return missing


def install() -> bool:
    """Make all new HTTP/1.1 connections of this process use httptools.

    Returns:
        Whether they do. With an unknown version of Hypercorn, they stay on h11, and a warning is
        logged.
    """
    if missing := missing_names():
        LOGGER.warning("HTTP/1.1 stays on h11: Hypercorn has no %s", ", ".join(missing))
        return False
    hypercorn.protocol.H11Protocol = HTTPToolsProtocol  # type: ignore[attr-defined]  # no public way
    return True
