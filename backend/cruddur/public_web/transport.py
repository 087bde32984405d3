"""An HTTP transport that connects to public addresses only.

It looks up a host once, checks the addresses, and connects to one of those that it has checked. The
name is not looked up again, so its owner cannot answer with a private address the second time (DNS
rebinding). TLS still checks the certificate of the name.
"""

from collections.abc import Collection

import httpx

from cruddur.public_web.addresses import Address, Network, look_up
from cruddur.public_web.urls import RefusedError, names_host, port_of, public_url

MAX_ADDRESSES = 3
"""Addresses of a host to try until one accepts the connection."""

# Everything else stays here: the trace context, cookies, credentials.
_REQUEST_HEADERS = ("Host", "User-Agent", "Accept", "Accept-Encoding", "Accept-Language")
# Without Set-Cookie, the client stores no cookies. Without Location, it prepares no request for the
# target of a redirect.
_RESPONSE_HEADERS = ("Content-Type", "Content-Encoding")
REDIRECT = "redirect"
"""The name of the extension of a response that has its Location."""


class PublicTransport(httpx.AsyncBaseTransport):
    """Sends each request on a connection of its own, without a proxy."""

    def __init__(self, network: Network, *, refused_hosts: Collection[str]) -> None:
        """Set how to reach hosts, and the hosts that must not be contacted."""
        self._network = network
        self._refused_hosts = refused_hosts
        # A kept connection could serve another host with the same address, whose certificate was
        # not checked.
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
        self._transport = httpx.AsyncHTTPTransport(limits=limits)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request and return the response before its body has arrived.

        Raises:
            RefusedError: as `public_url` says, the host has no public address, or it is refused.
            httpx.TransportError: any other error of httpx.
            OverloadedError: too many look-ups are waiting.
        """
        url = public_url(str(request.url))
        if names_host(url, self._refused_hosts):
            raise RefusedError("nothing is sent to this host")
        try:
            addresses = await look_up(self._network, url.raw_host.decode("ascii").strip("[]"))
        except OSError as error:
            raise httpx.ConnectError("the host is unknown", request=request) from error
        if not addresses:
            raise RefusedError("the host has no public address")
        for address in addresses[:MAX_ADDRESSES]:
            try:
                return await self._send(request, url, address)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                failure = error
        raise failure

    async def aclose(self) -> None:
        """Close the connections."""
        await self._transport.aclose()

    async def _send(
        self, request: httpx.Request, url: httpx.URL, address: Address
    ) -> httpx.Response:
        host, port = self._network.endpoint(address, port_of(url))
        response = await self._transport.handle_async_request(
            httpx.Request(
                request.method,
                url.copy_with(host=host, port=port),
                headers=_only(request.headers, _REQUEST_HEADERS),
                extensions={**request.extensions, "sni_hostname": url.raw_host.decode("ascii")},
            )
        )
        return httpx.Response(
            response.status_code,
            headers=_only(response.headers, _RESPONSE_HEADERS),
            stream=response.stream,
            extensions={**response.extensions, REDIRECT: response.headers.get("Location")},
        )


def _only(headers: httpx.Headers, names: tuple[str, ...]) -> dict[str, str]:
    return {name: headers[name] for name in names if name in headers}
