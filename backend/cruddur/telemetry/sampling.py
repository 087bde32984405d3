"""Which traces are kept: our decision alone, whatever a caller's flag says."""

from collections.abc import Sequence

from opentelemetry.context import Context
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import Link, SpanKind, TraceState, get_current_span
from opentelemetry.util.types import Attributes

_BITS = 56
"""The low bits of a trace id are random (W3C Trace Context, level 2)."""


class EdgeSampler(Sampler):
    """Keeps a share of the traces, by their ids, so that all of a trace is kept or none.

    A public edge cannot leave the decision to its callers: one who sends `-01` with every
    request would make everything be kept, and one who sends `-00` would never be seen.
    Spans of a sample carry `SampleRate`, by which Honeycomb counts them as many.
    """

    def __init__(self, ratio: float) -> None:
        """`ratio` lies between 0 and 1."""
        self._bound = round(ratio * (1 << _BITS))
        self._attributes = {"SampleRate": round(1 / ratio)} if 0 < ratio < 1 else None
        self._ratio = ratio

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """Keep what belongs to a trace that we keep."""
        parent = get_current_span(parent_context).get_span_context()
        if parent.is_valid and not parent.is_remote:
            is_kept = parent.trace_flags.sampled
        else:
            is_kept = trace_id & ((1 << _BITS) - 1) < self._bound
        state = parent.trace_state if parent.is_valid else None
        if not is_kept:
            return SamplingResult(Decision.DROP, None, state)
        if self._attributes is not None:
            attributes = {**(attributes or {}), **self._attributes}
        return SamplingResult(Decision.RECORD_AND_SAMPLE, attributes, state)

    def get_description(self) -> str:
        """The name and the ratio."""
        return f"EdgeSampler{{{self._ratio:g}}}"
