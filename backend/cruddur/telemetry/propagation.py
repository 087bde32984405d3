"""Propagate trace context with the propagators of OTEL_PROPAGATORS."""

from functools import cache
from importlib.metadata import entry_points

from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.context import Context
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.propagators.textmap import (
    CarrierT,
    Getter,
    TextMapPropagator,
    default_getter,
)

GROUP = "opentelemetry_propagator"


class _OutgoingBaggage(W3CBaggagePropagator):
    """Sends the baggage of the service, and ignores that of its callers.

    Callers of a public service are not trusted, and their baggage would be sent to every host that
    the service calls.
    """

    def extract(
        self,
        carrier: CarrierT,  # noqa: ARG002  # the interface's name
        context: Context | None = None,
        getter: Getter[CarrierT] = default_getter,  # noqa: ARG002  # the interface's name
    ) -> Context:
        """Return the context unchanged."""
        return Context() if context is None else context


@cache
def make_propagator(names: str) -> TextMapPropagator:
    """Return the propagator for a value of OTEL_PROPAGATORS with valid names.

    Args:
        names: entry points of the group `opentelemetry_propagator`, separated by commas; or
            `none`, for no propagation at all.
    """
    propagators: list[TextMapPropagator] = []
    for name in map(str.strip, "" if names == "none" else names.split(",")):
        if name == "baggage":
            propagators.append(_OutgoingBaggage())
        else:
            propagators.append(next(iter(entry_points(group=GROUP, name=name))).load()())
    return CompositePropagator(propagators)
