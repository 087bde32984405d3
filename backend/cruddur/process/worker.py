"""`python -m cruddur.process.worker`: one worker, as the supervisor starts it.

The arguments are file descriptors: the socket to the supervisor, then the listening sockets.
Standard input holds the settings that differ from the environment, as a JSON object.
"""

import asyncio
import os
import socket
import sys

from cruddur.process.runtime import exit_without_collection, importing

with importing():
    import msgspec

    from cruddur.process.server import run_worker, server_config
    from cruddur.process.signals import StoppedError, StopSignals
    from cruddur.process.supervisor import SERVING
    from cruddur.process.tls import ServerCertificate
    from cruddur.settings import Settings


def main() -> int:
    """Serve until SIGTERM, or until the supervisor has ended; return the exit code."""
    exit_without_collection()
    descriptor, *listeners = map(int, sys.argv[1:])
    signals = StopSignals()
    signals.install()
    settings = Settings.from_env().overridden(msgspec.json.decode(sys.stdin.buffer.read()))
    with socket.socket(fileno=descriptor) as supervisor:

        def start_serving() -> None:
            supervisor.sendall(SERVING)
            # The socket is readable at end of file. A worker without a supervisor would keep the
            # port in use.
            asyncio.get_running_loop().add_reader(supervisor, os._exit, 1)

        config = server_config(
            [f"fd://{listener}" for listener in listeners],
            ServerCertificate.from_settings(settings),
        )
        try:
            return run_worker(settings, config, signals, start_serving)
        except StoppedError:
            return 0


if __name__ == "__main__":
    sys.exit(main())
