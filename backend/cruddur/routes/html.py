"""The headers of an HTML page."""


def html_headers(*, scripts: str = "'self'", styles: str = "'self'") -> dict[str, str]:
    """Return the headers under which a page runs only what it came with.

    Args:
        scripts: the sources of its scripts, as in a Content-Security-Policy.
        styles: the sources of its styles.
    """
    policy = (
        "default-src 'none'",
        f"script-src {scripts}",
        f"style-src {styles}",
        "img-src 'self'",
        "connect-src 'self'",
        "font-src 'self'",
        "manifest-src 'self'",
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
