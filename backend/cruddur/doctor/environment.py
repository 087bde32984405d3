"""Check the variables of this process: their values, their names, and whether they arrived."""

from cruddur.doctor.findings import Finding
from cruddur.settings import Settings, SettingsError, diagnosis
from cruddur.settings.library_variables import set_variables
from cruddur.telemetry.otlp import long_timeouts
from cruddur.telemetry.unused_variables import has_effect

GRPC_PORT = ":4317"


def check_values() -> list[Finding]:
    """Check that each value is what was meant: no quotation marks, no placeholder, no space."""
    return [
        Finding(
            "variables",
            "fault",
            f"{name} {problem}",
            "Set the value itself: without quotation marks in a file for --env-file, and exported"
            " before the file or the command that inserts it.",
        )
        for name, problem in diagnosis.malformed_values()
    ]


def check_names() -> list[Finding]:
    """Check that each variable has the name of a setting."""
    misspelled = dict(diagnosis.misspelled_names())
    findings = [
        Finding(
            "variables",
            "warning",
            f"{name} has no effect: it is not the name of a setting",
            f"Set {meant} instead.",
        )
        for name, meant in misspelled.items()
    ]
    findings += [
        Finding(
            "variables",
            "warning",
            f"{name} has no effect on this service",
            "Remove it, or see OTEL_* in docs/operations.md.",
        )
        for name in set_variables("OTEL_")
        if not has_effect(name) and name not in misspelled
    ]
    return findings


def check_env_file() -> list[Finding]:
    """Check that what `.env` sets is in this process."""
    if not (names := diagnosis.unset_of_env_file()):
        return []
    listed = ", ".join(names)
    if diagnosis.is_in_container():
        advice = (
            "Create the container again with `docker compose up`: Compose passes the variables of"
            " deploy/settings.yaml when it creates it."
        )
    else:
        advice = (
            "Only Docker Compose reads .env: for `make run` and `cruddur`, run"
            " `set -a; . ./.env; set +a` in the same shell."
        )
    return [
        Finding(
            "variables", "warning", f".env sets {listed}, but this process has no value", advice
        )
    ]


def read_settings() -> tuple[Settings | None, list[Finding]]:
    """Return the settings, and what is wrong with them; None if they cannot be used."""
    try:
        settings = Settings.from_env()
    except SettingsError as error:
        advice = "Correct it; docs/operations.md lists every setting."
        return None, [Finding("settings", "fault", str(error), advice)]
    findings = [Finding("settings", "warning", warning) for warning in settings.warnings]
    for variable, seconds in long_timeouts(settings).items():
        findings.append(
            Finding(
                "settings",
                "warning",
                f"{variable} is in seconds: {seconds:g} is {seconds / 3600:.1f} hours",
                "Divide it by 1000 if it was meant in milliseconds.",
            )
        )
    findings += _check_endpoints(settings)
    return settings, findings or [Finding("settings", "ok", "every variable has a valid value")]


def _check_endpoints(settings: Settings) -> list[Finding]:
    findings = [
        Finding(
            "settings",
            "fault",
            f"OTEL_EXPORTER_OTLP_ENDPOINT ends with {path}, which the service adds itself",
            f"Set the base URL, without {path}.",
        )
        for path in ("/v1/traces", "/v1/metrics", "/v1/logs")
        if settings.otlp_endpoint.rstrip("/").endswith(path)
    ]
    if settings.otlp_endpoint.rstrip("/").endswith(GRPC_PORT):
        findings.append(
            Finding(
                "settings",
                "fault",
                "OTEL_EXPORTER_OTLP_ENDPOINT has the port of OTLP over gRPC, and the service"
                " speaks OTLP over HTTP",
                "Set the port for HTTP, which is usually 4318.",
            )
        )
    return findings
