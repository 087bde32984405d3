"""Our encoding of spans, compared with the SDK's."""

from itertools import count

from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans as sdk_encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from cruddur.telemetry.span_encoding import encode_spans

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
numbers = st.integers(-(2**63), 2**63 - 1)
values = st.one_of(
    texts,
    st.booleans(),
    numbers,
    st.floats(allow_nan=False),
    st.binary(max_size=10),
    st.lists(texts, max_size=3),
    st.lists(numbers, max_size=3),
    st.lists(st.booleans(), max_size=3),
)
attributes = st.dictionaries(texts.filter(bool), values, max_size=6)
states = st.sampled_from([None, trace.TraceState([("vendor", "value"), ("other", "one")])])
contexts = st.builds(
    SpanContext,
    st.integers(1, 2**128 - 1),
    st.integers(1, 2**64 - 1),
    st.booleans(),
    st.sampled_from([TraceFlags(0), TraceFlags(1), TraceFlags(3)]),
    states,
)


class Counting(IdGenerator):
    """Fixed ids, because examples must be reproducible and the SDK's ids are random."""

    def __init__(self) -> None:
        self._ids = count(1)

    def generate_span_id(self) -> int:
        return next(self._ids)

    def generate_trace_id(self) -> int:
        return next(self._ids) << 64


@st.composite
def spans(draw: st.DrawFn) -> list[ReadableSpan]:
    """A few spans of two scopes, as the SDK makes them."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(
        resource=Resource(draw(attributes), draw(st.sampled_from([None, "https://example.com/1"]))),
        span_limits=SpanLimits(max_span_attributes=4, max_events=2, max_links=2),
        id_generator=Counting(),
        shutdown_on_exit=False,
    )
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracers = [
        provider.get_tracer("one", "1.0", "https://example.com/2", {"scope": "first"}),
        provider.get_tracer("two"),
    ]
    for _ in range(draw(st.integers(0, 4))):
        parent = draw(st.one_of(st.none(), contexts))
        tracer = draw(st.sampled_from(tracers))
        span = tracer.start_span(
            draw(texts),
            context=parent and trace.set_span_in_context(trace.NonRecordingSpan(parent)),
            kind=draw(st.sampled_from(SpanKind)),
            attributes=draw(attributes),
            links=[Link(c, draw(attributes)) for c in draw(st.lists(contexts, max_size=3))],
        )
        for _ in range(draw(st.integers(0, 3))):
            span.add_event(draw(texts), draw(attributes))
        code = draw(st.sampled_from(StatusCode))
        span.set_status(Status(code, draw(texts) if code is StatusCode.ERROR else None))
        span.end()
    return list(exporter.get_finished_spans())


@given(spans())
@settings(max_examples=80, deadline=None, derandomize=True)
def test_the_bytes_decode_like_those_of_the_sdk(made: list[ReadableSpan]) -> None:
    ours = ExportTraceServiceRequest.FromString(encode_spans(made))
    assert ours == sdk_encode_spans(made)


def test_long_texts_and_many_spans() -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("trial")
    for number in range(2000):
        tracer.start_span("x" * number, attributes={"text": "ä" * number, "number": number}).end()
    made = list(exporter.get_finished_spans())
    assert ExportTraceServiceRequest.FromString(encode_spans(made)) == sdk_encode_spans(made)


def test_a_text_that_is_not_utf8_does_not_lose_the_batch() -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    provider.get_tracer("trial").start_span("\ud800", attributes={"text": "\udfff"}).end()
    made = list(exporter.get_finished_spans())
    decoded = ExportTraceServiceRequest.FromString(encode_spans(made))
    [span] = decoded.resource_spans[0].scope_spans[0].spans
    assert span.name == "\\ud800"
    assert span.attributes[0].value.string_value == "\\udfff"
