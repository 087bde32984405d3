"""ASGI layers around the application; `layers.py` lists them in order."""
