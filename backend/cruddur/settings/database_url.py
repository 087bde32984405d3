"""Parse CONNECTION_URL as libpq does, and rewrite it for the driver.

`psql`, `pg_dump` and the service accept the same URL. The driver parses it by Python's rules for
URLs, and sends each keyword that it does not know to the server as a run-time parameter.
"""

import os
import re
import ssl
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote, urlsplit

DEFAULT_PORT = 5432

SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
SESSION_ATTRIBUTES = (
    "any",
    "primary",
    "standby",
    "read-write",
    "read-only",
    "prefer-standby",
)

# Keywords of libpq that can be ignored: the service has its own timeouts, the driver uses UTF-8 and
# one version of the protocol, and the rest are preferences.
_IGNORED = {
    "channel_binding",
    "client_encoding",
    "connect_timeout",
    "fallback_application_name",
    "gssdelegation",
    "gssencmode",
    "keepalives",
    "keepalives_count",
    "keepalives_idle",
    "keepalives_interval",
    "load_balance_hosts",
    "max_protocol_version",
    "min_protocol_version",
    "requiressl",
    "sslcertmode",
    "sslcompression",
    "sslsni",
    "tcp_user_timeout",
}
# Keywords that the driver does not support. Ignoring them would weaken what the operator requires.
_UNSUPPORTED = {
    "hostaddr",
    "replication",
    "require_auth",
    "requirepeer",
    "scram_client_key",
    "scram_server_key",
    "servicefile",
    "sslcrldir",
    "sslkeylogfile",
}
_FILES = ("passfile", "sslcert", "sslcrl", "sslkey", "sslrootcert")
_SYSTEM_CERTIFICATES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Alpine
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora, Amazon Linux
    "/etc/ssl/cert.pem",  # macOS
)

_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_HOST = re.compile(r"(?P<host>\[[^\]\[/]+\]|[^:\[\]]*)(?::(?P<port>[^:]*))?")


def driver_url(url: str) -> str:
    """Return an equivalent URL that the driver understands; idempotent.

    Raises:
        ValueError: the URL is malformed, or requires something that the driver does not support.
            The message contains no secret, and continues a sentence that begins with the name of
            the variable.
    """
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.lower() not in {"postgresql", "postgres"}:
        raise ValueError("is not a URL of the form postgresql://user:password@host:port/database")
    user_info, rest = _split_user_info(rest)
    location, _, query = rest.partition("?")
    hosts, _, database = location.partition("/")
    if "@" in database:
        raise ValueError("has a raw / or @ in the password: write %2F for / and %40 for @")
    for host in hosts.split(",") if hosts else ():
        _check_host(host)
    user, colon, password = user_info.partition(":")
    quoted = [quote(_STRAY_PERCENT.sub("%25", text), safe="%") for text in (user, password)]
    authority = (colon.join(quoted) + "@" if user_info else "") + quote(hosts, safe="%[]:,")
    path = quote(_STRAY_PERCENT.sub("%25", database), safe="%")
    result = f"postgresql://{authority}/{path}" if path else f"postgresql://{authority}"
    if parameters := _parameters(query):
        result += "?" + "&".join(f"{name}={quote(value)}" for name, value in parameters.items())
    try:
        urlsplit(result)
    except ValueError:  # several hosts, one of them an IPv6 address
        raise ValueError("has hosts that the driver cannot parse: use names") from None
    return result


def replica_url(url: str) -> str:
    """Return the `driver_url` of a replica, whose server may be read-only.

    Raises:
        ValueError: see `driver_url`; or the URL names several servers or asks for a primary. What
            was seen of one server must hold for each connection.
    """
    url = driver_url(url)
    if len(server_addresses(url)) > 1:
        raise ValueError(f"names several hosts in one URL: {describe_server(url)}")
    wanted = session_attributes(with_session_attributes(url, "any"))
    if wanted in {"primary", "read-write"}:
        raise ValueError(
            f"asks for target_session_attrs={wanted}, and {describe_server(url)} is a replica"
        )
    return with_session_attributes(url, "any")


def server_addresses(url: str) -> list[tuple[str, int]]:
    """Return host and port of each server of a `driver_url`.

    A host that begins with a slash is the directory of a Unix socket. The list is empty for the
    local default and for a service of the connection service file.
    """
    parts = urlsplit(url)
    parameters = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    hosts = parts.netloc.rpartition("@")[2] or parameters.get("host", "")
    ports = parameters.get("port", "").split(",")
    addresses = []
    for index, text in enumerate(hosts.split(",") if hosts else ()):
        default = ports[index] if index < len(ports) else ports[0]
        if text.startswith("/"):
            host, port = text, default
        elif match := _HOST.fullmatch(text):
            host, port = unquote(match["host"].strip("[]")), match["port"] or default
        else:
            continue
        addresses.append((host, int(port) if port.isdigit() else DEFAULT_PORT))
    return addresses


def describe_server(url: str) -> str:
    """Describe the servers of a `driver_url` for messages, without user and password."""
    return (
        ", ".join(describe_address(host, port) for host, port in server_addresses(url))
        or "the local server"
    )


def describe_address(host: str, port: int) -> str:
    """Describe one of the `server_addresses` for messages."""
    if host.startswith("/"):
        return f"the socket in {host}"
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def session_attributes(url: str) -> str:
    """Return the kind of server that a `driver_url` asks for, `read-write` if it names none."""
    return parse_qs(urlsplit(url).query).get("target_session_attrs", ["read-write"])[-1]


def with_port(url: str, port: str) -> str:
    """Add a port to the hosts of a `driver_url` that have none, if there are several."""
    parts = urlsplit(url)
    user_info, at, hosts = parts.netloc.rpartition("@")
    if "," not in hosts or not is_port(port):
        return url
    ported = (
        text if (match := _HOST.fullmatch(text)) and match["port"] else f"{text}:{port}"
        for text in hosts.split(",")
    )
    return parts._replace(netloc=f"{user_info}{at}{','.join(ported)}").geturl()


def with_session_attributes(url: str, value: str) -> str:
    """Add `target_session_attrs` to a `driver_url` that has none, unless it is empty."""
    parts = urlsplit(url)
    if not value or "target_session_attrs" in parse_qs(parts.query):
        return url
    return f"{url}{'&' if parts.query else '?'}target_session_attrs={quote(value)}"


def database_name(url: str) -> str:
    """Return the name of the database of a `driver_url`, or an empty string."""
    return unquote(urlsplit(url).path.removeprefix("/"))


def is_port(text: str) -> bool:
    """Return whether a text is a TCP port number."""
    return text.isascii() and text.isdigit() and 0 < int(text) < 65536


def _split_user_info(rest: str) -> tuple[str, str]:
    """Split off user and password. They may contain `@`, and also `?` if an `@` follows it."""
    for end in ("[/?]", "/"):
        authority = re.split(end, rest, maxsplit=1)[0]
        if "@" in authority:
            user_info, _, _ = authority.rpartition("@")
            return user_info, rest[len(user_info) + 1 :]
    return "", rest


def _check_host(text: str) -> None:
    match = _HOST.fullmatch(text)
    if match is None or text == "":
        raise ValueError("has a malformed host")
    port = match["port"]
    if port is not None and not is_port(port):
        raise ValueError(
            "has a port that is not a number from 1 to 65535 (in a password, write %2F for /)"
        )


def _parameters(query: str) -> dict[str, str]:
    """Return the parameters after the question mark that the driver receives."""
    kept: dict[str, str] = {}
    for item in filter(None, query.split("&")):
        name, equals, value = item.partition("=")
        name, value = unquote(name), unquote(value)
        if not equals:
            raise ValueError(f"has the parameter {name!r} without a value")
        if name == "ssl" and value == "true":  # the form of JDBC, which libpq accepts too
            name, value = "sslmode", "require"
        if name in _UNSUPPORTED or (name in _IGNORED and value == "require"):
            raise ValueError(f"asks for {name}={value}, which the driver does not support")
        if name not in _IGNORED:
            kept[name] = value
    if kept.get("sslmode", "prefer") not in SSL_MODES:
        raise ValueError(f"has an sslmode that is none of {', '.join(SSL_MODES)}")
    if kept.get("target_session_attrs", "any") not in SESSION_ATTRIBUTES:
        raise ValueError(
            f"has target_session_attrs that is none of {', '.join(SESSION_ATTRIBUTES)}"
        )
    if not all(is_port(port) for port in kept.get("port", "1").split(",")):
        raise ValueError("has a port that is not a number from 1 to 65535")
    if kept.get("sslrootcert") == "system":
        if kept.setdefault("sslmode", "verify-full") != "verify-full":
            raise ValueError("has sslrootcert=system, which needs sslmode=verify-full")
        kept["sslrootcert"] = _system_certificates()
    for name in _FILES:
        if name in kept and not os.access(kept[name], os.R_OK):
            raise ValueError(f"names a file in {name} that cannot be read: {kept[name]!r}")
    # The driver ignores such a file, as libpq does.
    if "passfile" in kept and Path(kept["passfile"]).stat().st_mode & 0o077:
        raise ValueError(f"names a passfile that others may use: chmod 600 {kept['passfile']}")
    return kept


def _system_certificates() -> str:
    default = ssl.get_default_verify_paths().cafile
    for path in (default, *_SYSTEM_CERTIFICATES):
        if path and Path(path).is_file():
            return path
    raise ValueError("has sslrootcert=system, and this system has no file of certificates")
