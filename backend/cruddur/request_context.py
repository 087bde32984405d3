"""The typed context of one request, shared by the ASGI layers and the handlers."""

from collections.abc import Collection
from contextvars import ContextVar
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from opentelemetry.trace import INVALID_SPAN, Span
from opentelemetry.util.types import AttributeValue

from cruddur.asgi_types import Receive, Scope, Send


class Kind(Enum):
    """How the edge treats a request."""

    PLAIN = "plain"
    PROBE = "probe"
    """A health check: no server span, no HTTP metrics, a log line at DEBUG."""
    TELEMETRY = "telemetry"
    """Telemetry of a page: untraced like a probe, because its trace would describe itself."""
    STREAM = "stream"
    """An endless response: one span when it opens, a linked one when it closes."""
    ASSET = "asset"
    """A file of the front end: its log line is at DEBUG if the file was found."""


class OpenStream(Protocol):
    """A response that continues after its request.

    A handler passes it to the edge in `RequestContext.stream`. The edge runs it once the response
    headers are sent, or releases it.
    """

    @property
    def sent(self) -> int:
        """Messages sent so far."""

    @property
    def reason(self) -> str:
        """Why the stream ended."""

    async def run(self, receive: Receive, send: Send) -> None:
        """Send the response body until it is complete or the client disconnects."""

    def release(self) -> None:
        """Free the stream without running it."""


@dataclass(slots=True, eq=False)
class RequestContext:
    """Facts about one request that several layers need.

    Attributes:
        scope: the ASGI scope, normalized.
        kind: how the edge treats the request.
        route: the rule that the request matches, such as `/api/activities/@<handle>`, or None.
        redacted_path: the path with everything private redacted.
        private: values of path parameters that no log or span may contain.
        stream: set by a handler whose response continues after the request.
        is_traced: whether the tracing middleware opened a span for the request.
        span: the server span; without one, a span that records nothing and has ids.
        metric_attributes: the attributes of the HTTP metrics of the request, if it is traced.
        content_length: the declared length of the response body in bytes, if known.
        is_shared: whether the response is cached for all members, so that the handler's page has to
            be complete. The response cache then leaves out what is hidden from the viewer.
        hidden: the handles on that page that are hidden from the viewer.
        subject: the handle of the user that the whole page is about, or None for a list.
    """

    scope: Scope
    kind: Kind = Kind.PLAIN
    route: str | None = None
    redacted_path: str = ""
    private: tuple[str, ...] = ()
    stream: OpenStream | None = None
    is_traced: bool = False
    span: Span = INVALID_SPAN
    metric_attributes: dict[str, AttributeValue] | None = None
    content_length: int | None = None
    is_shared: bool = False
    hidden: Collection[str] = ()
    subject: str | None = None

    def take_stream(self) -> OpenStream | None:
        """Return the stream and clear it, so that only one caller runs or releases it."""
        stream, self.stream = self.stream, None
        return stream


current: ContextVar[RequestContext] = ContextVar("cruddur_request")
"""Set by the entry of the edge, for the duration of the request."""


def current_request() -> RequestContext:
    """Return the context of the request being processed.

    Raises:
        LookupError: no request is being processed.
    """
    return current.get()
