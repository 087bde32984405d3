"""What the in-memory pipeline recorded, as tests ask for it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from cruddur.telemetry.operation import Failure

WAIT = "wait for connection"
"""The span that any request may have beside its own, when the machine is busy."""

PATIENCE = 5.0
"""Seconds until something that has to come is given up."""


@dataclass
class Reports:
    """A reporter that keeps what it is given."""

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
        """All of them, but for the sweeper's, which come when they come."""
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
        """Wait for what ends after its answer was sent."""
        await until(lambda: condition(self))


async def until(condition: Callable[[], object]) -> None:
    """Wait for something that comes by itself; nothing would tell when."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110  # as said
            await asyncio.sleep(0.01)


def attributes(span: ReadableSpan) -> dict[str, object]:
    """A span's attributes, which are there."""
    assert span.attributes is not None
    return dict(span.attributes)
