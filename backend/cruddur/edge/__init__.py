"""ASGI layers around the application."""
