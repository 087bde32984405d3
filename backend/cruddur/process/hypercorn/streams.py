"""Helpers for Hypercorn's streams (one request each) that both HTTP versions use."""

from hypercorn.protocol.http_stream import HTTPStream
from hypercorn.protocol.ws_stream import WSStream


def discard_unread_events(stream: HTTPStream | WSStream) -> None:
    """Empty the application's queue, so that the disconnect event fits into it.

    If an application responds without reading the body, its queue can be full. Hypercorn would
    wait forever to put the event into it, and keep the connection open.
    """
    queue = getattr(getattr(stream, "app_put", None), "__self__", None)
    if queue is not None and queue.full():
        while not queue.empty():
            queue.get_nowait()


def is_head(stream: HTTPStream | WSStream | None) -> bool:
    """Whether the response to this request has no body."""
    return isinstance(stream, HTTPStream) and stream.scope["method"] == "HEAD"
