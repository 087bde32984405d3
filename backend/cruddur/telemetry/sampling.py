"""Decide which traces are kept, independently of the flags that callers send."""

import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Sequence

from opentelemetry.context import Context
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import Link, SpanKind, TraceState, get_current_span
from opentelemetry.util.types import Attributes

REMOTE_IDS = 4096
"""Maximum number of cached trace ids of callers; the least recently used are evicted."""

REMOTE_REQUESTS = 16
"""Maximum number of requests with one caller's trace id that are kept or dropped together."""


class EdgeSampler(Sampler):
    """Keep one trace of n, with all its spans.

    A public edge cannot leave the decision to its callers: a caller that sends `-01` with every
    request would have all its traces kept, and one that sends `-00` would leave no trace. Nor may
    a caller reuse an id that it knows to be kept. Therefore:

    - Ids are hashed with a secret key.
    - Ids that callers chose are hashed differently from ours. The sampled flag of one of our ids,
      which `traceresponse` shows, says nothing about the same id when a caller sends it. The flag
      of a caller's id is not shown (edge/observation.py).
    - When a caller uses an id more than `REMOTE_REQUESTS` times, each further request is decided
      separately. So repeated measurements of one id reveal nothing, and a kept id is of little use.

    Spans of a sample carry `SampleRate`: Honeycomb counts each of them that many times.
    """

    def __init__(self, ratio: float, key: bytes = b"") -> None:
        """Set the ratio and the secret key.

        Args:
            ratio: the fraction of traces to keep, 0 to 1; the nearest 1/n is used.
            key: a secret that all processes of the service share.
        """
        self._rate = round(1 / ratio) if ratio > 0 else 0
        self._bound = (1 << 64) // self._rate if self._rate else 0
        self._attributes = {"SampleRate": self._rate} if self._rate > 1 else None
        self._key = hashlib.blake2b(key, digest_size=32).digest()
        self._remote: OrderedDict[int, int] = OrderedDict()

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
        """Return the decision for a span, which is the decision for its trace."""
        parent = get_current_span(parent_context).get_span_context()
        # The parent of a consumer comes from an event, which this service wrote to the database.
        is_ours = not parent.is_remote or kind is SpanKind.CONSUMER
        if parent.is_valid and is_ours:
            is_kept = parent.trace_flags.sampled
        elif self._rate <= 1:
            is_kept = self._rate == 1
        else:
            is_kept = self._is_kept(trace_id, is_remote=parent.is_valid)
        if not is_kept:
            return SamplingResult(Decision.DROP, None, parent.trace_state)
        if kind is SpanKind.SERVER:
            attributes = None  # the ASGI middleware sets them again after the start
        if self._attributes is not None:
            attributes = {**(attributes or {}), **self._attributes}
        return SamplingResult(Decision.RECORD_AND_SAMPLE, attributes, parent.trace_state)

    def keeps(self, trace_id: int) -> bool:
        """Return whether the trace of a caller is kept, for spans that the caller itself recorded.

        Such a span does not count as a request of the trace.
        """
        return self._rate == 1 or (self._rate > 1 and self._hashed(trace_id, b"caller"))

    @property
    def attributes(self) -> dict[str, int]:
        """The attributes of each span that is kept."""
        return dict(self._attributes or {})

    def get_description(self) -> str:
        """Return the name and the rate."""
        return f"EdgeSampler{{{self._rate}}}"

    def _is_kept(self, trace_id: int, *, is_remote: bool) -> bool:
        if is_remote:
            count = self._remote.pop(trace_id, 0) + 1
            self._remote[trace_id] = count
            if len(self._remote) > REMOTE_IDS:
                self._remote.popitem(last=False)
            if count > REMOTE_REQUESTS:
                return secrets.randbelow(self._rate) == 0
        return self._hashed(trace_id, b"caller" if is_remote else b"service")

    def _hashed(self, trace_id: int, person: bytes) -> bool:
        data = trace_id.to_bytes(16, "big")
        digest = hashlib.blake2b(data, key=self._key, digest_size=8, person=person).digest()
        return int.from_bytes(digest, "big") < self._bound
