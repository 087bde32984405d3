"""Run the command line: `python -m cruddur`."""

import os
import signal

# Set before the other imports, which take some time: a signal ends the first process of a container
# only if the process handles it.
signal.signal(signal.SIGTERM, lambda number, _: os._exit(128 + number))

from cruddur.process.runtime import exit_without_collection, importing

with importing():
    from cruddur.cli.main import main

exit_without_collection()

if __name__ == "__main__":
    main()
