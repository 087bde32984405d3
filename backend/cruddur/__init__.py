"""Cruddur: a microblog whose posts expire."""
