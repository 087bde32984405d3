"""Settings of accounts: the provider, signing keys, limits, mail and Cognito."""

from dataclasses import dataclass
from typing import Annotated, Literal

from cruddur.settings import checks
from cruddur.settings.declaration import setting

ProviderName = Literal["local", "cognito"]


@dataclass(frozen=True, kw_only=True)
class AccountSettings:
    """The account provider, its keys and mail, and the limits of account calls."""

    account_provider: Annotated[
        Literal["", "local", "cognito"],
        setting("CRUDDUR_ACCOUNT_PROVIDER", "Account provider; empty: `cognito` if a pool is set"),
    ] = ""
    signing_key: Annotated[
        str,
        setting(
            "CRUDDUR_SIGNING_KEY",
            "EC P-256 private keys (PEM); the first signs access tokens; empty: keys in the"
            " database",
            secret=True,
        ),
    ] = ""
    evidence_key: Annotated[
        str,
        setting(
            "CRUDDUR_EVIDENCE_KEY",
            "Secret texts of at least 32 characters, separated by spaces, that encrypt what members"
            " report; the first encrypts, each one decrypts; empty: derived from the signing keys",
            secret=True,
            check=checks.secret_texts,
        ),
    ] = ""
    address_attempts: Annotated[
        int,
        setting(
            "CRUDDUR_ADDRESS_ATTEMPTS",
            "Account calls per client address and kind in 15 minutes",
            ge=1,
            le=1_000_000_000,
        ),
    ] = 100
    account_attempts: Annotated[
        int,
        setting(
            "CRUDDUR_ACCOUNT_ATTEMPTS",
            "Account calls per account, client and kind in 15 minutes; ten times as many for all"
            " unknown clients together",
            ge=1,
            le=1_000_000_000,
        ),
    ] = 10
    moderator_second_factor: Annotated[
        Literal["optional", "required"],
        setting(
            "CRUDDUR_MODERATOR_SECOND_FACTOR",
            "Whether moderators and admins need a second factor to moderate; `required` needs local"
            " accounts",
        ),
    ] = "optional"
    smtp_url: Annotated[
        str,
        setting(
            "SMTP_URL",
            "`smtp[s]://user:password@host:port`; empty: codes are log lines",
            secret=True,
            check=checks.url("smtp", "smtps"),
        ),
    ] = ""
    mail_from: Annotated[str, setting("CRUDDUR_MAIL_FROM", "Sender of codes")] = (
        "Cruddur <no-reply@localhost>"
    )
    aws_region: Annotated[
        str, setting("AWS_DEFAULT_REGION", "AWS region of Cognito, X-Ray, CloudWatch and S3")
    ] = "us-east-1"
    cognito_user_pool_id: Annotated[
        str,
        setting("AWS_COGNITO_USER_POOL_ID", "Cognito user pool whose access tokens are accepted"),
    ] = ""
    cognito_client_id: Annotated[
        str, setting("AWS_COGNITO_USER_POOL_CLIENT_ID", "App client of the user pool")
    ] = ""
    cognito_endpoint: Annotated[
        str,
        setting(
            "AWS_COGNITO_ENDPOINT_URL",
            "Base URL of the Cognito API; empty: the region's",
            check=checks.http_url,
        ),
    ] = ""

    @property
    def provider(self) -> ProviderName:
        """The account provider."""
        return self.account_provider or ("cognito" if self.cognito_user_pool_id else "local")

    @property
    def cognito_url(self) -> str:
        """The base URL of the Cognito API, which is also the start of its issuer."""
        default = f"https://cognito-idp.{self.aws_region}.amazonaws.com"
        return (self.cognito_endpoint or default).rstrip("/")

    @property
    def cognito_issuer(self) -> str:
        """The issuer of the user pool's tokens."""
        return f"{self.cognito_url}/{self.cognito_user_pool_id}"
