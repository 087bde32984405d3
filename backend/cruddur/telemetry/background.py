"""Background work: sweeps, mails and other jobs that outlive the request that started them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from opentelemetry import context, trace
from opentelemetry.trace import Link, Span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from cruddur.telemetry.error_reporting import report
from cruddur.telemetry.operation import (
    Instruments,
    Operation,
    current_operation,
    operation_attributes,
    operation_scope,
)

_propagator = TraceContextTextMapPropagator()


@contextmanager
def background(
    name: str,
    instruments: Instruments | None = None,
    private: Sequence[str] = (),
    *,
    is_quiet: bool = False,
    cause: str | None = None,
) -> Iterator[Span]:
    """Run background work in a trace of its own, linked to the span that started it.

    An exception is reported and raised again.

    Args:
        name: the name of the root span.
        instruments: record the measurements; default: those of the current unit of work.
        private: texts to remove from recorded exceptions.
        is_quiet: whether a statement has a span only if it changed rows, failed or was slow.
        cause: the `traceparent` of the span that started it; default: the current span.
    """
    started_in = _propagator.extract({"traceparent": cause}, context.Context()) if cause else None
    origin = trace.get_current_span(started_in).get_span_context()
    links = [Link(origin)] if origin.is_valid else []
    operation = Operation(
        instruments or current_operation().instruments, bodies=[*private], is_quiet=is_quiet
    )
    root = operation.instruments.tracer.start_span(name, context=context.Context(), links=links)
    operation.is_recording = root.is_recording()
    token = context.attach(trace.set_span_in_context(root, context.Context()))
    try:
        with operation_scope(operation):
            yield root
    except Exception as error:
        with operation_scope(operation):
            report(error, name)
        raise
    finally:
        root.set_attributes(operation_attributes(operation))
        context.detach(token)
        root.end()
