"""The settings: each is declared once, and read from the environment variable of its name."""

import os
from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from .errors import OperatorError


class Settings(msgspec.Struct, frozen=True, kw_only=True, rename=str.upper):
    """The field `port` is the variable PORT. An empty variable counts as unset."""

    database_url: str = ""
    """The PostgreSQL database. Without it, an embedded server is started."""

    bind_address: str = "127.0.0.1"
    """The address to listen on."""

    port: Annotated[int, Meta(ge=1, le=65535)] = 8000
    """The port to listen on."""

    pool_size: Annotated[int, Meta(ge=1, le=1000)] = 10
    """Database connections of this process."""

    webhook_url: Annotated[str, Meta(pattern=r"^(https?://.+)?$")] = ""
    """Where to post new notes."""

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """The lowest level of the log lines to write."""

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> "Settings":
        """Read the settings from the environment.

        Raises:
            OperatorError: a variable is invalid; the message names it.
        """
        texts = {name: environ.get(name, "").strip() for name in cls.__struct_encode_fields__}
        try:
            return msgspec.convert({k: v for k, v in texts.items() if v}, cls, strict=False)
        except msgspec.ValidationError as error:
            raise OperatorError(f"invalid setting: {error}") from None
