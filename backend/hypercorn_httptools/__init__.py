"""HTTP/1.1 for Hypercorn on httptools (llhttp), in place of h11.

    protocol.py     the connection that Hypercorn runs: a subclass of its `H11Protocol`
    connection.py   the state of a connection without I/O, with the interface of `h11.Connection`
    head.py         parses and checks a request line and its header section
    body.py         decodes a request body: known length, or chunks
    response.py     encodes a response head, and frames a body
    buffer.py       the bytes that were received and are not parsed yet
    hooks.py        `install`, and the check of the names of Hypercorn that this package relies on

README.md lists where it is stricter than h11.
"""

from hypercorn_httptools.hooks import install, missing_names
from hypercorn_httptools.protocol import HTTPToolsProtocol

__all__ = ["HTTPToolsProtocol", "install", "missing_names"]
