"""Announce new notes to another system: an outgoing call that continues the trace."""

import logging

import httpx
import msgspec

from ..wire import Note

logger = logging.getLogger(__name__)


class Webhook:
    """An address that receives each new note once, or not at all if the call fails."""

    def __init__(self, client: httpx.AsyncClient, url: str) -> None:
        """Set the client, whose timeout bounds the call, and the address."""
        self._client = client
        self._url = url

    async def send(self, note: Note) -> None:
        """Post a note. The note is stored already, so a failed call is logged and not raised."""
        headers = {"Content-Type": "application/json"}
        try:
            body = msgspec.json.encode(note)
            response = await self._client.post(self._url, content=body, headers=headers)
            response.raise_for_status()
        except httpx.HTTPError as error:
            logger.warning("the webhook did not accept note %s: %r", note.id, error)
