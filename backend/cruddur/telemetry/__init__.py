"""What the service tells its operators."""

from cruddur.settings.library_variables import without_variables

# At import these read OTEL_* and raise, or log a stack trace, for a name that they do not know.
# `Settings` checks what is set; everything else reads it later.
with without_variables("OTEL_"):
    import opentelemetry.context
    import opentelemetry.propagate
    import opentelemetry.sdk._logs
    import opentelemetry.sdk.trace  # noqa: F401  # imported for what it reads
