"""Traces, metrics, logs and error reports of the service."""

from cruddur.settings.library_variables import without_variables

# These modules read OTEL_* when they are imported, and raise or log a stack trace for an unknown
# name. `Settings` checks the variables; the rest of the SDK reads them later.
with without_variables("OTEL_"):
    import opentelemetry.context
    import opentelemetry.propagate
    import opentelemetry.sdk._logs
    import opentelemetry.sdk.trace  # noqa: F401  # imported for its side effect
