"""The ASGI layers of the edge, in order.

    ProxyFix                the client's address and scheme, as trusted proxies report them
     └ SecurityHeaders      headers that every response carries
        └ Entry             one normalized scope, the route, the request context
           └ LoadShedding   503 while the worker is overloaded
              └ Streams     responses that continue after their request
                 └ TracingMiddleware    OpenTelemetry's: the server span and the HTTP metrics
                    └ Observation       exceptions, disconnects, traceresponse, the log line
                       └ RateLimits     429 for clients that send too many requests
                          └ EventPositions    where a client continues with the live events
                             └ Compression    gzip for pages of cruds
                                └ ResponseCache    shared responses that are still valid
                                   └ BoundedExchange    the body limit, and the end of a request
                                      └ the application

LoadShedding refuses requests before any work is done, so it is outside of the tracing middleware.
RateLimits is inside: refused requests have a trace id and a log line like all others.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias, cast

from hypercorn.middleware import ProxyFixMiddleware
from opentelemetry.metrics import NoOpMeterProvider
from werkzeug.routing import Map

from cruddur.asgi_types import Application
from cruddur.edge.compression import Compression
from cruddur.edge.entry import Entry
from cruddur.edge.exchange import BoundedExchange
from cruddur.edge.observation import Observation
from cruddur.edge.overload import LoadShedding
from cruddur.edge.positions import EventPositions
from cruddur.edge.rates import RateLimits
from cruddur.edge.refusals import Refusals
from cruddur.edge.response_cache import ResponseCache
from cruddur.edge.routing import Router
from cruddur.edge.security import SecurityHeaders, security_headers
from cruddur.edge.streams import Streams
from cruddur.edge.tracing import Hooks, trace_requests
from cruddur.request_context import Kind
from cruddur.resources import Resources
from cruddur.routes.endpoint import Endpoint
from cruddur.routes.pages import RENDERED_RULES
from cruddur.services.rates import Rates
from cruddur.services.shared_pages import MarksReader, read_marks
from cruddur.settings import Settings
from cruddur.telemetry.pipeline import Telemetry

Layer: TypeAlias = Callable[[Application], Application]


@dataclass(frozen=True, slots=True)
class Edge:
    """The wrapped application.

    Attributes:
        app: the outermost ASGI layer.
        shedding: the layer that refuses requests under overload, None if it is off.
    """

    app: Application
    shedding: LoadShedding | None


def wrap(
    app: Application,
    settings: Settings,
    telemetry: Telemetry,
    hooks: Hooks,
    *,
    url_map: Map,
    endpoints: Sequence[Endpoint],
    assets: str,
    body_limit: Callable[[str], int],
    exposed_headers: Sequence[str],
    rates: Rates,
    resources: Callable[[], Resources],
) -> Edge:
    """Wrap the application in all layers.

    Args:
        app: the application.
        settings: configure the layers.
        telemetry: measures the requests.
        hooks: called by the tracing middleware.
        url_map: the rules of the application.
        endpoints: the declarations of the endpoints.
        assets: the rule of the front end's files.
        body_limit: returns the largest request body for a path, in bytes.
        exposed_headers: the response headers that pages of other origins may read.
        rates: the rate limits and how much of them each client has used.
        resources: returns what the application opened when it started.
    """
    kinds = {assets: Kind.ASSET}
    kinds |= {e.rule: Kind.PROBE for e in endpoints if e.probe}
    kinds |= {e.rule: Kind.TELEMETRY for e in endpoints if e.untraced}
    kinds |= {e.rule: Kind.STREAM for e in endpoints if e.stream}
    cached = [e for e in endpoints if e.cached and e.access == "optional"]
    refusals = Refusals(settings.origins, exposed_headers)
    shedding: LoadShedding | None = None

    def shed_load(inner: Application) -> Application:
        nonlocal shedding
        shedding = LoadShedding(
            inner,
            delay=settings.overload_delay / 1000,
            operator_token=settings.operator_token,
            probes=[rule for rule, kind in kinds.items() if kind is Kind.PROBE],
            priority=[e.rule for e in endpoints if e.priority],
            refusals=refusals,
            extra_headers=security_headers(is_https=settings.is_https),
            instruments=telemetry.instruments,
        )
        return shedding

    layers: tuple[tuple[bool, Layer], ...] = (
        (settings.trusted_hops > 0, partial(_fix_proxied, trusted_hops=settings.trusted_hops)),
        (True, partial(SecurityHeaders, is_https=settings.is_https)),
        (True, partial(Entry, router=Router(url_map, kinds))),
        (settings.overload_delay > 0, shed_load),
        (True, partial(observe, settings=settings, telemetry=telemetry, hooks=hooks)),
        (
            True,
            partial(
                RateLimits,
                rates=rates,
                classes={(e.method, e.rule): e.rate for e in endpoints},
                exempt=settings.rate_exempt_networks,
                account=lambda header: resources().authenticator.account(header),
                refusals=refusals,
            ),
        ),
        (
            True,
            partial(
                EventPositions,
                rules={e.rule for e in cached},
                changes=lambda: resources().page_changes,
            ),
        ),
        (True, partial(Compression, rules={*RENDERED_RULES, *(e.rule for e in cached)})),
        (
            not settings.demo_handle,  # every anonymous caller acts as the demo user
            partial(
                ResponseCache,
                rules={e.rule: e.shows for e in cached},
                personal_rules={e.rule for e in cached if e.personal},
                public_feeds={e.rule for e in cached if e.public_feed},
                vary=("Origin", *(name for e in cached for name in e.vary)),  # CORS uses Origin
                changes=lambda: resources().page_changes,
                read_marks=_marks_reader(resources),
            ),
        ),
        (True, partial(BoundedExchange, body_limit=body_limit)),
    )
    for is_on, layer in reversed(layers):
        if is_on:
            app = layer(app)
    return Edge(app, shedding)


def observe(
    app: Application, settings: Settings, telemetry: Telemetry, hooks: Hooks
) -> Application:
    """Wrap an application in the layers from `Streams` to `Observation`.

    A request that opens a stream has a server span, but is not counted in the HTTP metrics.
    """
    app = Observation(
        app,
        instruments=telemetry.instruments,
        timing_origins=settings.origins,
        is_sampling=telemetry.is_sampling,
    )
    traced, opening_app = (
        trace_requests(
            app,
            tracer_provider=telemetry.tracer_provider,
            meter_provider=meter_provider,
            hooks=hooks,
        )
        for meter_provider in (telemetry.meter_provider, NoOpMeterProvider())
    )
    return Streams(traced, opening_app=opening_app, instruments=telemetry.instruments)


def _marks_reader(resources: Callable[[], Resources]) -> MarksReader:
    return lambda header, page, is_public_feed: read_marks(
        resources().authenticator,
        resources().database,
        resources().page_changes,
        header,
        page,
        is_public_feed=is_public_feed,
    )


def _fix_proxied(app: Application, trusted_hops: int) -> Application:
    middleware = ProxyFixMiddleware(
        app,  # type: ignore[arg-type]  # its scopes and messages are typed dictionaries
        mode="legacy",
        trusted_hops=trusted_hops,
    )
    return cast("Application", middleware)
