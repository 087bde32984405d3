"""Run every command block of README.md literally, on a clean clone: `make readme-check`.

Blocks of the kinds `console` (lines that begin with `$ `) and `sh` are run in their order by one
shell, so that variables carry over. Containers are tested if an engine is found. It uses only
Python's standard library; the commands install the rest, as they do for a new user.
"""

import contextlib
import os
import pty
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]

SECONDS = 1200.0
"""Maximum duration of one command in seconds: the first one installs everything."""

PORTS = (3000, 4318, 4567)
"""The ports that the README names."""

CODE = "<the code>"
"""The placeholder for the code that a newcomer reads in the terminal of `make run`."""

# `.ci/run` runs these two before this check; running them here would take the same time again.
RUN_BY_CI = {"make check", "make test"}


class CheckError(Exception):
    """A command of the README does not do what the README says."""


def blocks(text: str) -> list[list[str]]:
    """Return the commands of each block, in order.

    Args:
        text: the README.
    """
    found = []
    for kind, body in re.findall(r"^```(console|sh)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        lines = body.splitlines()
        if kind == "console":
            lines = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
        found.append(commands(lines))
    return found


def commands(lines: list[str]) -> list[str]:
    """Join lines into complete shell commands."""
    found, begun = [], ""
    for line in lines:
        begun = f"{begun}\n{line}" if begun else line
        if not line.endswith("\\") and _parses(begun):
            found.append(begun)
            begun = ""
    if begun:
        raise CheckError(f"README.md: an incomplete command: {begun}")
    return found


def _parses(command: str) -> bool:
    done = subprocess.run(
        ["bash", "-n"], input=command, text=True, capture_output=True, check=False
    )
    return done.returncode == 0


def bare(command: str) -> str:
    """Return a command without its comment and its trailing space."""
    return re.sub(r"\s+#.*$", "", command).strip()


class Shell:
    """A bash that runs commands one after the other in a directory.

    Args:
        folder: where it works.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # An error response of the API fails the command; plain curl would only print it.
        (folder.parent / ".curlrc").write_text("fail-with-body\nsilent\nshow-error\n")
        environment = os.environ | {"CURL_HOME": str(folder.parent)}
        self.process = subprocess.Popen(
            ["bash"], cwd=folder, env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def run(self, command: str) -> str:
        """Run a command and return what it printed. Raises CheckError if it fails."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        mark = f"done-{time.monotonic_ns()}"
        # The group must not read the input that is sent to the shell after it.
        group = f"set -o pipefail; {{ {command}\n}} </dev/null; __status=$?"
        self.process.stdin.write(f"{group}; echo; echo {mark} $__status\n")
        self.process.stdin.flush()
        output = []
        while line := self.process.stdout.readline():
            if line.startswith(mark):
                text = "".join(output)
                if line.split()[1] != "0":
                    raise CheckError(f"{command}\n{text[-6000:]}")
                return text
            output.append(line)
        raise CheckError(f"the shell ended: {command}\n{''.join(output)[-6000:]}")


class Background:
    """A command that runs until it is stopped, such as `make run`, in a terminal of its own.

    Args:
        command: run by bash, in a process group of its own.
        folder: where.
    """

    def __init__(self, command: str, folder: Path) -> None:
        self.command = command
        self._screen = bytearray()
        self._terminal, end = pty.openpty()
        self.process = subprocess.Popen(
            ["bash", "-c", command], cwd=folder, start_new_session=True,
            stdin=end, stdout=end, stderr=end,
        )  # fmt: skip
        os.close(end)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        with contextlib.suppress(OSError):  # the terminal is gone when all its programs are
            while data := os.read(self._terminal, 65536):
                self._screen += data

    def output(self) -> str:
        """Return the output up to now, without control sequences."""
        text = bytes(self._screen).decode(errors="replace").replace("\r\n", "\n")
        return re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", text)

    def until(self, holds: Callable[[], bool]) -> None:
        """Wait until a condition holds. Raises CheckError if the command ends before."""
        deadline = time.monotonic() + SECONDS
        while not holds():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise CheckError(f"{self.command}: {self.output()[-6000:]}")
            time.sleep(0.2)

    def stop(self) -> None:
        """Stop the command with Ctrl-C. Raises CheckError if it does not end."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGINT)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            raise CheckError(f"{self.command} does not end on Ctrl-C") from None


class Newcomer:
    """A newcomer who follows the README from its first command to its last.

    Args:
        folder: the clone.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.shell = Shell(folder)
        self.service: Background | None = None
        self.has_engine = _succeeds("docker", "info")

    def follow(self, text: str) -> None:
        """Run all commands of the README."""
        for block in blocks(text):
            for command in block:
                print(f"$ {command}", flush=True)
                self.follow_command(command, text)
        self.stop_service()

    def follow_command(self, command: str, text: str) -> None:
        name = bare(command)
        if name in RUN_BY_CI:
            print("  (run by .ci/run)")
        elif name == "make run":
            self.start_service(text)
        elif name.startswith("make run EXTRAS="):
            self.run_with_sinks(command)
        elif name.startswith("export "):
            self.shell.run(command)
        elif name.startswith("docker ") or name == "make images":
            self.run_in_containers(name)
        elif name.startswith("curl -N "):
            self.listen(command)
        else:
            self.need_service(text)
            output = self.shell.run(
                command.replace(CODE, self.code()) if CODE in command else command
            )
            if not output.strip() and not re.match(r"\w+=", command):
                raise CheckError(f"{command} prints nothing")

    # --- make run -------------------------------------------------------------------------

    def need_service(self, text: str) -> None:
        if self.service is None:
            self.start_service(text)

    def start_service(self, readme: str) -> None:
        """Run `make run`, and compare what it prints with what the README shows."""
        self.stop_service()
        self.service = Background("make run", self.folder)
        self.service.until(lambda: _answers("http://localhost:4567/api/ready"))
        shown = re.search(r"\$ make run\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)
        assert shown is not None
        labels = [line.split()[0] for line in shown[1].splitlines()]
        text = self.service.output()
        # npm may print a spinner before the first line.
        if missing := [label for label in labels if not re.search(rf"{label} +\S", text)]:
            raise CheckError(f"make run does not print {', '.join(missing)}:\n{text}")
        for url in re.findall(r"http://localhost:\d+/?\S*", shown[1]):
            if not _answers(url):
                raise CheckError(f"{url} does not answer")

    def stop_service(self) -> None:
        if self.service is not None:
            self.service.stop()
            self.service = None
            _wait_for_ports()

    def code(self) -> str:
        """Return the newest confirmation code in the terminal of `make run`."""
        assert self.service is not None
        found: list[str] = []

        def is_there() -> bool:
            found[:] = re.findall(r"confirmation code for \S+: (\d{6})", self.service.output())
            return bool(found)

        self.service.until(is_there)
        return found[-1]

    def listen(self, command: str) -> None:
        """Run a stream until its first bytes arrive."""
        variables = self.shell.run("declare -p auth").strip()
        stream = Background(f"{variables}\n{command}", self.folder)
        try:
            stream.until(lambda: bool(stream.output().strip()))
        finally:
            stream.stop()

    def run_with_sinks(self, command: str) -> None:
        """Run the service with the sinks that the exported variables name, without a network.

        The variables hold placeholders, so nothing may leave this machine: the service runs in
        a network namespace of its own.
        """
        self.stop_service()
        if not _succeeds("unshare", "--net", "true"):
            print("  (skipped: no network namespace can be made here)")
            return
        extras = re.findall(r"\w+", command.partition("EXTRAS=")[2].partition("#")[0])
        self.shell.run(f"make {' '.join(f'.venv/.{extra}' for extra in extras)}")
        variables = self.shell.run("export -p")
        service = Background(
            f"{variables}\nunshare --net bash -c 'ip link set lo up && {bare(command)}'",
            self.folder,
        )  # fmt: skip
        try:
            service.until(lambda: "Ctrl-C" in service.output())
            line = next(one for one in service.output().splitlines() if one.startswith("Telemetry"))
            for sink in ("Honeycomb", "X-Ray", "Rollbar", "CloudWatch"):
                if sink.lower() not in line.lower():
                    raise CheckError(f"{sink} is not among the sinks: {line}")
        finally:
            service.stop()

    # --- containers -----------------------------------------------------------------------

    def run_in_containers(self, name: str) -> None:
        self.stop_service()
        if not self.has_engine:
            print("  (skipped: no container engine is running)")
        elif name == "docker compose up":
            self.compose_up()
        else:
            self.shell.run(name)

    def compose_up(self) -> None:
        """Run `docker compose up`, open the addresses of the README, and remove everything."""
        if os.getuid() != 1000:  # .env.example requires the owner of the files to be set
            owner = f"UID={os.getuid()}\nGID={os.getgid()}\n"
            (self.folder / ".env").write_text(owner)
        compose = Background("docker compose up", self.folder)
        try:
            for port in PORTS:
                compose.until(lambda: _answers(f"http://localhost:{port}/"))  # noqa: B023  # called at once
        finally:
            compose.stop()
            self.shell.run("docker compose down --volumes")
            (self.folder / ".env").unlink(missing_ok=True)


def _answers(url: str) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=10) as response:
            return bool(response.status == 200)
    except urllib.error.HTTPError as error:
        return error.code == 404  # the API without its page
    except OSError:
        return False


def _succeeds(*command: str) -> bool:
    if shutil.which(command[0]) is None:
        return False
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def _wait_for_ports() -> None:
    deadline = time.monotonic() + 30
    while not all(map(_is_free, PORTS)):
        if time.monotonic() > deadline:
            raise CheckError(f"one of the ports {PORTS} is still in use")
        time.sleep(0.1)


@contextlib.contextmanager
def clean_clone() -> Iterator[Path]:
    """Yield a clone of the last commit, in a folder that is removed at the end."""
    with tempfile.TemporaryDirectory(prefix="cruddur-readme-") as folder:
        clone = Path(folder, "cruddur")
        subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
        yield clone


def main() -> None:
    """Follow the README; exit code 1 and one message if a command fails."""
    if busy := [port for port in PORTS if not _is_free(port)]:
        sys.exit(f"the README's ports are in use: {busy}")
    start = time.monotonic()
    with clean_clone() as clone:
        newcomer = Newcomer(clone)
        try:
            newcomer.follow((clone / "README.md").read_text("utf-8"))
        except CheckError as error:
            with contextlib.suppress(CheckError):
                newcomer.stop_service()
            sys.exit(f"FAILED  {error}")
        finally:
            newcomer.shell.process.kill()
    print(f"every command of README.md works: {time.monotonic() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main()
