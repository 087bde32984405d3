"""Trace and span ids for requests that record no span."""

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, TraceFlags

_ids = RandomIdGenerator()


def span_with_ids(parent: Context) -> Span:
    """Return a span that records nothing and has ids: a new span id in the parent's trace.

    Args:
        parent: the context that holds the caller's span; without one the trace id is new too.
    """
    caller = trace.get_current_span(parent).get_span_context()
    trace_id = caller.trace_id if caller.is_valid else _ids.generate_trace_id()
    flags = TraceFlags(TraceFlags.RANDOM_TRACE_ID)
    return NonRecordingSpan(SpanContext(trace_id, _ids.generate_span_id(), False, flags))
