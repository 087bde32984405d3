"""`python -m cruddur.process.worker`: one worker of the supervisor, which starts it.

Its arguments are file descriptors: the socket to the supervisor, then the listening sockets.
"""

import asyncio
import os
import socket
import sys

from cruddur.process.server import run_worker, server_config
from cruddur.process.signals import StoppedError, StopSignals
from cruddur.process.supervisor import SERVING


def main() -> int:
    """Serve until SIGTERM, or until the supervisor is gone; return the exit code."""
    descriptor, *listeners = map(int, sys.argv[1:])
    signals = StopSignals()
    signals.install()
    with socket.socket(fileno=descriptor) as supervisor:

        def start_serving() -> None:
            supervisor.sendall(SERVING)
            # The end of the stream. A worker whose supervisor was killed would hold the port.
            asyncio.get_running_loop().add_reader(supervisor, os._exit, 1)

        config = server_config([f"fd://{listener}" for listener in listeners])
        try:
            return run_worker(config, signals, start_serving)
        except StoppedError:
            return 0


if __name__ == "__main__":
    sys.exit(main())
