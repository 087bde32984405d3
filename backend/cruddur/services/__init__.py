"""Cruddur's rules. No Quart and no SQL here: plain values and a connection come in."""
