"""Sign requests to AWS with AWS Signature Version 4, by botocore (the extra `aws`)."""

import threading
from collections.abc import Mapping
from typing import Any


class AwsCredentialsError(Exception):
    """There are no AWS credentials, or they cannot be loaded."""


class AwsSigner:
    """Signs requests to one service, with the credentials of AWS's default chain. Thread-safe.

    botocore is imported with the first request. Credentials that expire are refreshed.
    """

    def __init__(self, service: str, region: str) -> None:
        """Set the scope of the signatures.

        Args:
            service: the name of the service in signatures, such as `s3`.
            region: the region of the service.
        """
        self._service = service
        self._region = region
        self._credentials: Any = None
        self._lock = threading.Lock()

    def sign(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> dict[str, str]:
        """Return the headers with a signature over them and the rest of the request.

        Loading and refreshing credentials blocks, perhaps for seconds.

        Args:
            method: the method of the request.
            url: its complete address.
            headers: those headers that no proxy changes.
            body: the body as it is sent.

        Raises:
            AwsCredentialsError: there are no credentials, or they cannot be loaded.
        """
        from botocore.auth import S3SigV4Auth, SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.exceptions import BotoCoreError

        try:
            frozen = self._load().get_frozen_credentials()
        except BotoCoreError as error:
            raise AwsCredentialsError(f"the AWS credentials cannot be loaded: {error}") from error
        kind = S3SigV4Auth if self._service == "s3" else SigV4Auth
        replica = AWSRequest(method, url, headers=dict(headers), data=body)
        kind(frozen, self._service, self._region).add_auth(replica)
        return dict(replica.headers.items())

    def _load(self) -> Any:
        from botocore.session import Session

        with self._lock:
            if self._credentials is None:
                self._credentials = Session().get_credentials()
            if self._credentials is None:
                raise AwsCredentialsError("no AWS credentials were found")
            return self._credentials
