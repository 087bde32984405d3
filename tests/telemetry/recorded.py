"""Query the telemetry of the in-memory pipeline."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from cruddur.telemetry.operation import Failure
from patience import PATIENCE

WAIT = "wait for connection"
"""The additional span that any request may have when the machine is busy."""

"""Timeout in seconds for an expected event."""


@dataclass
class Reports:
    """A reporter that stores the reported failures."""

    failures: list[Failure] = field(default_factory=list)

    def report(self, failure: Failure) -> str:
        self.failures.append(failure)
        return f"item-{len(self.failures)}"


@dataclass
class Recorded:
    """The spans that have ended, the oldest first."""

    exporter: InMemorySpanExporter

    @property
    def spans(self) -> list[ReadableSpan]:
        """Return all spans except the sweeper's, which come at any time."""
        ended = self.exporter.get_finished_spans()
        swept = {span.context.trace_id for span in ended if "sweep" in span.name}
        return [span for span in ended if span.context.trace_id not in swept]

    @property
    def servers(self) -> list[ReadableSpan]:
        return [span for span in self.spans if span.kind is SpanKind.SERVER]

    @property
    def server(self) -> ReadableSpan:
        """The only server span."""
        (found,) = self.servers
        return found

    def named(self, name: str) -> ReadableSpan:
        """The only span of that name."""
        (found,) = [span for span in self.spans if span.name == name]
        return found

    def clear(self) -> None:
        self.exporter.clear()

    async def until(self, condition: Callable[["Recorded"], object]) -> None:
        """Wait for work that ends after its response was sent."""
        await until(lambda: condition(self))


async def until(condition: Callable[[], object]) -> None:
    """Wait for a condition that has no event to wait for."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110  # there is no event
            await asyncio.sleep(0.01)


def attributes(span: ReadableSpan) -> dict[str, object]:
    """Return the attributes of a span, which must exist."""
    assert span.attributes is not None
    return dict(span.attributes)
