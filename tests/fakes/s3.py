"""A bucket of S3 that computes the signature of each request itself."""

from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

from botocore.credentials import Credentials

from fakes.sigv4 import verified
from fakes.sink import Received, Response, Sink

BUCKET = "pictures-of-cruds"
REGION = "us-east-1"
NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"


class FakeS3(Sink):
    """Stores objects in memory, by their keys, for requests that are signed with its credentials.

    Attributes:
        objects: the bytes of each object.
        page: the maximum number of keys in a list.
    """

    def __init__(self) -> None:
        super().__init__()
        self.credentials = Credentials("testing", "testing-secret")
        self.objects: dict[str, bytes] = {}
        self.page = 2

    @property
    def environment(self) -> dict[str, str]:
        """The variables with its credentials."""
        return {
            "AWS_ACCESS_KEY_ID": self.credentials.access_key,
            "AWS_SECRET_ACCESS_KEY": self.credentials.secret_key,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def respond(self, request: Received) -> Response:
        try:
            verified(request, self.credentials, REGION, "s3")
        except ValueError as error:
            self.problems.append(str(error))
            return self.refusal(403, "SignatureDoesNotMatch")
        parts = urlsplit(request.path)
        _, bucket, key = unquote(parts.path).split("/", 2)
        if bucket != BUCKET:
            return self.refusal(404, "NoSuchBucket")
        if not key and request.method == "GET":
            return self._list(parse_qs(parts.query, keep_blank_values=True))
        if request.method == "PUT":
            self.objects[key] = request.raw
            return Response(200, b"", headers={"x-amz-request-id": "1"})
        if request.method == "DELETE":
            self.objects.pop(key, None)
            return Response(204, b"")
        if key not in self.objects:
            return self.refusal(404, "NoSuchKey")
        return Response(200, self.objects[key], "image/jpeg")

    def refusal(self, status: int, message: str) -> Response:
        body = f"<?xml version='1.0'?><Error><Code>{escape(message)}</Code></Error>"
        return Response(status, body.encode(), "application/xml")

    def _list(self, query: dict[str, list[str]]) -> Response:
        assert query["list-type"] == ["2"]
        after = query.get("continuation-token", [""])[0]
        [prefix] = query["prefix"]
        keys = sorted(key for key in self.objects if key.startswith(prefix) and key > after)
        listed, rest = keys[: self.page], keys[self.page :]
        contents = "".join(f"<Contents><Key>{escape(key)}</Key></Contents>" for key in listed)
        token = (
            f"<NextContinuationToken>{escape(listed[-1])}</NextContinuationToken>" if rest else ""
        )
        body = (
            f"<ListBucketResult xmlns='{NAMESPACE}'>{contents}"
            f"<IsTruncated>{'true' if rest else 'false'}</IsTruncated>{token}"
            "</ListBucketResult>"
        )
        return Response(200, body.encode(), "application/xml")
