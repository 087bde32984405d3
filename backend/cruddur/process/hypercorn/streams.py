"""Helpers for Hypercorn's streams (one request each) that both HTTP versions use."""

from hypercorn.protocol.http_stream import HTTPStream
from hypercorn.protocol.ws_stream import WSStream


def forget_unread(stream: HTTPStream | WSStream) -> None:
    """Make room in an application's queue for the event that its client has disconnected.

    An application that responds without reading the body leaves a full queue behind. Hypercorn
    would wait for room in it forever, and keep the connection open.
    """
    queue = getattr(getattr(stream, "app_put", None), "__self__", None)
    if queue is not None and queue.full():
        while not queue.empty():
            queue.get_nowait()


def is_head(stream: HTTPStream | WSStream | None) -> bool:
    """Whether the response to this request has no body."""
    return isinstance(stream, HTTPStream) and stream.scope["method"] == "HEAD"
