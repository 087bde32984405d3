"""Run the command line: `python -m cruddur`."""

import os
import signal

# Before the other imports, which take a while: the first process of a container ends only by a
# signal that it handles.
signal.signal(signal.SIGTERM, lambda number, _: os._exit(128 + number))

from cruddur.cli.main import main

if __name__ == "__main__":
    main()
