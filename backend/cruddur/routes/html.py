"""The security headers of HTML pages."""


def html_headers(
    *, scripts: str = "'self'", styles: str = "'self'", workers: str = "'none'"
) -> dict[str, str]:
    """Return headers that allow a page to load only its own content.

    Args:
        scripts: the `script-src` of its Content-Security-Policy.
        styles: the `style-src`.
        workers: the `worker-src`.
    """
    policy = (
        "default-src 'none'",
        f"script-src {scripts}",
        f"style-src {styles}",
        "img-src 'self' blob:",  # previews of files that are being posted
        "connect-src 'self'",
        "font-src 'self'",
        "manifest-src 'self'",
        f"worker-src {workers}",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
    return {
        "Content-Security-Policy": "; ".join(policy),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        "Referrer-Policy": "same-origin",
    }
