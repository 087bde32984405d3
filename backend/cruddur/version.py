"""The version of Cruddur.

It is not in `cruddur/__init__.py`, because to read it takes half of the time that the program of
`process/picture.py` needs to start.
"""

from importlib.metadata import version

__version__ = version("cruddur-service")
