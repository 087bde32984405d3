"""Check the mail server: connect and sign in, without sending a mail."""

from urllib.parse import urlsplit

import aiosmtplib

from cruddur.doctor.findings import Finding
from cruddur.doctor.verification import explain_rejection
from cruddur.identity.mail import Mailer
from cruddur.settings import Settings


async def check_mail(settings: Settings) -> list[Finding]:
    """Connect to the server of SMTP_URL."""
    if not settings.smtp_url:
        message = "SMTP_URL is not set: codes are written to the log"
        return [Finding("mail", "not configured", message)]
    try:
        await Mailer(settings.smtp_url, settings.mail_from).verify()
    except aiosmtplib.SMTPAuthenticationError as error:
        message = f"the mail server refuses the user or the password: {error.code}"
        advice = "Correct user and password in SMTP_URL, with special characters percent-encoded."
        return [Finding("mail", "fault", message, advice)]
    except (aiosmtplib.SMTPException, OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        if rejection := explain_rejection(
            reason,
            host=urlsplit(settings.smtp_url).hostname or "the mail server",
            variable="SMTP_URL",
            authorities="SSL_CERT_FILE",
        ):
            return [Finding("mail", "fault", *rejection)]
        message = f"the mail server cannot be used: {reason}"
        advice = (
            "Check host and port in SMTP_URL; port 465 needs smtps://, and 587 and 25 need smtp://."
        )
        return [Finding("mail", "fault", message, advice)]
    return [Finding("mail", "ok", "the mail server accepts this service")]
