"""Send one item of each kind to every sink, and explain the outcome."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import quote, urlsplit

from cruddur.doctor.advice import AUTHORITIES, explain_failure, otlp_signal, sink_url
from cruddur.doctor.daemon import ask_daemon, explain_daemon
from cruddur.doctor.findings import Finding
from cruddur.doctor.threads import in_thread
from cruddur.process.trace_explorer import is_explorer
from cruddur.settings import Settings, SettingsError
from cruddur.settings.checks import is_loopback_host
from cruddur.settings.library_variables import signal_certificates
from cruddur.telemetry.export_queue import ExportError, ExportStatus
from cruddur.telemetry.honeycomb import HoneycombAccount, read_account
from cruddur.telemetry.pipeline import DeliveryTest, Telemetry
from cruddur.telemetry.resource import service_resource
from cruddur.telemetry.sink_clients import certificate_error
from cruddur.telemetry.sinks import require_extras
from cruddur.telemetry.xray.documents import trace_id as xray_trace_id

EXPORT_SECONDS = 4.0
"""Time limit of one delivery with its retries."""

DELIVERY_SECONDS = 8.0
"""Time limit of all deliveries: the libraries of AWS take more than a second to import."""

CALL_SECONDS = 3.0

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
    test, answer = await asyncio.gather(
        Telemetry(tested).deliver_test(DELIVERY_SECONDS), ask_daemon(settings)
    )
    for status in test.statuses:
        finding = await _explain(settings, test, status)
        if status.sink == "X-Ray" and answer is not None:
            finding = explain_daemon(settings, answer, finding)
        findings.append(finding)
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
    if "SSLError" in reason and (url := sink_url(settings, sink)):
        files = signal_certificates(otlp_signal(sink)) if sink not in AUTHORITIES else ""
        reason += f" {await in_thread(certificate_error, url, CALL_SECONDS, files)}"
    return explain_failure(settings, sink, reason)


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
