"""Settings of the server: where it listens, its workers, the edge and live streams."""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Literal
from urllib.parse import urlsplit

from cruddur.settings import checks
from cruddur.settings.declaration import setting

PublishedOn = Literal["", "loopback"]
Cleartext = Literal["http/1.1", "h2c"]
Parser = Literal["h11", "httptools"]
ProfileShape = Literal["auto", "profile", "list"]
Previews = Literal["on", "off"]

RATES = "read=1200,write=120,search=120,account=60,upload=20,stream=120,telemetry=30,other=2400"


@dataclass(frozen=True, kw_only=True)
class ServerSettings:
    """The addresses that the service listens on, and its limits."""

    port: Annotated[
        int,
        setting(
            "PORT",
            "Port to serve on if CRUDDUR_BIND names none",
            ge=0,
            le=65_535,
            compose="set",
        ),
    ] = 4567
    bind: Annotated[
        str,
        setting(
            "CRUDDUR_BIND",
            "Comma-separated `address[:port]` to serve on; empty: loopback",
            check=checks.bind,
            compose="fixed",
        ),
    ] = ""
    workers: Annotated[
        int, setting("WEB_CONCURRENCY", "Worker processes", ge=1, le=1000, compose="set")
    ] = 1
    certfile: Annotated[
        str,
        setting(
            "CRUDDUR_CERTFILE",
            "PEM file of a certificate, to serve with TLS and HTTP/2; empty: without TLS",
        ),
    ] = ""
    keyfile: Annotated[
        str,
        setting(
            "CRUDDUR_KEYFILE",
            "PEM file of its private key; empty: the key is in CRUDDUR_CERTFILE",
        ),
    ] = ""
    frontend_url: Annotated[
        str,
        setting(
            "FRONTEND_URL",
            "Origin of the pages that may call the API; `*` for any",
            check=checks.url("http", "https", wildcard=True),
            compose="set",
        ),
    ] = "http://localhost:3000"
    backend_url: Annotated[
        str,
        setting(
            "BACKEND_URL",
            "Public origin of the service, also used in upload addresses; empty: that of localhost",
            check=checks.url("http", "https", wildcard=True),
            compose="set",
        ),
    ] = ""
    frontend_directory: Annotated[
        str,
        setting(
            "CRUDDUR_FRONTEND_DIRECTORY",
            "Built front end to serve at the same address; empty: the page in the wheel, or else"
            " only the API",
            compose="fixed",
        ),
    ] = ""
    trusted_hops: Annotated[
        int,
        setting(
            "CRUDDUR_TRUSTED_HOPS",
            "Reverse proxies in front of the service whose X-Forwarded-* headers are trusted",
            ge=0,
            le=100,
            compose="set",
        ),
    ] = 0
    max_connections: Annotated[
        int,
        setting(
            "CRUDDUR_CONNECTIONS",
            "Open connections per worker; 0: 2,000 more than CRUDDUR_STREAMS",
            ge=0,
            le=1_000_000,
        ),
    ] = 0
    max_connections_per_address: Annotated[
        int,
        setting(
            "CRUDDUR_CONNECTIONS_PER_ADDRESS",
            "Open connections per worker and client address; 0: 900 more than"
            " CRUDDUR_STREAMS_PER_ADDRESS; not counted behind trusted proxies",
            ge=0,
            le=1_000_000,
        ),
    ] = 0
    cleartext: Annotated[
        Cleartext,
        setting(
            "CRUDDUR_CLEARTEXT",
            "Protocol without TLS; `h2c` adds HTTP/2, for a proxy that uses it",
        ),
    ] = "http/1.1"
    http1: Annotated[
        Parser,
        setting("CRUDDUR_HTTP1", "Parser of HTTP/1.1; `httptools` needs less CPU time"),
    ] = "httptools"
    overload_delay: Annotated[
        float,
        setting(
            "CRUDDUR_OVERLOAD_DELAY",
            "Added latency at which a worker sheds load; 0: never",
            ge=0,
            le=60_000,
            unit="ms",
        ),
    ] = 50.0
    streams: Annotated[
        int, setting("CRUDDUR_STREAMS", "Open event streams per worker", ge=1, le=1_000_000)
    ] = 10_000
    streams_per_address: Annotated[
        int,
        setting(
            "CRUDDUR_STREAMS_PER_ADDRESS",
            "Open event streams per worker and client address",
            ge=1,
            le=1_000_000,
        ),
    ] = 100
    rates: Annotated[
        str,
        setting(
            "CRUDDUR_RATES",
            "Requests per minute and signed-in user, by class; a class that is left out keeps its"
            " default",
            check=checks.rates,
        ),
    ] = RATES
    token_rates: Annotated[
        str,
        setting(
            "CRUDDUR_TOKEN_RATES",
            "Requests per minute of all API tokens of a user together, by class; a class that is"
            " left out has the number of CRUDDUR_RATES",
            check=checks.rates,
        ),
    ] = ""
    rate_address_factor: Annotated[
        int,
        setting(
            "CRUDDUR_RATE_ADDRESS_FACTOR",
            "How many times more requests an address may send without a token",
            ge=1,
            le=1000,
        ),
    ] = 10
    rate_exempt: Annotated[
        str,
        setting(
            "CRUDDUR_RATE_EXEMPT",
            "Comma-separated addresses and networks without rate limits, for load tests",
            check=checks.networks,
        ),
    ] = ""
    previews: Annotated[
        Previews,
        setting(
            "CRUDDUR_PREVIEWS",
            "Whether the service fetches the pages that cruds link to, to show a preview",
        ),
    ] = "on"
    profile_shape: Annotated[
        ProfileShape,
        setting(
            "CRUDDUR_PROFILE_SHAPE",
            "Shape of the profile feed; `auto`: the one that the request asks for",
        ),
    ] = "auto"
    demo_handle: Annotated[
        str,
        setting(
            "CRUDDUR_DEMO_HANDLE",
            "User for requests without a token; on loopback only",
            compose="set",
        ),
    ] = ""
    published_on: Annotated[
        PublishedOn,
        setting(
            "CRUDDUR_PUBLISHED_ON",
            "`loopback` states that the port of this container is published on 127.0.0.1 only,"
            " which permits CRUDDUR_DEMO_HANDLE",
            compose="fixed",
        ),
    ] = ""

    @property
    def binds(self) -> tuple[str, ...]:
        """The addresses to serve on, as `host:port`."""
        parts = [part.strip() for part in self.bind.split(",") if part.strip()]
        return tuple(
            f"{part}:{self.port}" if checks.is_address(part) else part
            for part in parts or ["127.0.0.1"]
        )

    @property
    def connections(self) -> int:
        """Maximum number of open connections per worker."""
        return self.max_connections or self.streams + 2000

    @property
    def connections_per_address(self) -> int:
        """Maximum number of open connections per worker and client address."""
        return self.max_connections_per_address or self.streams_per_address + 900

    @property
    def rate_quotas(self) -> Mapping[str, int]:
        """Requests per minute that an account may send, by class."""
        return {**checks.parse_pairs(RATES), **checks.parse_pairs(self.rates)}

    @property
    def token_rate_quotas(self) -> Mapping[str, int]:
        """Requests per minute that the API tokens of an account may send, by class."""
        return {**self.rate_quotas, **checks.parse_pairs(self.token_rates)}

    @property
    def rate_exempt_networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """Networks without rate limits."""
        return tuple(
            ip_network(part.strip()) for part in self.rate_exempt.split(",") if part.strip()
        )

    @property
    def backend_origin(self) -> str:
        """The public origin of the service, or `*` if it is the one that the client used."""
        return (self.backend_url or self.local_origin).rstrip("/")

    @property
    def local_origin(self) -> str:
        """The origin of the service for clients on this machine."""
        scheme = "https" if self.certfile else "http"
        port = self.binds[0].rpartition(":")[2]
        return f"{scheme}://localhost:{port}" if port.isdigit() else f"{scheme}://localhost"

    @property
    def page_origin(self) -> str:
        """The origin of the page that users open."""
        page, other = self.frontend_url, self.backend_origin
        if self.frontend_directory:
            page, other = other, page
        return (other if page == "*" else page).rstrip("/")

    @property
    def is_https(self) -> bool:
        """Whether the public origin is https."""
        return self.backend_origin.lower().startswith("https:")

    @property
    def passkey_domain(self) -> str:
        """The domain that passkeys are for: that of the page. Empty without a domain of its own."""
        host = urlsplit(self.page_origin).hostname or ""
        return "" if checks.is_ip_address(host) else host

    @property
    def passkey_origins(self) -> frozenset[str]:
        """The origins whose pages may use passkeys: those of the domain, and of its subdomains."""
        domain = self.passkey_domain
        return frozenset(
            origin
            for url in (self.frontend_url, self.backend_origin)
            if url != "*"
            for origin, host in (_browser_origin(url),)
            if domain and (host == domain or host.endswith(f".{domain}"))
        )

    @property
    def origins(self) -> tuple[str, ...]:
        """The origins whose pages may call the API."""
        urls = (self.frontend_url, self.backend_origin)
        return ("*",) if "*" in urls else tuple(dict.fromkeys(url.rstrip("/") for url in urls))


def _browser_origin(url: str) -> tuple[str, str]:
    """Return the origin of a URL as browsers write it, and its host."""
    parts = urlsplit(url.lower())
    host = parts.hostname or ""
    is_default = parts.port in {None, {"http": 80, "https": 443}.get(parts.scheme)}
    return f"{parts.scheme}://{host}" + ("" if is_default else f":{parts.port}"), host
