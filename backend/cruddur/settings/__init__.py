"""The settings of the service, read from the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cruddur.settings import checks
from cruddur.settings.accounts import AccountSettings
from cruddur.settings.database import DatabaseSettings, split_urls, with_password
from cruddur.settings.database_url import (
    driver_url,
    replica_url,
    with_port,
    with_session_attributes,
)
from cruddur.settings.declaration import (
    OperatorError,
    SettingsError,
    Variable,
    read_environment,
    variables,
)
from cruddur.settings.installation import default_data_directory, packaged_page
from cruddur.settings.library_variables import check_environment
from cruddur.settings.pictures import PictureSettings
from cruddur.settings.proxies import proxy_for
from cruddur.settings.server import ProfileShape, ServerSettings
from cruddur.settings.telemetry import TelemetrySettings

__all__ = [
    "GROUPS",
    "OperatorError",
    "ProfileShape",
    "Settings",
    "SettingsError",
    "Variable",
    "declared_variables",
]

GROUPS = {
    "Server": ServerSettings,
    "Database": DatabaseSettings,
    "Accounts": AccountSettings,
    "Pictures": PictureSettings,
    "Telemetry": TelemetrySettings,
}
"""The dataclasses that declare the settings, by the title of their section in documents."""


def declared_variables() -> dict[str, Variable]:
    """Return every setting by the name of its environment variable."""
    return {variable.name: variable for group in GROUPS.values() for variable in variables(group)}


@dataclass(frozen=True, kw_only=True)
class Settings(
    ServerSettings, DatabaseSettings, AccountSettings, PictureSettings, TelemetrySettings
):
    """All settings: what may differ between two deployments of the same code."""

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> "Settings":
        """Read and check every setting; an empty variable counts as unset.

        Raises:
            SettingsError: a value is invalid, two values contradict each other, or a library
                would fail on a variable that it reads.
        """
        values = read_environment(cls, environ)
        password = values.get("database_password", "")
        for name, variable in (
            ("connection_url", "CONNECTION_URL"),
            ("direct_url", "CRUDDUR_DIRECT_URL"),
        ):
            if name in values:
                try:
                    url = driver_url(values[name])
                except ValueError as error:
                    raise SettingsError(f"{variable} {error}") from None
                url = with_port(url, environ.get("PGPORT", ""))
                url = with_session_attributes(url, environ.get("PGTARGETSESSIONATTRS", ""))
                values[name] = with_password(url, password)
        if "read_urls" in values:
            try:
                urls = [replica_url(url) for url in split_urls(values["read_urls"])]
            except ValueError as error:
                raise SettingsError(f"CRUDDUR_READ_URLS {error}") from None
            values["read_urls"] = " ".join(with_password(url, password) for url in urls)
        if "service_name" not in values and "honeycomb_service_name" in values:
            values["service_name"] = values["honeycomb_service_name"]
        if page := packaged_page():
            values.setdefault("frontend_directory", page)
        if "data_directory" not in values:
            values["data_directory"] = default_data_directory()
        settings = cls(**values)
        settings.check()
        try:
            check_environment(environ)
            for url in settings.outgoing_urls:
                proxy_for(url, environ)
        except ValueError as error:
            raise SettingsError(str(error)) from None
        return settings

    def overrides(self, environ: Mapping[str, str] = os.environ) -> dict[str, object]:
        """Return the fields whose values differ from those of the environment."""
        configured = type(self).from_env(environ)
        return {
            variable.field: value
            for variable in variables(type(self))
            if (value := getattr(self, variable.field)) != getattr(configured, variable.field)
        }

    def overridden(self, overrides: Mapping[str, Any]) -> "Settings":
        """Return these settings with other values for some fields.

        Raises:
            SettingsError: two values contradict each other.
        """
        settings = replace(self, **overrides)
        settings.check()
        return settings

    def check(self) -> None:
        """Raise SettingsError if a value is invalid or two values contradict each other."""
        for variable in variables(type(self)):
            variable.validate(getattr(self, variable.field))
        defaults = checks.parse_pairs(type(self).rates)
        for variable_name, pairs in (
            ("CRUDDUR_RATES", self.rates),
            ("CRUDDUR_TOKEN_RATES", self.token_rates),
        ):
            if unknown := ", ".join(sorted(checks.parse_pairs(pairs).keys() - defaults.keys())):
                raise SettingsError(
                    f"{variable_name} has {unknown}; the classes are {', '.join(defaults)}"
                )
        if self.direct_url and not self.connection_url:
            raise SettingsError("CRUDDUR_DIRECT_URL needs CONNECTION_URL")
        if self.read_urls and not self.connection_url:
            raise SettingsError("CRUDDUR_READ_URLS needs CONNECTION_URL")
        if self.keyfile and not self.certfile:
            raise SettingsError("CRUDDUR_KEYFILE needs CRUDDUR_CERTFILE")
        if bool(self.cognito_user_pool_id) != bool(self.cognito_client_id):
            raise SettingsError(
                "AWS_COGNITO_USER_POOL_ID and AWS_COGNITO_USER_POOL_CLIENT_ID go together"
            )
        if self.provider == "cognito" and not self.cognito_user_pool_id:
            raise SettingsError(
                "CRUDDUR_ACCOUNT_PROVIDER=cognito needs AWS_COGNITO_USER_POOL_ID and"
                " AWS_COGNITO_USER_POOL_CLIENT_ID"
            )
        if self.moderator_second_factor == "required" and self.provider != "local":
            raise SettingsError(
                "CRUDDUR_MODERATOR_SECOND_FACTOR=required needs CRUDDUR_ACCOUNT_PROVIDER=local:"
                " a user pool has second factors of its own"
            )
        if self.xray_exporter == "daemon" and not self.xray_daemon_address:
            raise SettingsError("CRUDDUR_XRAY_EXPORTER=daemon needs AWS_XRAY_DAEMON_ADDRESS")
        index = Path(self.frontend_directory, "index.html")
        if self.frontend_directory and not os.access(index, os.R_OK):
            raise SettingsError(
                "CRUDDUR_FRONTEND_DIRECTORY has no index.html that can be read:"
                f" {self.frontend_directory!r}"
            )
        self._check_demo_handle()

    @property
    def codes_in_terminal(self) -> bool:
        """Whether users find codes in the terminal that runs the service.

        That is so without a mail server, if only this machine can reach the service.
        """
        is_on_loopback = all(map(checks.is_loopback, self.binds)) or (
            self.published_on == "loopback" and self.environment != "production"
        )
        is_proxied = self.trusted_hops > 0
        return self.provider == "local" and not self.smtp_url and is_on_loopback and not is_proxied

    def _check_demo_handle(self) -> None:
        if not self.demo_handle or all(map(checks.is_loopback, self.binds)):
            return
        if self.published_on != "loopback":
            raise SettingsError(
                "CRUDDUR_DEMO_HANDLE lets any client act as a user, so the server has to be bound"
                f" to loopback, and it is bound to {', '.join(self.binds)}"
            )
        if self.environment == "production":
            raise SettingsError(
                "CRUDDUR_DEMO_HANDLE works in production only when the server is bound to"
                " loopback, whatever CRUDDUR_PUBLISHED_ON says"
            )

    @property
    def warnings(self) -> tuple[str, ...]:
        """Likely mistakes of the operator that do not stop the start, one sentence each."""
        if self.environment == "production" and self.provider == "local" and not self.smtp_url:
            return ("SMTP_URL is not set: codes are written to the log instead of sent by mail",)
        return ()

    @property
    def picture_bucket_url(self) -> str:
        """The address of the bucket of pictures, without a slash at the end; empty without one."""
        if self.picture_bucket is None:
            return ""
        bucket, _ = self.picture_bucket
        if self.s3_endpoint:
            return f"{self.s3_endpoint.rstrip('/')}/{bucket}"
        if "." in bucket:  # it would not match the certificate
            return f"https://s3.{self.aws_region}.amazonaws.com/{bucket}"
        return f"https://{bucket}.s3.{self.aws_region}.amazonaws.com"

    @property
    def outgoing_urls(self) -> tuple[str, ...]:
        """The HTTP services that the service calls; AWS URLs name their region."""
        telemetry = (
            ("", "", "")
            if self.is_sdk_disabled
            else (self.traces_url, self.metrics_url, self.logs_url)
        )
        aws = f"{self.aws_region}.amazonaws.com"
        xray = self.xray_endpoint or f"https://xray.{aws}"
        urls = (
            self.cognito_url if self.cognito_user_pool_id else "",
            *telemetry,
            self.rollbar_endpoint if self.rollbar_access_token else "",
            xray if self.xray in {"api", "otlp"} else "",
            f"https://logs.{aws}" if self.cloudwatch_log_group else "",
            self.picture_bucket_url,
        )
        return tuple(filter(None, urls))
