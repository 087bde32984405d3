"""Refuse requests of clients that exceed their rate limits, and report the limits in headers.

A member's requests are charged to their account, once a worker has verified their token. The API
tokens of an account have another allowance, which they share. All other requests are charged to the
client's address, and for IPv6 also to its /48 network. The headers are those of
draft-ietf-httpapi-ratelimit-headers-10.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address

from cruddur.asgi_types import Application, Message, Receive, Scope, Send
from cruddur.edge.refusals import Headers, Refusals
from cruddur.errors import RateLimitedError
from cruddur.identity.authenticator import Account
from cruddur.request_context import current_request
from cruddur.services.client_addresses import UNKNOWN, address_key, network_key
from cruddur.services.rates import Charge, Decision, RateClass, Rates

_CACHED_ADDRESSES = 4096


class RateLimits:
    """The ASGI layer."""

    def __init__(
        self,
        app: Application,
        rates: Rates,
        *,
        classes: Mapping[tuple[str, str], RateClass | None],
        exempt: Sequence[IPv4Network | IPv6Network],
        account: Callable[[str], Account | None],
        refusals: Refusals,
    ) -> None:
        """Wrap an application.

        Args:
            app: the application.
            rates: the limits and how much of them each client has used.
            classes: the class of each method and route; None for no limit. Files of the front
                end, preflights and unknown paths are `other`.
            exempt: networks whose clients are not limited.
            account: returns the account of an `Authorization` header, if its token is cached.
            refusals: sends refusals.
        """
        self._app = app
        self._rates = rates
        self._classes = classes
        self._account = account
        self._refusals = refusals
        self._is_exempt = lru_cache(_CACHED_ADDRESSES)(
            lambda address: any(ip_address(address) in network for network in exempt)
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI callable."""
        charges = self._charges(scope) if scope["type"] == "http" else ()
        if not charges:
            await self._app(scope, receive, send)
            return
        decision = self._rates.decide(charges)
        headers = _headers(decision)
        if decision.retry_after is not None:
            await self._refusals.send(RateLimitedError(decision.retry_after), scope, send, headers)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), *headers]}
            await send(message)

        await self._app(scope, receive, send_with_headers)

    def _charges(self, scope: Scope) -> Sequence[Charge]:
        """Return the limits that a request counts towards."""
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        rate = self._classes.get((method, current_request().route or ""), "other")
        client = scope.get("client")
        address = client[0] if client else UNKNOWN
        if rate is None or (address != UNKNOWN and self._is_exempt(address)):
            return ()
        tokens = [value for name, value in scope["headers"] if name == b"authorization"]
        if len(tokens) == 1:
            account = self._account(tokens[0].decode("latin-1"))
            if account is not None:
                by_class = (
                    self._rates.token_policies
                    if account.has_api_token
                    else self._rates.account_policies
                )
                return ((by_class[rate], account.name),)
        charge = (self._rates.address_policies[rate], address_key(address))
        network = network_key(address)
        if network is None:
            return (charge,)
        return (charge, (self._rates.network_policies[rate], network))


def _headers(decision: Decision) -> Headers:
    limits = ", ".join(
        f'"{status.policy.name}";r={status.remaining};t={status.reset}'
        for status in decision.statuses
    )
    policies = ", ".join(status.policy.header for status in decision.statuses)
    return ((b"ratelimit", limits.encode()), (b"ratelimit-policy", policies.encode()))
