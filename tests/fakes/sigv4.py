"""AWS endpoints that compute the signature of each request themselves; here the one for OTLP."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from fakes.otlp import OtlpSink
from fakes.sink import Received, Response

ALGORITHM = "AWS4-HMAC-SHA256"
TIMESTAMP = "%Y%m%dT%H%M%SZ"
TOLERANCE = timedelta(minutes=5)


@dataclass(frozen=True)
class Signature:
    """The parts of an `Authorization` header."""

    access_key: str
    date: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    signature: str
    session_token: str | None


class FakeSignedOtlp(OtlpSink):
    """Accepts exports signed with its credentials and returns 403 to all others.

    Credentials can be replaced at any time, like those of a role.
    """

    def __init__(self, credentials: Credentials, region: str = "us-east-1") -> None:
        super().__init__()
        self.credentials = credentials
        self.region = region
        self._signatures: list[Signature] = []

    @property
    def signatures(self) -> list[Signature]:
        """The accepted signatures."""
        with self._changed:
            return list(self._signatures)

    def forget(self) -> None:
        super().forget()
        self._signatures.clear()

    def respond(self, request: Received) -> Response:
        try:
            signature = verified(request, self.credentials, self.region, "xray")
        except ValueError as error:
            self.problems.append(str(error))
            return self.refusal(403, str(error))
        self._signatures.append(signature)
        return super().respond(request)


def verified(request: Received, credentials: Credentials, region: str, service: str) -> Signature:
    """Return the signature of a request. Raises ValueError if it is wrong."""
    found = _parse(request)
    timestamp = request.headers.get("X-Amz-Date", "")
    signed_at = datetime.strptime(timestamp, TIMESTAMP).replace(tzinfo=UTC)
    if abs(datetime.now(UTC) - signed_at) > TOLERANCE or found.date != timestamp[:8]:
        raise ValueError("Signature expired")
    if (found.region, found.service) != (region, service):
        raise ValueError(f"Credential should be scoped to {region}/{service}")
    if found.access_key != credentials.access_key:
        raise ValueError("The security token included in the request is invalid")
    if found.session_token != credentials.token:
        raise ValueError("The security token included in the request is invalid")
    needed = {"host", "x-amz-date"} | ({"x-amz-security-token"} if found.session_token else set())
    if service == "s3":
        needed |= {"x-amz-content-sha256"}
        if request.headers.get("X-Amz-Content-SHA256") != sha256(request.raw).hexdigest():
            raise ValueError("The provided 'x-amz-content-sha256' header does not match")
    if not needed <= set(found.signed_headers):
        raise ValueError(f"not signed: {sorted(needed - set(found.signed_headers))}")
    if found.signature != _computed(request, found, timestamp, credentials):
        raise ValueError("The request signature we calculated does not match")
    return found


def _computed(request: Received, found: Signature, timestamp: str, credentials: Credentials) -> str:
    signed = {name: request.headers[name] for name in found.signed_headers}
    url = f"http://{request.headers['Host']}{request.path}"
    replica = AWSRequest(request.method, url, headers=signed, data=request.raw)
    replica.context["timestamp"] = timestamp
    kind = S3SigV4Auth if found.service == "s3" else SigV4Auth
    signer = kind(credentials, found.service, found.region)
    canonical = signer.canonical_request(replica)
    computed: str = signer.signature(signer.string_to_sign(replica, canonical), replica)
    return computed


def _parse(request: Received) -> Signature:
    algorithm, _, rest = request.headers.get("Authorization", "").partition(" ")
    fields = dict(part.strip().split("=", 1) for part in rest.split(",") if "=" in part)
    scope = fields.get("Credential", "").split("/")
    if algorithm != ALGORITHM or len(scope) != 5 or scope[4] != "aws4_request":
        raise ValueError("Missing Authentication Token")
    return Signature(
        access_key=scope[0],
        date=scope[1],
        region=scope[2],
        service=scope[3],
        signed_headers=tuple(fields.get("SignedHeaders", "").split(";")),
        signature=fields.get("Signature", ""),
        session_token=request.headers.get("X-Amz-Security-Token"),
    )
