"""`python -m scenarios.release`: one release of the service, as the runner starts it.

The arguments are the name of the scenario, 1 or 0 for whether this release has its changes, the
descriptor that is written when the release serves, and the listening sockets. Standard input holds
the settings that differ from the environment, as a JSON object.
"""

import os
import sys

import msgspec

from cruddur.process import parent
from cruddur.process.application import create_application
from cruddur.process.server import run_application, server_config
from cruddur.process.signals import StoppedError, StopSignals
from cruddur.settings import Settings
from scenarios.scenario import load


def main() -> int:
    """Serve until SIGTERM, or until the runner has ended; return the exit code."""
    name, is_changed, *descriptors = sys.argv[1:]
    ready, *listeners = map(int, descriptors)
    signals = StopSignals()
    signals.install()
    parent.follow_parent(os.getppid())
    settings = Settings.from_env().overridden(msgspec.json.decode(sys.stdin.buffer.read()))
    app = create_application(settings)
    if is_changed == "1":
        load(name).extend(app)
    config = server_config([f"fd://{listener}" for listener in listeners])
    try:
        return run_application(app, config, signals, lambda: os.close(ready))
    except StoppedError:
        return 0


if __name__ == "__main__":
    sys.exit(main())
