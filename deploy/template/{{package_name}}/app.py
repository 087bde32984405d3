"""Compose the application: its routes, its resources and its edge."""

from collections.abc import AsyncGenerator

from quart import Quart

from .edge import wrap
from .resources import open_resources
from .routes import error_handlers, openapi
from .routes.health import health
from .routes.notes import notes
from .settings import Settings

BLUEPRINTS = (notes, health)

BODY_BYTES = 64 * 1024
BODY_SECONDS = 20


def create_app(settings: Settings, dsn: str) -> Quart:
    """Create the application. It opens no connection before it is served.

    Args:
        settings: the settings.
        dsn: the database.
    """
    app = Quart(__package__ or "", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = BODY_BYTES
    app.config["BODY_TIMEOUT"] = BODY_SECONDS
    app.config["PROPAGATE_EXCEPTIONS"] = False  # tests get the same responses as clients
    error_handlers.install(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    app.register_blueprint(openapi.blueprint(BLUEPRINTS))

    @app.while_serving
    async def lifespan() -> AsyncGenerator[None, None]:
        async with open_resources(settings, dsn) as resources:
            app.extensions["resources"] = resources
            yield

    edge = wrap(app.asgi_app, app.url_map)
    app.asgi_app = edge  # type: ignore[method-assign, assignment]  # as Quart documents
    return app
