"""Send mail with codes by SMTP, or log the codes if no SMTP server is configured."""

import asyncio
import logging
from email.message import EmailMessage
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

import aiosmtplib
from opentelemetry.trace import StatusCode

from cruddur.telemetry.background import background
from cruddur.telemetry.operation import error_type

logger = logging.getLogger(__name__)

SMTP_TIMEOUT = 10.0
"""Seconds that sending one mail may take; no request waits for it."""

PAUSE = 0.2
"""Seconds before a mail is sent, so that the response is sent first."""


class Mailer:
    """Sends mail in the background, so that response times do not reveal whether mail is sent."""

    def __init__(self, smtp_url: str, sender: str) -> None:
        """Set the server and the sender.

        Args:
            smtp_url: `smtp://` (STARTTLS if offered) or `smtps://`. If it is empty, codes are
                logged.
            sender: the sender's address.

        Raises:
            ValueError: the URL has another scheme or no host.
        """
        self._sender = sender
        self._url = urlsplit(smtp_url) if smtp_url else None
        if self._url and (self._url.scheme not in {"smtp", "smtps"} or not self._url.hostname):
            raise ValueError("SMTP_URL is neither smtp://host nor smtps://host")
        self._tasks: set[asyncio.Task[None]] = set()

    def send_confirmation_code(self, email: str, handle: str, code: str) -> None:
        """Send the code that opens a new account; the handle identifies the sign-up."""
        self._send_code(
            email,
            "confirmation code",
            code,
            f"Someone used this address to sign up for Cruddur as @{handle}.\n\n"
            f"Your confirmation code is {code}. It works for 15 minutes.\n\n"
            f"If that wasn't you, ignore this message and no account will be opened.\n",
        )

    def send_reset_code(self, email: str, code: str) -> None:
        """Send the code that allows a new password."""
        self._send_code(
            email,
            "reset code",
            code,
            f"Your code to reset your Cruddur password is {code}. It works for 15 minutes.\n\n"
            "If you didn't ask for it, ignore this message. Your password stays the same.\n",
        )

    def send_account_exists(self, email: str) -> None:
        """Notify a member that their address was used to sign up again."""
        self._post(
            email,
            "You already have a Cruddur account",
            "Someone tried to sign up with this address, which already has an account.\n\n"
            "If that was you, sign in, or reset your password if you have forgotten it.\n",
            log_line=f"sign-up with the address of an existing account: {email}",
        )

    def send_address_code(self, email: str, handle: str, code: str) -> None:
        """Send the code that makes this the address of an account."""
        self._send_code(
            email,
            "address code",
            code,
            f"Someone wants this to be the address of the Cruddur account @{handle}.\n\n"
            f"Your address code is {code}. It works for 15 minutes.\n\n"
            "If that wasn't you, ignore this message and nothing changes.\n",
        )

    def send_address_in_use(self, email: str) -> None:
        """Notify a member that someone wants to use their address for another account."""
        self._post(
            email,
            "This address already has a Cruddur account",
            "Someone tried to use this address for another Cruddur account. It belongs to yours,\n"
            "so nothing changes.\n",
            log_line=f"change to the address of an existing account: {email}",
        )

    def send_address_change(self, email: str, handle: str, new_email: str, code: str) -> None:
        """Send the code that stops a change of the address to the old address."""
        self._post(
            email,
            "Your Cruddur address is about to change",
            f"Someone who knows your password wants to change the address of @{handle} to\n"
            f"{new_email}.\n\n"
            "If that was you, you have nothing to do.\n\n"
            'If it wasn\'t, stop it: open Cruddur, choose "Stop a change of address" on the page\n'
            "for a forgotten password, and enter this code:\n\n"
            f"{code}\n\n"
            "It works until seven days after the change, signs out every device and brings this\n"
            "address back. Then reset your password.\n",
            log_line=f"stop code for {email}: {code}",
        )

    async def verify(self) -> None:
        """Connect to the server and sign in, as before a mail, but send none.

        Raises:
            aiosmtplib.SMTPException, OSError, ValueError: it does not respond, or refuses.
        """
        if self._url is not None:
            async with aiosmtplib.SMTP(**_options(self._url)) as client:
                await client.noop()

    async def close(self) -> None:
        """Wait up to 3 s for mail that is being sent."""
        if self._tasks:
            _, unfinished = await asyncio.wait(self._tasks, timeout=3)
            for task in unfinished:
                task.cancel()

    def _send_code(self, email: str, kind: str, code: str, text: str) -> None:
        self._post(email, f"Your Cruddur {kind}", text, log_line=f"{kind} for {email}: {code}")

    def _post(self, email: str, subject: str, text: str, *, log_line: str) -> None:
        if self._url is None:
            logger.info(log_line, extra={"private": True})
            return
        task = asyncio.create_task(self._deliver(email, subject, text))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, email: str, subject: str, text: str) -> None:
        if self._url is None:
            return
        await asyncio.sleep(PAUSE)
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = self._sender, email, subject
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(text)
        private = [str(message["To"]), message.get_content()]
        with background("send mail", private=private) as span:
            try:
                await aiosmtplib.send(message, **_options(self._url))
            except (aiosmtplib.SMTPException, OSError, ValueError) as error:
                span.set_status(StatusCode.ERROR, "mail was not accepted")
                span.set_attribute("error.type", error_type(error))
                logger.error("mail was not accepted: %s", error)


def _options(url: SplitResult) -> dict[str, Any]:
    """Return the options of aiosmtplib for a server."""
    return {
        "hostname": url.hostname,
        "port": url.port,
        "username": unquote(url.username) if url.username else None,
        "password": unquote(url.password) if url.password else None,
        "use_tls": url.scheme == "smtps",
        "timeout": SMTP_TIMEOUT,
    }
