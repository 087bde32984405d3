"""Run the checks of `cruddur doctor`, and print what they find."""

import logging
import os

from cruddur.cli import signals
from cruddur.doctor.examination import examine
from cruddur.doctor.report import as_json, as_text


def run(*, is_json: bool) -> int:
    """Print the findings; return 1 if there is a fault, else 0."""
    logging.getLogger().addHandler(logging.NullHandler())  # the findings say what failed
    return signals.run(_run(is_json=is_json))


async def _run(*, is_json: bool) -> int:
    examination = await examine()
    findings = examination.findings
    print(as_json(findings) if is_json else as_text(findings), flush=True)
    code = int(any(finding.outcome == "fault" for finding in findings))
    if not examination.is_complete:
        os._exit(code)  # a thread may be resolving a host name, for longer than anyone waits
    return code
