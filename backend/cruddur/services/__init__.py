"""Cruddur's rules. No Quart and no SQL here: plain values and a connection come in.

Accounts and their throttle take the database itself: an attempt that fails must count, so
it is committed on its own.
"""
