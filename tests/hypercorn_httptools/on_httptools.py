"""A pytest plugin that replaces Hypercorn's `H11Protocol` before the tests import it."""

import hypercorn.protocol
import hypercorn.protocol.h11

from hypercorn_httptools import HTTPToolsProtocol, install

assert install()
hypercorn.protocol.h11.H11Protocol = HTTPToolsProtocol  # type: ignore[misc]  # for tests only
