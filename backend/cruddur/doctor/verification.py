"""Explain why a client of this service rejects the certificate of the other end.

Drivers and libraries wrap the exception of OpenSSL in their own, so its text is what they share.
"""

import re

_FAILED = re.compile(r"certificate verify failed(?::\s*(?P<reason>[^(\n]*))?", re.IGNORECASE)
_NAME = re.compile(r"mismatch", re.IGNORECASE)
_EXPIRED = re.compile(r"expired", re.IGNORECASE)
_NOT_YET = re.compile(r"not yet valid", re.IGNORECASE)


def explain_rejection(
    reason: str, *, host: str, variable: str, authorities: str
) -> tuple[str, str] | None:
    """Return what is wrong with a certificate, and what to do; None for another failure.

    Args:
        reason: the text of the exception.
        host: the host that has the certificate.
        variable: the variable that names the host.
        authorities: where to name a file with the certificates of authorities to trust.
    """
    failed = _FAILED.search(reason)
    if failed is None:
        return None
    found = (failed["reason"] or "").strip(" .'\"")
    if _NAME.search(found):
        return (
            f"the certificate of {host} is for another name",
            f"Name the host in {variable} as the certificate does, or correct the certificate.",
        )
    if _EXPIRED.search(found):
        return (
            f"the certificate of {host} has expired",
            f"Renew it at {host} ({variable}), or correct the clock of this machine.",
        )
    if _NOT_YET.search(found):
        return (
            f"the certificate of {host} is not valid yet",
            f"Correct the clock of this machine, or that of {host} ({variable}).",
        )
    cause = f": {found}" if found else ""
    advice = (
        f"Name the file with the certificate of its authority in {authorities}, or check the host"
        f" in {variable}."
    )
    return f"the certificate of {host} is not trusted{cause}", advice
