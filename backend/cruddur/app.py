"""Compose the application: its routes, its layers and their order."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

from quart import Quart, Request
from quart_cors import cors

from cruddur.concurrency.tasks import cancel_tasks
from cruddur.edge.layers import wrap
from cruddur.edge.overload import LoadShedding
from cruddur.edge.tracing import Hooks
from cruddur.process.periodic_jobs import (
    run_index_rebuilds,
    run_picture_sweeper,
    run_sweeper,
)
from cruddur.public_web.addresses import Network
from cruddur.resources import open_resources
from cruddur.routes import error_handlers, openapi, pages, preflight
from cruddur.routes.accounts import accounts
from cruddur.routes.activities import activities
from cruddur.routes.api_tokens import api_tokens
from cruddur.routes.avatars import UPLOAD_PATH as AVATAR_UPLOAD_PATH
from cruddur.routes.avatars import avatars
from cruddur.routes.crud_pictures import UPLOAD_PATH as PICTURE_UPLOAD_PATH
from cruddur.routes.crud_pictures import crud_pictures
from cruddur.routes.email_changes import email_changes
from cruddur.routes.export import export
from cruddur.routes.follows import follows
from cruddur.routes.health import health
from cruddur.routes.instance import instance
from cruddur.routes.live import live
from cruddur.routes.messages import messages
from cruddur.routes.moderation import moderation
from cruddur.routes.notices import notices
from cruddur.routes.notifications import notifications
from cruddur.routes.passkeys import passkeys
from cruddur.routes.previews import previews
from cruddur.routes.reactions import reactions
from cruddur.routes.reports import reports
from cruddur.routes.rollbar import rollbar
from cruddur.routes.safety import safety
from cruddur.routes.second_factors import second_factors
from cruddur.routes.telemetry import telemetry as telemetry_routes
from cruddur.routes.trends import trends
from cruddur.routes.users import users
from cruddur.services.pictures import PICTURE_BYTES
from cruddur.services.rates import Rates, run_rate_exchange
from cruddur.settings import Settings
from cruddur.telemetry.error_reporting import report
from cruddur.telemetry.pipeline import Telemetry

BLUEPRINTS = (
    activities,
    reactions,
    users,
    follows,
    safety,
    avatars,
    crud_pictures,
    previews,
    messages,
    notifications,
    trends,
    accounts,
    second_factors,
    passkeys,
    api_tokens,
    reports,
    notices,
    export,
    email_changes,
    moderation,
    instance,
    live,
    health,
    telemetry_routes,
)
ENDPOINTS = tuple(endpoint for blueprint in BLUEPRINTS for endpoint in blueprint.endpoints)
DOCUMENTATION = openapi.blueprint(ENDPOINTS)

BODY_BYTES = 64 * 1024
BODY_SECONDS = 20

# Browsers cache a preflight response for at most two hours.
PREFLIGHT_SECONDS = 7200
ALLOWED_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
ALLOWED_HEADERS = (
    "authorization",
    "content-type",
    "accept",
    "if-modified-since",
    "if-none-match",
    "idempotency-key",
    "last-event-id",
    "traceparent",
    "tracestate",
)
EXPOSED_HEADERS = (
    "location",
    "link",
    "etag",
    "retry-after",
    "ratelimit",
    "ratelimit-policy",
    "traceresponse",
    "server-timing",
    "x-request-id",
)


def create_app(
    settings: Settings,
    telemetry: Telemetry | None = None,
    hooks: Hooks | None = None,
    network: Network | None = None,
) -> Quart:
    """Create the application. It opens no connections before it is served.

    Args:
        settings: the settings of the application.
        telemetry: the telemetry pipeline; default: created from the settings.
        hooks: called by the tracing middleware.
        network: the way to linked pages; default: the internet.
    """
    telemetry = telemetry or Telemetry(settings)
    app = Cruddur("cruddur", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = BODY_BYTES
    app.config["BODY_TIMEOUT"] = BODY_SECONDS
    app.config["PROPAGATE_EXCEPTIONS"] = False  # tests get the same responses as users
    app.url_map.merge_slashes = False  # a redirect would be the only HTML response

    error_handlers.install(app)
    preflight.install(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    app.register_blueprint(rollbar)
    app.register_blueprint(DOCUMENTATION)
    if settings.frontend_directory:
        directory = Path(settings.frontend_directory)
        app.register_blueprint(
            pages.blueprint(directory, has_telemetry=telemetry.browser is not None)
        )
    cors(
        app,
        allow_origin=settings.origins,
        allow_credentials="*" not in settings.origins,
        allow_methods=ALLOWED_METHODS,
        allow_headers=ALLOWED_HEADERS,
        expose_headers=EXPOSED_HEADERS,
        max_age=PREFLIGHT_SECONDS,
    )

    shedding: LoadShedding | None = None
    rates = Rates(settings.rate_quotas, settings.token_rate_quotas, settings.rate_address_factor)

    @app.while_serving
    async def lifespan() -> AsyncGenerator[None, None]:
        async with (
            telemetry.running(),
            open_resources(settings, telemetry, network) as resources,
            shedding.running() if shedding else contextlib.nullcontext(),
        ):
            app.extensions["cruddur"] = resources
            tasks = [
                asyncio.create_task(run_sweeper(resources)),
                asyncio.create_task(run_picture_sweeper(resources)),
                asyncio.create_task(run_index_rebuilds(resources)),
                asyncio.create_task(resources.previews.run()),
                asyncio.create_task(
                    run_rate_exchange(rates, resources.database, telemetry.instruments)
                ),
            ]
            try:
                yield
            finally:
                await cancel_tasks(*tasks)

    edge = wrap(
        app.asgi_app,  # type: ignore[arg-type]  # its scopes and messages are typed dictionaries
        settings,
        telemetry,
        hooks or Hooks(),
        url_map=app.url_map,
        endpoints=ENDPOINTS,
        assets=pages.ASSET_RULE,
        body_limit=body_limit,
        exposed_headers=EXPOSED_HEADERS,
        rates=rates,
        resources=lambda: app.extensions["cruddur"],
    )
    app.asgi_app = edge.app  # type: ignore[method-assign, assignment]  # as Quart documents
    app.extensions["cruddur.shedding"] = shedding = edge.shedding
    return app


def body_limit(path: str) -> int:
    """Return the largest request body for a path, in bytes."""
    takes_picture = path.startswith(AVATAR_UPLOAD_PATH) or path == PICTURE_UPLOAD_PATH
    return PICTURE_BYTES if takes_picture else BODY_BYTES


class BoundedRequest(Request):
    """A request with the body limit of its path."""

    def __init__(self, method: str, scheme: str, path: str, *args: Any, **kwargs: Any) -> None:
        """Pass Quart's arguments on, with the body limit of the path."""
        kwargs["max_content_length"] = body_limit(path)
        super().__init__(method, scheme, path, *args, **kwargs)


class Cruddur(Quart):
    """Quart with bounded request bodies that reports unhandled exceptions through one function."""

    request_class = BoundedRequest

    def log_exception(self, *arguments: Any) -> None:
        """Report an unhandled exception of a view, a websocket or a background task.

        Args:
            arguments: the exception info, after the context that Quart 0.23 and newer pass first.
        """
        _, error, _ = arguments[-1]
        report(error)
