"""Outgoing calls by httpx: each answer is bounded in total time and in size."""

import asyncio
import contextlib

import httpx

CALL_SECONDS = 8.0
"""How long a call may take in all: the limits of httpx hold for each read."""

MAX_ANSWER_BYTES = 1024 * 1024


class BoundedTransport(httpx.AsyncBaseTransport):
    """Reads each answer whole before it returns it.

    It asks for answers that are not compressed, and takes no others: httpx unpacks without a
    bound.
    """

    def __init__(self, transport: httpx.AsyncBaseTransport, *, seconds: float) -> None:
        """Wrap a transport; `seconds` is how long a call may take."""
        self._transport = transport
        self._seconds = seconds

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request and read the answer.

        Raises:
            httpx.ReadTimeout: not all of it came in time.
            httpx.DecodingError: it is compressed.
            httpx.ReadError: it is longer than MAX_ANSWER_BYTES.
            httpx.TransportError: anything else that httpx raises.
        """
        request.headers["Accept-Encoding"] = "identity"
        try:
            async with asyncio.timeout(self._seconds):
                response = await self._transport.handle_async_request(request)
                async with contextlib.aclosing(response):
                    body = await _read(response, request)
        except TimeoutError as error:
            text = f"no whole answer in {self._seconds:g} s"
            raise httpx.ReadTimeout(text, request=request) from error
        return httpx.Response(
            response.status_code,
            headers=response.headers,
            stream=httpx.ByteStream(body),
            extensions=response.extensions,
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._transport.aclose()


async def _read(response: httpx.Response, request: httpx.Request) -> bytes:
    encoding = response.headers.get("Content-Encoding", "identity")
    if encoding != "identity":
        raise httpx.DecodingError(f"the answer is compressed: {encoding}", request=request)
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            text = f"the answer is longer than {MAX_ANSWER_BYTES} bytes"
            raise httpx.ReadError(text, request=request)
    return bytes(body)
