"""Pictures in a bucket of Amazon S3, or of any service with its API.

httpx sends the requests, so they do not block the event loop, and have spans. Each request can be
repeated, so failed ones are.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlencode
from uuid import UUID
from xml.etree import ElementTree

import httpx

from cruddur.aws_signatures import AwsCredentialsError, AwsSigner
from cruddur.db.crud_pictures import Size
from cruddur.picture_stores.store import SIZES, StoreError, file_name, picture_of
from cruddur.telemetry.operation import span

ATTEMPTS = 3
_FIRST_PAUSE = 0.1
"""Seconds before the second attempt; twice as many before the third."""

_DELETIONS = 10
"""Files that are deleted at the same time."""

_LISTED = 1000
_RETRYABLE = frozenset({408, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Bucket:
    """Where the pictures are.

    Attributes:
        name: the name of the bucket.
        url: the address of the bucket, without a slash at the end.
        prefix: what the keys begin with; empty, or with a slash at the end. Only this deployment
            may store anything below it.
        region: the region of the signatures.
    """

    name: str
    url: str
    prefix: str
    region: str


class S3Store:
    """Stores each file of a picture as an object."""

    name = "s3"

    def __init__(self, bucket: Bucket, http: httpx.AsyncClient) -> None:
        """Set the bucket and the client; credentials are loaded with the first request."""
        self._bucket = bucket
        self._http = http
        self._signer = AwsSigner("s3", bucket.region)
        self._signing = asyncio.Lock()

    async def put(self, uuid: UUID, size: Size, jpeg: bytes) -> None:
        """Store a file."""
        key = self._key(uuid, size)
        response = await self._call(
            "PutObject", "PUT", key, body=jpeg, headers={"Content-Type": "image/jpeg"}
        )
        _check(response)

    async def get(self, uuid: UUID, size: Size) -> bytes | None:
        """Return a file."""
        response = await self._call("GetObject", "GET", self._key(uuid, size))
        if response.status_code == 404 and _code(response) == "NoSuchKey":
            return None
        _check(response)
        return response.content

    async def delete(self, uuids: Sequence[UUID]) -> None:
        """Delete the files of pictures. S3 confirms it for files that do not exist, too."""
        keys = [self._key(uuid, size) for uuid in uuids for size in SIZES]
        for start in range(0, len(keys), _DELETIONS):
            await asyncio.gather(*map(self._delete, keys[start : start + _DELETIONS]))

    async def stored(self) -> AsyncIterator[list[UUID]]:
        """Yield the pictures below the prefix."""
        token: str | None = None
        while True:
            query = {"list-type": "2", "max-keys": str(_LISTED), "prefix": self._bucket.prefix}
            if token is not None:
                query["continuation-token"] = token
            response = await self._call("ListObjectsV2", "GET", "", query=query)
            _check(response)
            names, token = _listed(response.content)
            keys = (name.removeprefix(self._bucket.prefix) for name in names)
            yield [uuid for key in keys if (uuid := picture_of(key)) is not None]
            if token is None:
                return

    async def _delete(self, key: str) -> None:
        response = await self._call("DeleteObject", "DELETE", key)
        if response.status_code != 404:
            _check(response)

    def _key(self, uuid: UUID, size: Size) -> str:
        return self._bucket.prefix + file_name(uuid, size)

    async def _call(
        self,
        operation: str,
        method: str,
        key: str,
        *,
        body: bytes = b"",
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Send a request until it succeeds or cannot succeed.

        Raises:
            StoreError: there are no credentials, or no attempt got a response.
        """
        url = f"{self._bucket.url}/{quote(key, safe='/-_.~')}"
        if query is not None:
            url += f"?{urlencode(dict(sorted(query.items())), quote_via=quote, safe='-_.~')}"
        attributes = {
            "rpc.system.name": "aws-api",
            "rpc.method": f"S3/{operation}",
            "aws.s3.bucket": self._bucket.name,
        }
        with span(f"S3/{operation}", attributes) as call_span:
            for attempt in range(1, ATTEMPTS + 1):
                is_last = attempt == ATTEMPTS
                signed = await self._sign(method, url, headers or {}, body)
                try:
                    response = await self._http.request(method, url, headers=signed, content=body)
                except httpx.HTTPError as error:
                    if is_last:
                        raise StoreError(f"S3 does not respond: {type(error).__name__}") from error
                else:
                    if is_last or response.status_code not in _RETRYABLE:
                        call_span.set_attribute("aws.request_id", _request_id(response))
                        return response
                # A random part keeps clients that failed together from returning together.
                await asyncio.sleep(_FIRST_PAUSE * 2 ** (attempt - 1) * random.uniform(0.5, 1))  # noqa: S311  # not a secret
        raise AssertionError("the last attempt returns or raises")

    async def _sign(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> dict[str, str]:
        """Return the headers with a signature. Raises StoreError if there are no credentials."""
        try:
            async with self._signing:  # only one thread waits for credentials
                return await asyncio.to_thread(self._signer.sign, method, url, headers, body)
        except AwsCredentialsError as error:
            raise StoreError(str(error)) from error


def _check(response: httpx.Response) -> None:
    """Raise StoreError unless a response is a success."""
    if not response.is_success:
        code = _code(response) or "no code"
        raise StoreError(f"S3 returned {response.status_code}: {code}")


def _code(response: httpx.Response) -> str | None:
    """Return the error code in the body of a response."""
    try:
        return ElementTree.fromstring(response.content).findtext("{*}Code")  # noqa: S314  # limited in size, and expat limits entities
    except ElementTree.ParseError:
        return None


def _listed(document: bytes) -> tuple[list[str], str | None]:
    """Return the keys of a list, and the token of the next part.

    Raises:
        StoreError: it is not a list.
    """
    try:
        root = ElementTree.fromstring(document)  # noqa: S314  # limited in size, and expat limits entities
    except ElementTree.ParseError as error:
        raise StoreError("S3 returned a malformed list") from error
    keys = [key for item in root.iterfind("{*}Contents") if (key := item.findtext("{*}Key"))]
    is_truncated = root.findtext("{*}IsTruncated") == "true"
    return keys, root.findtext("{*}NextContinuationToken") if is_truncated else None


def _request_id(response: httpx.Response) -> str:
    request_id: str = response.headers.get("x-amz-request-id", "")
    return request_id
