"""Say what to do when a sink did not accept an item."""

import re
from urllib.parse import urlsplit

from cruddur.doctor.findings import Finding
from cruddur.doctor.verification import explain_rejection
from cruddur.settings import Settings, diagnosis
from cruddur.settings.checks import is_loopback_host
from cruddur.settings.library_variables import Signal
from cruddur.telemetry.honeycomb import describe_key

# What the libraries say, in the order in which it is looked for.
_PLAIN = {
    r"NameResolution|name resolution|Name or service not known|nodename nor servname": (
        "the name of the host is unknown"
    ),
    r"refused": "the connection is refused",
    r"due to timeout|timed out|no complete response": "there is no answer",
    r"WRONG_VERSION_NUMBER|record layer failure": "it does not speak TLS at this port",
    r"SSLError": "TLS fails",
}
AUTHORITIES = {
    "CloudWatch": "AWS_CA_BUNDLE",
    "Rollbar": "REQUESTS_CA_BUNDLE",
    "X-Ray": "AWS_CA_BUNDLE",
}
"""The variables of the libraries that call sinks, for a file of authorities. OTLP has its own."""

_STATUS = re.compile(r"(?:HTTP|code:?|status:?)\s*([45]\d\d)\b", re.IGNORECASE)


def explain_failure(settings: Settings, sink: str, reason: str) -> Finding:
    """Return the finding for a sink that did not accept an item.

    Args:
        settings: name the sink's address.
        sink: the name of its export queue.
        reason: what its exporter reported.
    """
    host = _host(settings, sink)
    if rejection := explain_rejection(
        reason,
        host=host or "the service",
        variable=_variable(settings, sink),
        authorities=AUTHORITIES.get(sink, "OTEL_EXPORTER_OTLP_CERTIFICATE"),
    ):
        return Finding(sink, "fault", *rejection)
    known = next((text for text in _PLAIN if re.search(text, reason)), "")
    at = f" at {host}" if host else ""
    message = f"it did not accept an item{at}: {_PLAIN.get(known, reason)}"
    return Finding(sink, "fault", message, _advice(settings, sink, reason, host))


def address_advice(host: str, container: str) -> str:
    """Return what to do about a host that does not answer.

    Args:
        host: its name or address.
        container: the name that the other container would have in compose.yaml.
    """
    if is_loopback_host(host) and diagnosis.is_in_container():
        return (
            "In a container, localhost is the container itself: use the name of the other one, such"
            f" as {container}."
        )
    if "." not in host and not is_loopback_host(host) and not diagnosis.is_in_container():
        return f"{host} is known only among containers: use 127.0.0.1 and a published port."
    return "Check that it runs, and that host and port are right."


def sink_url(settings: Settings, sink: str) -> str:
    """Return the URL that a sink is called at; empty if the library of AWS chooses it."""
    urls = {"Rollbar": settings.rollbar_endpoint, "CloudWatch": "", "X-Ray": settings.xray_endpoint}
    if sink in urls:
        return urls[sink]
    by_signal = {"metrics": settings.metrics_url, "logs": settings.logs_url}
    return by_signal.get(otlp_signal(sink), "") or settings.traces_url


def otlp_signal(sink: str) -> Signal:
    """Return the signal of a sink of OTLP, such as `Honeycomb logs`."""
    if sink.endswith(" metrics"):
        return "metrics"
    return "logs" if sink.endswith(" logs") else "traces"


def _host(settings: Settings, sink: str) -> str:
    return urlsplit(sink_url(settings, sink)).hostname or ""


def _variable(settings: Settings, sink: str) -> str:
    """Return the variable that names the host of a sink."""
    own = {
        "CloudWatch": "AWS_DEFAULT_REGION",
        "Rollbar": "ROLLBAR_ENDPOINT",
        "X-Ray": "AWS_ENDPOINT_URL_XRAY",
    }
    if sink in own:
        return own[sink]
    signal = otlp_signal(sink)
    endpoints = {
        "traces": settings.otlp_traces_endpoint,
        "metrics": settings.otlp_metrics_endpoint,
        "logs": settings.otlp_logs_endpoint,
    }
    if endpoints[signal]:
        return f"OTEL_EXPORTER_OTLP_{signal.upper()}_ENDPOINT"
    if settings.otlp_endpoint:
        return "OTEL_EXPORTER_OTLP_ENDPOINT"
    return "HONEYCOMB_API_ENDPOINT"


def _advice(settings: Settings, sink: str, reason: str, host: str) -> str:
    found = _STATUS.search(reason)
    status = int(found[1]) if found else 0
    if sink in {"CloudWatch", "X-Ray"}:
        return _aws_advice(sink, reason)
    if sink == "Rollbar" and status in {401, 403, 404}:
        return (
            "Copy the token with the scope post_server_item from the project's settings,"
            " Project Access Tokens."
        )
    if status in {400, 401, 403} and settings.honeycomb_api_key:
        return _honeycomb_advice(settings.honeycomb_api_key)
    if status in {401, 403}:
        return "Correct the key in OTEL_EXPORTER_OTLP_HEADERS, as the backend documents it."
    if status == 404:
        return "Set the base URL of an OTLP/HTTP backend, without a path."
    if status == 429:
        return "Wait, or raise the limit of the account."
    if status:
        return "See what the backend documents about this status."
    return address_advice(host, "jaeger")


def _honeycomb_advice(key: str) -> str:
    form = describe_key(key)
    return (
        "Set HONEYCOMB_API_KEY to an ingest key of the right environment"
        + (f" ({form})" if form else "")
        + "; in the EU, also set HONEYCOMB_API_ENDPOINT=https://api.eu1.honeycomb.io."
    )


def _aws_advice(sink: str, reason: str) -> str:
    if diagnosis.is_region_ignored():
        return "Set AWS_DEFAULT_REGION: the service does not read AWS_REGION."
    if "AccessDenied" in reason or "not authorized" in reason:
        policy = (
            "logs:CreateLogGroup, logs:CreateLogStream, logs:PutLogEvents, logs:PutRetentionPolicy"
            " and logs:DescribeLogGroups on the group"
            if sink == "CloudWatch"
            else "the policy AWSXRayDaemonWriteAccess"
        )
        return f"Allow the user or role {policy}."
    if re.search("redentials|oken|ignature", reason):
        return (
            "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in this process, or use a role, and"
            " check the clock of this machine."
        )
    return "Check AWS_DEFAULT_REGION, which is part of the host name, and the network."
