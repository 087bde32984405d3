"""Checks of the variables that libraries read for themselves, before a library fails on them.

Each check raises ValueError with one line that names the variable.
"""

import os
import re
import ssl
from collections.abc import Collection, Iterator, Mapping
from importlib.metadata import entry_points
from ipaddress import ip_address, ip_network
from pathlib import Path
from urllib.parse import unquote, urlsplit

from cruddur.settings.database_url import SESSION_ATTRIBUTES, SSL_MODES, is_port

_SIGNALS = ("", "TRACES_", "METRICS_", "LOGS_")

_LIMITS = (
    "OTEL_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT",
    "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT",
    "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT",
    "OTEL_SPAN_EVENT_COUNT_LIMIT",
    "OTEL_SPAN_LINK_COUNT_LIMIT",
)
# Lists with commas, and the names that may be in them.
_CHOICES = {
    "OTEL_METRICS_EXEMPLAR_FILTER": ("always_off", "always_on", "trace_based"),
    **{f"OTEL_EXPORTER_OTLP_{signal}PROTOCOL": ("http/protobuf",) for signal in _SIGNALS},
    **{
        f"OTEL_EXPORTER_OTLP_{signal}COMPRESSION": ("gzip", "deflate", "none")
        for signal in _SIGNALS
    },
    "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": ("cumulative", "delta", "lowmemory"),
    "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION": (
        "explicit_bucket_histogram",
        "base2_exponential_bucket_histogram",
    ),
    "PGSSLMODE": SSL_MODES,
    "PGSSLNEGOTIATION": ("postgres", "direct"),
    "PGTARGETSESSIONATTRS": SESSION_ATTRIBUTES,
}
# Names of plug-ins, which have to be installed, with the group of their entry points.
_PLUGINS = {
    "OTEL_EXPERIMENTAL_RESOURCE_DETECTORS": "opentelemetry_resource_detector",
    "OTEL_PROPAGATORS": "opentelemetry_propagator",
    **{
        f"OTEL_PYTHON_EXPORTER_OTLP_HTTP_{signal}CREDENTIAL_PROVIDER": (
            "opentelemetry_otlp_credential_provider"
        )
        for signal in _SIGNALS
    },
}
# What else these may hold, alone: all detectors, or no propagator.
_OWN_NAMES = {"OTEL_EXPERIMENTAL_RESOURCE_DETECTORS": "*", "OTEL_PROPAGATORS": "none"}
_TIMEOUTS = tuple(f"OTEL_EXPORTER_OTLP_{signal}TIMEOUT" for signal in _SIGNALS)
_PATTERNS = ("OTEL_PYTHON_EXCLUDED_URLS", "OTEL_PYTHON_HTTPX_EXCLUDED_URLS")
_CERTIFICATES = (
    "SSL_CERT_FILE",
    *(f"OTEL_EXPORTER_OTLP_{signal}CERTIFICATE" for signal in _SIGNALS),
)
_FILES = (
    *(f"OTEL_EXPORTER_OTLP_{signal}CLIENT_CERTIFICATE" for signal in _SIGNALS),
    *(f"OTEL_EXPORTER_OTLP_{signal}CLIENT_KEY" for signal in _SIGNALS),
    *("PGSSLCERT", "PGSSLCRL", "PGSSLKEY", "PGSSLROOTCERT"),
)

_DAEMON_ADDRESS = re.compile(r"(?:(tcp|udp):)?(\[[0-9A-Fa-f:.]+\]|[^:\s\[\]]+):(\d{1,5})")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, a token


def check_environment(environ: Mapping[str, str]) -> None:
    """Raise ValueError for the first variable that would make a library fail."""
    for variable, text in environ.items():
        if not _is_utf8(text) and variable.startswith(("OTEL_", "CRUDDUR_")):
            raise ValueError(f"{variable} is not UTF-8")
    for variable, text in _set(environ, _LIMITS):
        if not (text.isascii() and text.isdigit()):
            raise ValueError(f"{variable} is not a non-negative integer: {text!r}")
    for variable, text in _set(environ, _CHOICES):
        has_case = not variable.startswith("OTEL_EXPORTER_OTLP_")  # as the SDK reads them
        _check_names(variable, text if has_case else text.lower(), _CHOICES[variable])
    for variable, text in _set(environ, _TIMEOUTS):
        if not _is_timeout(text):
            raise ValueError(f"{variable} is not a number of seconds above 0: {text!r}")
    for variable, text in _set(environ, _PLUGINS):
        if text != _OWN_NAMES.get(variable):
            _check_names(variable, text, entry_points(group=_PLUGINS[variable]).names)
    for variable, text in _set(environ, ("PGPORT",)):
        if not all(map(is_port, text.split(","))):
            raise ValueError(f"{variable} is not a number from 1 to 65535: {text!r}")
    for variable, text in _set(environ, _PATTERNS):
        try:
            re.compile(text)
        except re.error as error:
            raise ValueError(f"{variable} is not a regular expression: {error}") from None
    for signal in _SIGNALS:
        variable = f"OTEL_EXPORTER_OTLP_{signal}HEADERS"
        _check_headers(variable, environ.get(variable, ""))
    _check_files(environ)


def find_proxy(environ: Mapping[str, str], url: str) -> tuple[str, str]:
    """Return the variable and the proxy that calls of a URL go through, or two empty texts.

    A host on this machine is always called directly.

    Raises:
        ValueError: the proxy is malformed or is not an HTTP proxy.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if _is_bypassed(host, parts.port, environ.get("no_proxy") or environ.get("NO_PROXY") or ""):
        return "", ""
    for name in (f"{parts.scheme}_proxy", "all_proxy"):
        for variable in (name, name.upper()):
            if proxy := environ.get(variable, "").strip():
                proxy = proxy if "://" in proxy else f"http://{proxy}"
                if not _is_http(proxy):
                    raise ValueError(
                        f"{variable} is not http://host:port, and calls of {host} need an HTTP"
                        " proxy: change it, or add the host to NO_PROXY"
                    )
                return variable, proxy
    return "", ""


def parse_daemon_address(value: str) -> tuple[str, int]:
    """Host and port for UDP out of AWS_XRAY_DAEMON_DAEMON_ADDRESS.

    It is `host:port`, or `tcp:host:port udp:host:port` in either order.

    Raises:
        ValueError: it is neither; the message names the variable.
    """
    found: dict[str, tuple[str, int]] = {}
    for part in value.split():
        match = _DAEMON_ADDRESS.fullmatch(part)
        if match is None or not 0 < int(match[3]) < 65536 or (match[1] or "udp") in found:
            raise _malformed(value)
        found[match[1] or "udp"] = match[2].strip("[]"), int(match[3])
    if "udp" not in found:
        raise _malformed(value)
    return found["udp"]


def install_hint(*extras: str) -> str:
    """Return the command that installs extras of this package: in a clone, or elsewhere."""
    clone = Path(__file__).parents[3]
    if (clone / "Makefile").is_file() and (clone / "requirements").is_dir():
        names = " ".join(extra for extra in extras if extra != "embedded")
        return f'make run EXTRAS="{names}"' if names else "make run"
    names = ",".join(extras)
    return f"pip install 'cruddur[{names}]', or build the image with them in EXTRAS"


def is_loopback_host(host: str) -> bool:
    """Whether a host name or address without brackets means this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _is_bypassed(host: str, port: int | None, no_proxy: str) -> bool:
    """Whether NO_PROXY names the host: a name, a domain, an address or a network, all with an
    optional port."""
    if is_loopback_host(host):
        return True
    for item in no_proxy.replace(",", " ").lower().split():
        if item == "*":
            return True
        try:
            if ip_address(host) in ip_network(item.strip("[]"), strict=False):
                return True
        except ValueError:
            pass
        name, colon, number = item.rpartition(":")
        if colon and number.isdigit() and not (":" in name and "]" not in name):
            if int(number) != port:
                continue
            item = name
        domain = item.strip("[]").lstrip("*").lstrip(".")
        if domain and (host == domain or host.endswith(f".{domain}")):
            return True
    return False


def _is_http(proxy: str) -> bool:
    try:
        parts = urlsplit(proxy)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _set(environ: Mapping[str, str], variables: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield those of the variables that have a value."""
    for variable in variables:
        if text := environ.get(variable, "").strip():
            yield variable, text


def _check_names(variable: str, text: str, known: Collection[str]) -> None:
    unknown = [name.strip() for name in text.split(",") if name.strip() not in known]
    if unknown:
        names = ", ".join(sorted(known)) or "nothing, as none is installed"
        raise ValueError(f"{variable} may hold {names}, and not {unknown[0]!r}")


def _check_headers(variable: str, text: str) -> None:
    for number, item in enumerate(filter(None, map(str.strip, text.split(","))), start=1):
        name, equals, value = item.partition("=")
        value = unquote(value)
        if not equals or not _HEADER_NAME.fullmatch(unquote(name).strip()):
            raise ValueError(f"{variable} is not name=value,name=value: see its item {number}")
        if not (value.isascii() and value.isprintable()):
            raise ValueError(f"{variable} has a value that no header may have: see item {number}")


def _check_files(environ: Mapping[str, str]) -> None:
    for variable, path in _set(environ, _CERTIFICATES):
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=path)
        except ssl.SSLError:
            raise ValueError(f"{variable} is not a file of PEM certificates: {path!r}") from None
        except OSError as error:
            raise ValueError(f"{variable} cannot be read: {error.strerror}: {path!r}") from None
    for variable, path in _set(environ, _FILES):
        if not os.access(path, os.R_OK):
            raise ValueError(f"{variable} names a file that cannot be read: {path!r}")
    for signal in _SIGNALS:
        key = f"OTEL_EXPORTER_OTLP_{signal}CLIENT_KEY"
        certificate = f"OTEL_EXPORTER_OTLP_{signal}CLIENT_CERTIFICATE"
        if environ.get(key, "").strip() and not environ.get(certificate, "").strip():
            raise ValueError(f"{key} needs {certificate}")
    for variable, path in _set(environ, ("SSL_CERT_DIR",)):
        for folder in path.split(os.pathsep):
            if not (os.path.isdir(folder) and os.access(folder, os.R_OK | os.X_OK)):
                raise ValueError(f"{variable} names a folder that cannot be read: {folder!r}")
    for variable, path in _set(environ, ("SSLKEYLOGFILE",)):
        try:
            open(path, "a").close()
        except OSError as error:
            raise ValueError(f"{variable} cannot be written: {error.strerror}: {path!r}") from None


def _is_timeout(text: str) -> bool:
    try:
        return 0.001 <= float(text) <= 100_000_000  # nan is not
    except ValueError:
        return False


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _malformed(value: str) -> ValueError:
    return ValueError(
        "AWS_XRAY_DAEMON_ADDRESS has to be host:port or tcp:host:port udp:host:port,"
        f" and it is {value!r}"
    )
