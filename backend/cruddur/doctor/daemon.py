"""Check the X-Ray daemon, which never answers a span."""

from cruddur.doctor.advice import address_advice
from cruddur.doctor.findings import Finding
from cruddur.doctor.threads import in_thread
from cruddur.settings import Settings
from cruddur.settings.checks import parse_daemon_address
from cruddur.telemetry.xray.daemon_probe import DaemonAnswer, probe_daemon

CALL_SECONDS = 3.0


async def ask_daemon(settings: Settings) -> DaemonAnswer | None:
    """Return what a daemon answers by TCP; None if spans do not go to a daemon."""
    if settings.xray != "daemon" or settings.is_sdk_disabled:
        return None
    return await in_thread(probe_daemon, settings.xray_daemon_address, CALL_SECONDS)


def explain_daemon(settings: Settings, answer: DaemonAnswer, sent: Finding) -> Finding:
    """Return what is known about the daemon, which never answers a span."""
    address = settings.xray_daemon_address
    where = address_advice(parse_daemon_address(address)[0], "xray-daemon")
    if sent.outcome == "fault":
        return Finding("X-Ray", "fault", sent.message, where)
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
            f"Start the daemon, or correct AWS_XRAY_DAEMON_ADDRESS. {where}".rstrip(),
        )
    return Finding(
        "X-Ray",
        "warning",
        f"a span was sent to {address}, but nothing confirms that a daemon got it:"
        f" {answer.problem} (TCP)",
        "Publish the TCP port of the daemon as well (2000:2000/tcp), or look for the trace"
        f" {sent.url.rpartition('/')[2]} in the console.",
    )
