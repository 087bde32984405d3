"""Which traces are kept: our decision alone, whatever a caller's flag says."""

import hashlib
from collections.abc import Sequence

from opentelemetry.context import Context
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import Link, SpanKind, TraceState, get_current_span
from opentelemetry.util.types import Attributes


class EdgeSampler(Sampler):
    """Keeps one trace of so many, all of it or nothing.

    A public edge cannot leave the decision to its callers: one who sends `-01` with every
    request would make everything be kept, and one who sends `-00` would never be seen. Nor
    may a caller pick an id that is always kept, so ids are looked at through a keyed hash.
    Spans of a sample carry `SampleRate`, by which Honeycomb counts them as many.
    """

    def __init__(self, ratio: float, key: bytes = b"") -> None:
        """Take the share to keep, 0 to 1, of which the nearest 1/n is taken, and a key that
        callers do not know and that all processes of the service share."""
        self._rate = round(1 / ratio) if ratio > 0 else 0
        self._bound = (1 << 64) // self._rate if self._rate else 0
        self._attributes = {"SampleRate": self._rate} if self._rate > 1 else None
        self._key = hashlib.blake2b(key, digest_size=32).digest()

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
            is_kept = self._rate == 1 or (self._rate > 1 and self._hash(trace_id) < self._bound)
        # A stranger's trace state would be exported, and go to every host that we call.
        state = None if parent.is_remote else parent.trace_state
        if not is_kept:
            return SamplingResult(Decision.DROP, None, state)
        if self._attributes is not None:
            attributes = {**(attributes or {}), **self._attributes}
        return SamplingResult(Decision.RECORD_AND_SAMPLE, attributes, state)

    def get_description(self) -> str:
        """The name and the rate."""
        return f"EdgeSampler{{{self._rate}}}"

    def _hash(self, trace_id: int) -> int:
        data = trace_id.to_bytes(16, "big")
        return int.from_bytes(hashlib.blake2b(data, key=self._key, digest_size=8).digest(), "big")
