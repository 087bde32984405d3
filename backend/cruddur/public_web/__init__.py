"""Fetch pages and pictures of the public web that users link to.

The addresses come from strangers, so nothing here may reach a private network, wait for long or use
much memory (docs/decisions/0018).
"""
