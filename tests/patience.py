"""How long a test waits for an event before it fails."""

PATIENCE = 60.0
"""Seconds after which an event counts as missing.

It is far more than a correct service needs on a busy machine, so it never decides whether a test
passes. Without the event, most tests would never end.
"""
