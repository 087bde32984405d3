"""A small OTLP receiver with a waterfall page, for development without Docker or an account.

It keeps the last few hundred traces in memory, and loses them when it stops. It is independent
of the service that sends them.
"""

PRODUCT = "traceview"
"""Its name in `/healthz`, so that a launcher recognizes the process on the port."""
