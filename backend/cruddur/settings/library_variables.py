"""Check the variables that libraries read themselves, before a library fails on them.

Each check raises ValueError with one line that names the variable.
"""

import os
import re
import ssl
from collections.abc import Collection, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from importlib.metadata import entry_points
from typing import Literal
from urllib.parse import unquote

from cruddur.settings.database_url import SESSION_ATTRIBUTES, SSL_MODES, is_port

Signal = Literal["traces", "metrics", "logs"]

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
# Comma-separated lists, and the names that each may contain.
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
# Variables that name installed plug-ins, with the entry point group of the plug-ins.
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
# A further value that must stand alone: `*` for all detectors, `none` for no propagator.
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

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # a token (RFC 9110)


def check_environment(environ: Mapping[str, str]) -> None:
    """Raise ValueError for the first variable that would make a library fail."""
    for variable, text in environ.items():
        if not _is_utf8(text) and variable.startswith(("OTEL_", "CRUDDUR_")):
            raise ValueError(f"{variable} is not UTF-8")
    for variable, text in _values_of(environ, _LIMITS):
        if not (text.isascii() and text.isdigit()):
            raise ValueError(f"{variable} is not a non-negative integer: {text!r}")
    for variable, text in _values_of(environ, _CHOICES):
        has_case = not variable.startswith("OTEL_EXPORTER_OTLP_")  # as the SDK reads them
        _check_names(variable, text if has_case else text.lower(), _CHOICES[variable])
    for variable, text in _values_of(environ, _TIMEOUTS):
        if not _is_timeout(text):
            raise ValueError(f"{variable} is not a number of seconds above 0: {text!r}")
    for variable, text in _values_of(environ, _PLUGINS):
        if text != _OWN_NAMES.get(variable):
            _check_names(variable, text, entry_points(group=_PLUGINS[variable]).names)
    for variable, text in _values_of(environ, ("PGPORT",)):
        if not all(map(is_port, text.split(","))):
            raise ValueError(f"{variable} is not a number from 1 to 65535: {text!r}")
    for variable, text in _values_of(environ, _PATTERNS):
        try:
            re.compile(text)
        except re.error as error:
            raise ValueError(f"{variable} is not a regular expression: {error}") from None
    for signal in _SIGNALS:
        variable = f"OTEL_EXPORTER_OTLP_{signal}HEADERS"
        _check_headers(variable, environ.get(variable, ""))
    _check_files(environ)


def credential_provider(signal: Signal, environ: Mapping[str, str] = os.environ) -> str:
    """Return the name of the plug-in that creates the HTTP session of an OTLP exporter.

    It is empty if none is set. The variables and their order are those of the SDK.
    """
    prefix = "OTEL_PYTHON_EXPORTER_OTLP_HTTP_"
    common = environ.get(f"{prefix}CREDENTIAL_PROVIDER", "")
    return common or environ.get(f"{prefix}{signal.upper()}_CREDENTIAL_PROVIDER", "")


def signal_certificates(signal: Signal, environ: Mapping[str, str] = os.environ) -> str:
    """Return the certificate file that verifies the backend of a signal; empty: the default."""
    common = environ.get("OTEL_EXPORTER_OTLP_CERTIFICATE", "").strip()
    return signal_variable(signal, "CERTIFICATE", environ) or common


def set_variables(prefix: str, environ: Mapping[str, str] = os.environ) -> list[str]:
    """Return the names of the variables that have a value and start with a prefix."""
    return sorted(
        name for name, text in environ.items() if name.startswith(prefix) and text.strip()
    )


@contextmanager
def default_variable(
    variable: str, text: str, environ: MutableMapping[str, str] = os.environ
) -> Iterator[None]:
    """Set a variable for the block, unless it is set already.

    Use it for library options that can only be set in the environment.
    """
    if environ.get(variable, "").strip():
        yield
        return
    environ[variable] = text
    try:
        yield
    finally:
        del environ[variable]


def prefer_stable_conventions(environ: MutableMapping[str, str] = os.environ) -> None:
    """Select the stable semantic conventions, unless the operator has selected others."""
    if not environ.get("OTEL_SEMCONV_STABILITY_OPT_IN", "").strip():
        environ["OTEL_SEMCONV_STABILITY_OPT_IN"] = "http,database"


@contextmanager
def without_variables(
    prefix: str, environ: MutableMapping[str, str] = os.environ
) -> Iterator[None]:
    """Hide variables in the block from a library that reads them at import and may fail.

    Empty variables are not restored: an empty variable counts as unset.
    """
    hidden = {name: environ.pop(name) for name in list(environ) if name.startswith(prefix)}
    try:
        yield
    finally:
        environ.update({name: text for name, text in hidden.items() if text.strip()})


def signal_variable(signal: Signal, name: str, environ: Mapping[str, str] = os.environ) -> str:
    """Return the value for one signal, such as OTEL_EXPORTER_OTLP_TRACES_TIMEOUT for `TIMEOUT`.

    The value is empty if it is not set; then the variable for all signals applies.
    """
    return environ.get(f"OTEL_EXPORTER_OTLP_{signal.upper()}_{name}", "").strip()


def _values_of(environ: Mapping[str, str], variables: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield the variables that have a value, with the value."""
    for variable in variables:
        if text := environ.get(variable, "").strip():
            yield variable, text


def _check_names(variable: str, text: str, allowed: Collection[str]) -> None:
    unknown = [name.strip() for name in text.split(",") if name.strip() not in allowed]
    if unknown:
        names = ", ".join(sorted(allowed)) or "nothing, as none is installed"
        raise ValueError(f"{variable} may hold {names}, and not {unknown[0]!r}")


def _check_headers(variable: str, text: str) -> None:
    for number, item in enumerate(filter(None, map(str.strip, text.split(","))), start=1):
        name, equals, value = item.partition("=")
        value = unquote(value)
        if not equals or not _HEADER_NAME.fullmatch(unquote(name).strip()):
            raise ValueError(f"{variable} is not name=value,name=value: see its item {number}")
        if not (value.isascii() and value.isprintable()):
            raise ValueError(
                f"{variable} has a value that is not allowed in a header: see item {number}"
            )


def _check_files(environ: Mapping[str, str]) -> None:
    for variable, path in _values_of(environ, _CERTIFICATES):
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=path)
        except ssl.SSLError:
            raise ValueError(f"{variable} is not a file of PEM certificates: {path!r}") from None
        except OSError as error:
            raise ValueError(f"{variable} cannot be read: {error.strerror}: {path!r}") from None
    for variable, path in _values_of(environ, _FILES):
        if not os.access(path, os.R_OK):
            raise ValueError(f"{variable} names a file that cannot be read: {path!r}")
    for signal in _SIGNALS:
        key = f"OTEL_EXPORTER_OTLP_{signal}CLIENT_KEY"
        certificate = f"OTEL_EXPORTER_OTLP_{signal}CLIENT_CERTIFICATE"
        if environ.get(key, "").strip() and not environ.get(certificate, "").strip():
            raise ValueError(f"{key} needs {certificate}")
    for variable, path in _values_of(environ, ("SSL_CERT_DIR",)):
        for folder in path.split(os.pathsep):
            if not (os.path.isdir(folder) and os.access(folder, os.R_OK | os.X_OK)):
                raise ValueError(f"{variable} names a folder that cannot be read: {folder!r}")
    for variable, path in _values_of(environ, ("SSLKEYLOGFILE",)):
        try:
            open(path, "a").close()
        except OSError as error:
            raise ValueError(f"{variable} cannot be written: {error.strerror}: {path!r}") from None


def _is_timeout(text: str) -> bool:
    try:
        return 0.001 <= float(text) <= 100_000_000  # NaN fails this comparison
    except ValueError:
        return False


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
