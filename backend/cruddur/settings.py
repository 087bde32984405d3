"""Settings: the only reader of the environment.

Every field names its variable and says what it is for; `docs/operations.md` holds the
same table and a test keeps the two equal.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from ipaddress import ip_address
from logging import getLevelNamesMapping
from pathlib import Path
from typing import Any, Literal, get_args, get_type_hints
from urllib.parse import urlsplit


class SettingsError(Exception):
    """A variable is missing or makes no sense; the message names it."""


def setting(variable: str, default: str, meaning: str) -> Any:
    """A field read from a variable; `default` is written as the variable would be."""
    return field(metadata={"variable": variable, "default": default, "meaning": meaning})


ProviderName = Literal["local", "cognito"]
ProfileShape = Literal["auto", "profile", "list"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What may differ between two deployments of the same code."""

    connection_url: str = setting(
        "CONNECTION_URL", "", "PostgreSQL to use; empty: the embedded server"
    )
    data_directory: Path = setting(
        "CRUDDUR_DATA_DIRECTORY", ".local", "where the embedded server keeps its data"
    )
    port: int = setting("PORT", "4567", "port to serve on when no address is bound explicitly")
    bind: str = setting(
        "CRUDDUR_BIND", "", "`host:port` to serve on, several with commas; empty: loopback, PORT"
    )
    workers: int = setting("WEB_CONCURRENCY", "1", "worker processes")
    frontend_url: str = setting(
        "FRONTEND_URL", "http://localhost:3000", "origin allowed to call the API; `*` for any"
    )
    backend_url: str = setting(
        "BACKEND_URL", "", "our own origin, also in upload addresses; empty: http://localhost:PORT"
    )
    trusted_hops: int = setting(
        "CRUDDUR_TRUSTED_HOPS", "0", "reverse proxies whose X-Forwarded-* headers are believed"
    )
    pool_size: int = setting("CRUDDUR_POOL_SIZE", "10", "database connections per worker at most")
    statement_timeout: float = setting(
        "CRUDDUR_STATEMENT_TIMEOUT", "10", "seconds that one SQL statement may take"
    )
    sweep_interval: float = setting(
        "CRUDDUR_SWEEP_INTERVAL", "15", "seconds between two sweeps of what has expired"
    )
    profile_shape: ProfileShape = setting(
        "CRUDDUR_PROFILE_SHAPE", "auto", "`profile` or `list` pins the profile feed's shape"
    )
    demo_handle: str = setting(
        "CRUDDUR_DEMO_HANDLE", "", "requests without a token act as this user; loopback only"
    )
    account_provider: str = setting(
        "CRUDDUR_ACCOUNT_PROVIDER", "", "`local` or `cognito`; empty: cognito if a pool is set"
    )
    signing_key: str = setting(
        "CRUDDUR_SIGNING_KEY",
        "",
        "EC P-256 private key (PEM) for our tokens; empty: one kept in the database",
    )
    address_attempts: int = setting(
        "CRUDDUR_ADDRESS_ATTEMPTS", "100", "account calls per address and kind in 15 minutes"
    )
    account_attempts: int = setting(
        "CRUDDUR_ACCOUNT_ATTEMPTS", "10", "account calls per account and kind in 15 minutes"
    )
    smtp_url: str = setting(
        "SMTP_URL", "", "`smtp[s]://user:password@host:port`; empty: codes are log lines"
    )
    mail_from: str = setting("CRUDDUR_MAIL_FROM", "Cruddur <no-reply@localhost>", "sender of codes")
    aws_region: str = setting("AWS_DEFAULT_REGION", "us-east-1", "region of the Cognito pool")
    cognito_user_pool_id: str = setting(
        "AWS_COGNITO_USER_POOL_ID", "", "user pool whose access tokens are accepted"
    )
    cognito_client_id: str = setting(
        "AWS_COGNITO_USER_POOL_CLIENT_ID", "", "app client of the user pool"
    )
    cognito_endpoint: str = setting(
        "AWS_COGNITO_ENDPOINT_URL", "", "base URL of the Cognito API; empty: the region's"
    )
    log_level: str = setting("LOG_LEVEL", "INFO", "least severe log level that is written")

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> "Settings":
        """Read every setting; an empty variable counts as unset.

        Raises:
            SettingsError: a value has the wrong form, or two contradict each other.
        """
        types = get_type_hints(cls)
        values = {}
        for item in fields(cls):
            variable = item.metadata["variable"]
            text = environ.get(variable, "").strip() or item.metadata["default"]
            values[item.name] = _read(variable, text, types[item.name])
        settings = cls(**values)
        settings.check()
        return settings

    def check(self) -> None:
        """Raise SettingsError where settings contradict each other."""
        if bool(self.cognito_user_pool_id) != bool(self.cognito_client_id):
            raise SettingsError(
                "AWS_COGNITO_USER_POOL_ID and AWS_COGNITO_USER_POOL_CLIENT_ID go together"
            )
        if self.account_provider not in {"", *get_args(ProviderName)}:
            raise SettingsError("CRUDDUR_ACCOUNT_PROVIDER is neither local nor cognito")
        if self.provider == "cognito" and not self.cognito_user_pool_id:
            raise SettingsError(
                "CRUDDUR_ACCOUNT_PROVIDER=cognito needs AWS_COGNITO_USER_POOL_ID and"
                " AWS_COGNITO_USER_POOL_CLIENT_ID"
            )
        if self.demo_handle and not all(map(is_loopback, self.binds)):
            raise SettingsError(
                "CRUDDUR_DEMO_HANDLE lets anybody act as a user, so it works only when the"
                f" server is bound to loopback, and it is bound to {', '.join(self.binds)}"
            )
        if self.log_level.upper() not in getLevelNamesMapping():
            raise SettingsError(f"LOG_LEVEL is no level: {self.log_level!r}")
        if self.smtp_url and not _is_url(self.smtp_url, "smtp", "smtps"):
            raise SettingsError("SMTP_URL is neither smtp://host nor smtps://host")
        for variable, url in (
            ("FRONTEND_URL", self.frontend_url),
            ("BACKEND_URL", self.backend_url),
            ("AWS_COGNITO_ENDPOINT_URL", self.cognito_endpoint),
        ):
            if url not in {"", "*"} and not _is_url(url, "http", "https"):
                raise SettingsError(f"{variable} is no http:// or https:// address: {url!r}")
        for bind in self.binds:
            if not _is_bind(bind):
                raise SettingsError(f"{bind!r} is no host:port to serve on (CRUDDUR_BIND, PORT)")
        for variable, number, least, most in (
            ("WEB_CONCURRENCY", self.workers, 1, 1000),
            ("CRUDDUR_TRUSTED_HOPS", self.trusted_hops, 0, 100),
            # A sign-up with an Idempotency-Key holds one connection and needs another.
            ("CRUDDUR_POOL_SIZE", self.pool_size, 2, 10_000),
            ("CRUDDUR_STATEMENT_TIMEOUT", self.statement_timeout, 0.1, 3600),
            # Contract, decision 7: gone within 60 s; half is left for the sweep itself.
            ("CRUDDUR_SWEEP_INTERVAL", self.sweep_interval, 0.1, 30),
            ("CRUDDUR_ADDRESS_ATTEMPTS", self.address_attempts, 1, 1_000_000_000),
            ("CRUDDUR_ACCOUNT_ATTEMPTS", self.account_attempts, 1, 1_000_000_000),
        ):
            if not least <= number <= most:  # nan is neither
                raise SettingsError(f"{variable} must lie between {least:g} and {most:g}")

    @property
    def binds(self) -> tuple[str, ...]:
        """The addresses to serve on, as `host:port`."""
        return tuple(part.strip() for part in self.bind.split(",") if part.strip()) or (
            f"127.0.0.1:{self.port}",
        )

    @property
    def provider(self) -> ProviderName:
        """Who keeps the accounts."""
        if self.account_provider:
            return "cognito" if self.account_provider == "cognito" else "local"
        return "cognito" if self.cognito_user_pool_id else "local"

    @property
    def backend_origin(self) -> str:
        """Our own origin, or `*` where it is whatever the caller used."""
        port = self.binds[0].rpartition(":")[2]
        default = f"http://localhost:{port}" if port.isdigit() else "http://localhost"
        return (self.backend_url or default).rstrip("/")

    @property
    def origins(self) -> tuple[str, ...]:
        """The origins that may call the API from a browser."""
        urls = (self.frontend_url, self.backend_origin)
        return ("*",) if "*" in urls else tuple(dict.fromkeys(url.rstrip("/") for url in urls))

    @property
    def cognito_url(self) -> str:
        """The base URL of the Cognito API, which is also the start of its issuer."""
        default = f"https://cognito-idp.{self.aws_region}.amazonaws.com"
        return (self.cognito_endpoint or default).rstrip("/")


def is_loopback(bind: str) -> bool:
    """Whether `host:port` can be reached from this machine only."""
    if bind.startswith("unix:"):
        return True
    host = bind.rpartition(":")[0].strip("[]") or bind
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _is_bind(bind: str) -> bool:
    host, _, port = bind.rpartition(":")
    if host in {"unix", "fd"} or bind.startswith("unix:"):
        return True
    return port.isdigit() and int(port) <= 65535 and ":" in bind


def _is_url(text: str, *schemes: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is none
        return False


def _read(variable: str, text: str, kind: Any) -> Any:
    choices = get_args(kind)
    if choices:
        if text not in choices:
            raise SettingsError(f"{variable} is none of {', '.join(choices)}: {text!r}")
        return text
    try:
        return kind(text)
    except ValueError:
        raise SettingsError(f"{variable} is not of type {kind.__name__}: {text!r}") from None
