"""Cruddur: a microblog whose posts expire."""

from importlib.metadata import version

__version__ = version("cruddur")
