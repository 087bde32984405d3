"""cognito-local, a third-party emulator of Cognito, as a process on the loopback.

It is an npm package, used if it is installed under `.local/cognito-local`. Of the actions we
call, it lacks ResendConfirmationCode, GlobalSignOut and GetTokensFromRefreshToken, and it
reports a wrong password as InvalidPasswordException.
"""

import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

ENTRY = "node_modules/cognito-local/lib/bin/start.js"
INSTALLED = Path(__file__).parents[2] / ".local" / "cognito-local"
CODE = "123456"
START_SECONDS = 20.0


def why_not() -> str | None:
    """Return the reason why it cannot be started here, or None."""
    if shutil.which("node") is None:
        return "cognito-local needs Node.js, which is not installed"
    if not (INSTALLED / ENTRY).is_file():
        return f"cognito-local is not installed in {INSTALLED}"
    return None


class CognitoLocal:
    """One emulator with one user pool and one public client; its data is temporary."""

    def __init__(self) -> None:
        """Start the emulator and create the pool."""
        self._directory = tempfile.mkdtemp(prefix="cognito-local-")
        # It prints the configured port, so it cannot choose a free one itself.
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        with (Path(self._directory) / "output.log").open("wb") as output:
            self._process = subprocess.Popen(
                ["node", "--no-warnings", str(INSTALLED / ENTRY)],
                cwd=self._directory,
                env={
                    "PATH": os.environ["PATH"],
                    "HOST": "127.0.0.1",
                    "PORT": str(port),
                    "CODE": CODE,
                },
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            self._wait()
            pool = self._call(
                "CreateUserPool",
                PoolName="cruddur",
                UsernameAttributes=["email"],
                AutoVerifiedAttributes=["email"],
            )
            self.pool_id: str = pool["UserPool"]["Id"]
            client = self._call(
                "CreateUserPoolClient", UserPoolId=self.pool_id, ClientName="cruddur"
            )
            self.client_id: str = client["UserPoolClient"]["ClientId"]
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Stop it and delete its data."""
        self._process.terminate()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._directory, ignore_errors=True)

    def code(self, email: str) -> str:  # noqa: ARG002  # every code is the same
        """Return the latest code that was sent to an address."""
        return CODE

    def _wait(self) -> None:
        give_up_at = time.monotonic() + START_SECONDS
        while True:
            try:
                with urllib.request.urlopen(f"{self.url}/health", timeout=2):
                    return
            except (urllib.error.URLError, OSError):
                stopped = self._process.poll() is not None
                if stopped or time.monotonic() > give_up_at:
                    output = (Path(self._directory) / "output.log").read_text()
                    raise RuntimeError(f"cognito-local did not start:\n{output}") from None
            time.sleep(0.1)

    def _call(self, action: str, **fields: object) -> Any:
        request = urllib.request.Request(
            self.url,
            data=json.dumps(fields).encode(),
            headers={
                "Content-Type": "application/x-amz-json-1.1",
                "X-Amz-Target": f"AWSCognitoIdentityProviderService.{action}",
            },
        )
        with urllib.request.urlopen(request, timeout=5) as response:
            return json.load(response)
