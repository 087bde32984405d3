"""The web that previews see: names, addresses, and a server on the loopback behind all of them."""

import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

from fakes.sink import Received, Response, Sink

PUBLIC = "93.184.215.14"
"""A public address, which the server behind it does not really have."""


def html(head: str, **options: object) -> Response:
    """Return a page with this head."""
    body = f"<!doctype html><html><head>{head}</head><body>Text</body></html>".encode()
    return Response(body=body, content_type="text/html; charset=utf-8", **options)  # type: ignore[arg-type]  # of Response


def titled(title: str = "A title") -> Response:
    """Return a page with a title."""
    return html(f"<title>{title}</title>")


def redirect(location: str, **headers: str) -> Response:
    """Return a redirect."""
    return Response(302, b"", headers={"Location": location, **headers})


class Web(Sink):
    """The servers of all hosts. `pages` has a response for each URL without its scheme."""

    def __init__(self, certificate: Path | None = None) -> None:
        """Listen, with TLS if there is a certificate."""
        super().__init__(certificate)
        self.pages: dict[str, Response] = {}

    @property
    def fetched(self) -> list[str]:
        """The URLs of all requests without their scheme."""
        return [f"{request.headers['Host']}{request.path}" for request in self.requests]

    def respond(self, request: Received) -> Response:
        """Return the response of the URL, or 404."""
        url = f"{request.headers['Host']}{request.path}"
        return self.pages.get(url) or Response(404, b"", "text/html")


@dataclass
class FakeInternet:
    """A network whose hosts have any addresses, and whose connections end at `Web`.

    Attributes:
        web: the server on port 80.
        secure_web: the server on port 443, if there is one.
        names: the addresses of a host for each of its look-ups; the last one repeats. Other hosts
            have the address PUBLIC, except for numbers, which the operating system reads.
        looked_up: the hosts that were looked up.
        connected: the addresses and ports of all connections.
    """

    web: Web
    secure_web: Web | None = None
    names: dict[str, list[list[str]]] = field(default_factory=dict)
    looked_up: list[str] = field(default_factory=list)
    connected: list[tuple[str, int]] = field(default_factory=list)

    async def resolve(self, host: str) -> Sequence[str]:
        """Return the addresses of a host."""
        self.looked_up.append(host)
        if host in self.names:
            answers = self.names[host]
            return answers.pop(0) if len(answers) > 1 else answers[0]
        try:
            found = socket.getaddrinfo(host, None, flags=socket.AI_NUMERICHOST)
        except socket.gaierror:
            return [PUBLIC]
        return [str(sockaddr[0]) for *_, sockaddr in found]

    def endpoint(self, address: IPv4Address | IPv6Address, port: int) -> tuple[str, int]:
        """Return the server behind an address."""
        self.connected.append((str(address), port))
        server = self.secure_web if port == 443 else self.web
        assert server is not None, "the test has no server with TLS"
        return "127.0.0.1", int(server.url.rpartition(":")[2])

    def close(self) -> None:
        """Do nothing."""
