"""A small OTLP receiver with a waterfall page, for development without Docker or an account.

It keeps the last few hundred traces in memory and forgets them when it ends. It knows
nothing of the service that sends them, and the service nothing of it.
"""

PRODUCT = "traceview"
"""How it names itself in `/healthz`, so that a launcher knows who holds the port."""
