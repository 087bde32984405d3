"""The route for the telemetry of pages."""

from quart import request

from cruddur.errors import NotFoundError
from cruddur.routes.endpoint import ApiBlueprint, resources
from cruddur.services import telemetry as service
from cruddur.wire import BrowserTelemetry, TelemetryReceipt

telemetry = ApiBlueprint("telemetry")


@telemetry.handle(
    "POST",
    "/api/telemetry",
    summary="Send the spans and log records of a page",
    untraced=True,
    rate="telemetry",
    errors={404: ["not_found"]},
)
async def receive(body: BrowserTelemetry) -> TelemetryReceipt:
    """OTLP/JSON: `resourceSpans` and `resourceLogs` in one body, up to 64 KiB, 100 spans and 20 log
    records. The response has the numbers of invalid items, which are dropped. The service sets the
    resource, and drops unknown attributes. 404 if the service accepts no telemetry."""
    receiver = resources().telemetry.browser
    if receiver is None:
        raise NotFoundError
    user_agent = request.headers.get("User-Agent", "")
    return TelemetryReceipt(service.accept(receiver, body, user_agent))
