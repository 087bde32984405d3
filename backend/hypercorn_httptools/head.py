"""Parse a request line and a header section, and refuse what servers may read differently.

llhttp splits and checks the header fields. It does not parse the request line, because it accepts
several spaces, other protocols and the versions 0.9 and 2.0, and knows a fixed list of methods.
"""

import re

import h11
import httptools

from hypercorn_httptools.fields import Field, Headers, options

REQUEST_LINE = re.compile(rb"([-!#$%&'*+.^_`|~0-9A-Za-z]+) ([!-~]+) HTTP/([0-9]\.[0-9])\r\n")
PARSED_LINE = b"GET / HTTP/1.1\r\n"
"""The request line that llhttp parses. With this one, it checks header fields by HTTP/1.1."""

MAX_FIELDS = 256
"""Maximum number of header fields."""


class Request(h11.Request):
    """A parsed request. h11's own constructor would check everything again.

    Attributes:
        length: the length of the body, or None for a chunked body.
        has_upgrade: whether the client asks for another protocol.
        is_last: whether no other request can follow on this connection.
        expects_continue: whether the client waits for `100 Continue` before it sends its body.
    """

    __slots__ = ("expects_continue", "has_upgrade", "is_last", "length")

    length: int | None
    has_upgrade: bool
    is_last: bool
    expects_continue: bool

    def __init__(self, method: bytes, target: bytes, version: bytes, headers: Headers) -> None:
        """Set the fields, and check those that frame the message."""
        fields = dict(headers)
        if len(fields) != len(headers):
            _check_duplicates(headers)
        put = object.__setattr__  # h11's events are frozen
        put(self, "method", method)
        put(self, "target", target)
        put(self, "http_version", version)
        put(self, "headers", headers)
        length = _body_length(version, fields)
        if length is None:  # h11 passes on the coding in lower case, too
            coding = (b"transfer-encoding", fields[b"transfer-encoding"])
            headers[headers.index(coding)] = (b"transfer-encoding", b"chunked")
        put(self, "length", length)
        put(self, "has_upgrade", bool(fields.get(b"upgrade")))
        is_old = version < b"1.1"
        closes = b"connection" in fields and b"close" in options(headers, b"connection")
        put(self, "is_last", is_old or closes)
        expects = b"expect" in fields and b"100-continue" in options(headers, b"expect")
        put(self, "expects_continue", expects and not is_old)
        if version == b"1.1" and b"host" not in fields:
            raise h11.RemoteProtocolError("missing Host header")


def parse_request(head: bytes) -> Request:
    """Return the request of a complete head, which ends with its first blank line.

    Raises:
        h11.RemoteProtocolError: with the status of the response as `error_status_hint`.
    """
    line = REQUEST_LINE.match(head)
    if line is None:
        raise h11.RemoteProtocolError("invalid request line")
    method, target, version = line.groups()
    return Request(method, target, version, Headers(parse_fields(head[line.end() :])))


def parse_fields(section: bytes) -> list[Field]:
    """Return the fields of a header or trailer section, which ends with its only blank line."""
    received = _Fields()
    try:
        httptools.HttpRequestParser(received).feed_data(PARSED_LINE + section)
    except httptools.HttpParserUpgrade:
        pass  # the section is complete, and Hypercorn decides about the upgrade
    except httptools.HttpParserError as error:
        raise h11.RemoteProtocolError(
            str(error), error_status_hint=501 if received.has_unknown_coding else 400
        ) from error
    if not received.is_complete:
        raise h11.RemoteProtocolError("incomplete header section")
    if len(received.fields) > MAX_FIELDS:
        raise h11.RemoteProtocolError("too many header fields", error_status_hint=431)
    return received.fields


class _Fields:
    """What llhttp reports about a header section."""

    __slots__ = ("fields", "is_complete")

    def __init__(self) -> None:
        self.fields: list[Field] = []
        self.is_complete = False

    def on_header(self, name: bytes, value: bytes) -> None:
        # llhttp leaves the white space after a value.
        self.fields.append((name, value.rstrip(b" \t")))

    def on_headers_complete(self) -> None:
        self.is_complete = True

    @property
    def has_unknown_coding(self) -> bool:
        return any(
            name.lower() == b"transfer-encoding" and value.lower() != b"chunked"
            for name, value in self.fields
        )


def _check_duplicates(headers: Headers) -> None:
    names = [name for name, _ in headers]
    for name in (b"host", b"content-length", b"transfer-encoding"):
        if names.count(name) > 1:
            status = 501 if name == b"transfer-encoding" else 400
            raise h11.RemoteProtocolError(f"multiple {name.decode()} headers", status)


def _body_length(version: bytes, fields: dict[bytes, bytes]) -> int | None:
    coding = fields.get(b"transfer-encoding")
    length = fields.get(b"content-length", b"0")
    if coding is None:
        if not length.isdigit():
            raise h11.RemoteProtocolError("invalid Content-Length")
        return int(length)
    if coding.lower() != b"chunked":
        raise h11.RemoteProtocolError("unknown transfer coding", error_status_hint=501)
    if version < b"1.1":
        raise h11.RemoteProtocolError("HTTP/1.0 has no transfer codings")
    if b"content-length" in fields:
        raise h11.RemoteProtocolError("Content-Length with Transfer-Encoding")
    return None
