"""Settings of pictures: where they are stored, and how many a member may have."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from urllib.parse import unquote, urlsplit

from cruddur.settings import checks
from cruddur.settings.declaration import setting


@dataclass(frozen=True, kw_only=True)
class PictureSettings:
    """The store of the pictures of cruds, and the limits of members."""

    picture_store: Annotated[
        str,
        setting(
            "CRUDDUR_PICTURE_STORE",
            "Where pictures of cruds are stored: `file:///directory`, or `s3://bucket/prefix` with"
            " the extra `aws`; empty: in the database",
            check=checks.picture_store,
        ),
    ] = ""
    s3_endpoint: Annotated[
        str,
        setting(
            "AWS_ENDPOINT_URL_S3",
            "Base URL of a service with the API of S3; empty: Amazon S3 in AWS_DEFAULT_REGION",
            check=checks.http_url,
        ),
    ] = ""
    pictures_per_day: Annotated[
        int,
        setting(
            "CRUDDUR_PICTURES_PER_DAY",
            "Pictures that a member may upload in 24 hours",
            ge=1,
            le=1_000_000,
        ),
    ] = 100
    pictures_per_member: Annotated[
        int,
        setting(
            "CRUDDUR_PICTURES_PER_MEMBER",
            "Pictures of live cruds, and uploaded ones, that a member may have",
            ge=1,
            le=1_000_000,
        ),
    ] = 400

    @property
    def picture_directory(self) -> Path | None:
        """The directory of pictures, if they are stored in one."""
        parts = urlsplit(self.picture_store)
        return Path(unquote(parts.path)) if parts.scheme == "file" else None

    @property
    def picture_bucket(self) -> tuple[str, str] | None:
        """The bucket of pictures and the prefix of their keys, if they are stored in one."""
        parts = urlsplit(self.picture_store)
        if parts.scheme != "s3":
            return None
        prefix = parts.path.strip("/")
        return parts.netloc, f"{prefix}/" if prefix else ""
