"""Send one item of each kind to every sink, and explain the outcome."""

import re
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import quote, urlsplit

from cruddur.doctor.findings import Finding
from cruddur.doctor.threads import in_thread
from cruddur.process.trace_explorer import is_explorer
from cruddur.settings import Settings, SettingsError, diagnosis
from cruddur.settings.checks import is_loopback_host
from cruddur.telemetry.export_queue import ExportError, ExportStatus
from cruddur.telemetry.honeycomb import HoneycombAccount, describe_key, read_account
from cruddur.telemetry.pipeline import DeliveryTest, Telemetry
from cruddur.telemetry.resource import service_resource
from cruddur.telemetry.sinks import require_extras
from cruddur.telemetry.xray.daemon_probe import DaemonAnswer, probe_daemon
from cruddur.telemetry.xray.documents import trace_id as xray_trace_id

EXPORT_SECONDS = 4.0
"""Time limit of one delivery with its retries."""

DELIVERY_SECONDS = 8.0
"""Time limit of all deliveries: the libraries of AWS take more than a second to import."""

CALL_SECONDS = 3.0

_UNREACHABLE = re.compile(
    "refused|resolve|resolution|unreachable|Max retries|not known|cannot find|ConnectionError"
    "|Could not connect|endpoint URL",
    re.IGNORECASE,
)
_TIMEOUT = re.compile("timed out|no answer|no complete response|timeout", re.IGNORECASE)

_UNSET = {
    "Honeycomb": "HONEYCOMB_API_KEY",
    "X-Ray": "AWS_XRAY_DAEMON_ADDRESS",
    "Rollbar": "ROLLBAR_ACCESS_TOKEN",
    "CloudWatch": "CRUDDUR_CLOUDWATCH_LOG_GROUP",
}


async def check_sinks(settings: Settings) -> list[Finding]:
    """Send to each sink that is configured, through the exporters of the service."""
    findings = list(_not_configured(settings))
    try:
        require_extras(settings)
    except SettingsError as error:
        return [*findings, Finding("telemetry", "fault", str(error), "Install it.")]
    tested = replace(
        settings,
        traces_sampler="always_on",
        span_timeout=min(settings.span_timeout, 1000 * EXPORT_SECONDS),
        log_timeout=min(settings.log_timeout, 1000 * EXPORT_SECONDS),
        metric_timeout=min(settings.metric_timeout, 1000 * EXPORT_SECONDS),
    )
    test = await Telemetry(tested).deliver_test(DELIVERY_SECONDS)
    findings += [await _explain(settings, test, status) for status in test.statuses]
    if settings.xray == "daemon" and not settings.is_sdk_disabled:
        answer = await in_thread(probe_daemon, settings.xray_daemon_address, CALL_SECONDS)
        at = next(i for i, one in enumerate(findings) if one.check == "X-Ray")
        findings[at] = _explain_daemon(settings, answer, findings[at])
    return findings


def _not_configured(settings: Settings) -> Iterator[Finding]:
    if settings.is_sdk_disabled:
        yield Finding("traces", "warning", "OTEL_SDK_DISABLED switches all traces off", "Unset it.")
    is_on = {
        "Honeycomb": bool(settings.honeycomb_api_key),
        "X-Ray": settings.xray != "none",
        "Rollbar": bool(settings.rollbar_access_token),
        "CloudWatch": bool(settings.cloudwatch_log_group),
    }
    for sink, variable in _UNSET.items():
        if not is_on[sink] and not (sink == "Honeycomb" and settings.traces_url):
            yield Finding(
                sink,
                "not configured",
                f"{variable} is not set in this process",
                f"To use it, run `export {variable}=…` in the shell that starts the service.",
            )


async def _explain(settings: Settings, test: DeliveryTest, status: ExportStatus) -> Finding:
    sink = status.sink
    if status.sent and not status.failed and not status.dropped:
        message, url = await _accepted(settings, test, sink)
        return Finding(sink, "ok", message, url=url)
    reason = status.last_error or f"no answer in {DELIVERY_SECONDS:g} s"
    advice = _advice(settings, sink, reason)
    return Finding(sink, "fault", f"it did not accept an item: {reason}", advice)


async def _accepted(settings: Settings, test: DeliveryTest, sink: str) -> tuple[str, str]:
    """Return what a sink accepted, and the page that shows it."""
    if sink == "Rollbar":
        url = f"https://rollbar.com/item/uuid/?uuid={test.item_uuid}"
        return "it accepted an item", url
    if sink == "CloudWatch":
        region, group = settings.aws_region, settings.cloudwatch_log_group
        page = f"https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}"
        encoded = quote(quote(group, safe=""), safe="").replace("%", "$")
        return (
            f"the group {group} accepted a log line",
            f"{page}#logsV2:log-groups/log-group/{encoded}",
        )
    if sink == "X-Ray":
        region = settings.aws_region
        page = f"https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}"
        return "it accepted a span", f"{page}#xray:traces/{xray_trace_id(int(test.trace_id, 16))}"
    if sink.endswith(" metrics"):
        return "it accepted the metrics", ""
    if sink.endswith(" logs"):
        return "it accepted a log line", ""
    account = await _account(settings)
    where = f" of the team {account.team.slug}" if account else ""
    if account and account.environment.slug:
        where += f", environment {account.environment.slug}"
    return f"it accepted a span{where}", await _trace_page(settings, test.trace_id, account)


async def _account(settings: Settings) -> HoneycombAccount | None:
    """Return the account of the Honeycomb key, if spans go to Honeycomb with it."""
    endpoint, key = settings.honeycomb_api_endpoint, settings.honeycomb_api_key
    if not key or urlsplit(settings.traces_url).netloc != urlsplit(endpoint).netloc:
        return None
    try:
        return await in_thread(read_account, endpoint, key, CALL_SECONDS)
    except ExportError:
        return None


async def _trace_page(settings: Settings, trace_id: str, account: HoneycombAccount | None) -> str:
    if account:
        dataset = str(service_resource(settings).attributes["service.name"])
        return account.trace_url(settings.honeycomb_api_endpoint, dataset, trace_id)
    if settings.trace_url:
        return settings.trace_url.replace("{trace_id}", trace_id)
    base = settings.traces_url.removesuffix("/v1/traces")
    if is_loopback_host(urlsplit(base).hostname or "") and await in_thread(is_explorer, base):
        return f"{base}/trace/{trace_id}"
    return ""


def _explain_daemon(settings: Settings, answer: DaemonAnswer, sent: Finding) -> Finding:
    """Return what is known about the daemon, which never answers a span."""
    address = settings.xray_daemon_address
    if sent.outcome == "fault":
        return Finding("X-Ray", "fault", sent.message, _address_advice("xray-daemon:2000"))
    if answer.status == 200:
        message = f"the daemon at {address} got a span, and X-Ray accepts its requests"
        return Finding("X-Ray", "ok", message, url=sent.url)
    if answer.status is not None:
        return Finding(
            "X-Ray",
            "fault",
            f"the daemon at {address} runs, and X-Ray answers it with HTTP {answer.status}",
            "Give the daemon a region (-n) and credentials with the policy"
            " AWSXRayDaemonWriteAccess, and read its log.",
        )
    if answer.is_udp_refused:
        return Finding(
            "X-Ray",
            "fault",
            f"no daemon answers at {address}: {answer.problem}",
            "Start the daemon, or correct AWS_XRAY_DAEMON_ADDRESS."
            f" {_address_advice('xray-daemon:2000')}",
        )
    return Finding(
        "X-Ray",
        "warning",
        f"a span was sent to {address}, but nothing confirms that a daemon got it:"
        f" {answer.problem} (TCP)",
        "Publish the TCP port of the daemon as well (2000:2000/tcp), or look for the trace"
        f" {sent.url.rpartition('/')[2]} in the console.",
    )


def _advice(settings: Settings, sink: str, reason: str) -> str:
    """Return what to do when a sink did not accept an item."""
    status = next(iter(re.findall(r"\b([45]\d\d)\b", reason)), "")
    if sink == "Rollbar" and status in {"401", "403", "404"}:
        return (
            "Copy the token with the scope post_server_item from the project's settings,"
            " Project Access Tokens."
        )
    if sink in {"CloudWatch", "X-Ray"} and (advice := _aws_advice(sink, reason)):
        return advice
    if status in {"401", "403"} and settings.honeycomb_api_key:
        form = describe_key(settings.honeycomb_api_key)
        return (
            "Set HONEYCOMB_API_KEY to an ingest key of the right environment"
            + (f" ({form})" if form else "")
            + "; in the EU, also set HONEYCOMB_API_ENDPOINT=https://api.eu1.honeycomb.io."
        )
    if status in {"401", "403"}:
        return "Correct the key in OTEL_EXPORTER_OTLP_HEADERS, as the backend documents it."
    if status == "400" and describe_key(settings.honeycomb_api_key):
        return f"Use another key: {describe_key(settings.honeycomb_api_key)}."
    if status == "404":
        return "Set the base URL of an OTLP/HTTP backend, without a path."
    if status == "429":
        return "Wait, or raise the limit of the account."
    if _UNREACHABLE.search(reason):
        return _address_advice("jaeger:4318")
    if _TIMEOUT.search(reason):
        return "Check the address, and that no firewall or proxy is in between."
    return "See the documentation of the backend."


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
    if "redentials" in reason or "token" in reason.lower() or "ignature" in reason:
        return (
            "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in this process, or use a role, and"
            " check the clock of this machine."
        )
    if _UNREACHABLE.search(reason):
        return "Check AWS_DEFAULT_REGION, which is part of the host name, and the network."
    return ""


def _address_advice(example: str) -> str:
    if diagnosis.is_in_container():
        return (
            "In a container, localhost is the container itself: use the name of the other"
            f" container, such as {example}."
        )
    return "Check that it runs, and that host and port are right."
