"""The command line: `cruddur serve | migrate | seed | sweep | rotate-key | users | admin | …`."""

from cruddur.process.signals import StopSignals

signals = StopSignals()
"""The handled signals of this process; `main` installs them."""
