"""Limit the duration and the size of responses to outgoing calls."""

import asyncio
import contextlib

import httpx

CALL_SECONDS = 8.0
"""Maximum duration of a whole call; the timeouts of httpx apply to each read."""

MAX_RESPONSE_BYTES = 1024 * 1024


class BoundedTransport(httpx.AsyncBaseTransport):
    """Reads each response completely before it returns it.

    It requests and accepts only uncompressed responses, because httpx decompresses without a limit.
    """

    def __init__(
        self,
        transport: httpx.AsyncBaseTransport,
        *,
        seconds: float,
        max_bytes: int = MAX_RESPONSE_BYTES,
    ) -> None:
        """Wrap a transport.

        Args:
            transport: sends the requests.
            seconds: the maximum duration of a call.
            max_bytes: the maximum size of the body of a response.
        """
        self._transport = transport
        self._seconds = seconds
        self._max_bytes = max_bytes

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request and read the response.

        Raises:
            httpx.ReadTimeout: the response was not complete in time.
            httpx.DecodingError: the response is compressed.
            httpx.ReadError: the response is too long.
            httpx.TransportError: any other error of httpx.
        """
        request.headers["Accept-Encoding"] = "identity"
        try:
            async with asyncio.timeout(self._seconds):
                response = await self._transport.handle_async_request(request)
                async with contextlib.aclosing(response):
                    body = await _read(response, request, self._max_bytes)
        except TimeoutError as error:
            text = f"no complete response in {self._seconds:g} s"
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


async def _read(response: httpx.Response, request: httpx.Request, max_bytes: int) -> bytes:
    encoding = response.headers.get("Content-Encoding", "identity")
    if encoding != "identity":
        raise httpx.DecodingError(f"the response is compressed: {encoding}", request=request)
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > max_bytes:
            text = f"the response is longer than {max_bytes} bytes"
            raise httpx.ReadError(text, request=request)
    return bytes(body)
