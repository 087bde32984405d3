"""cognito-local, a third-party emulator of Cognito, as a process on the loopback.

It is an npm package, used if it is installed under `.local/cognito-local`. Of the actions we
call, it lacks ResendConfirmationCode, GlobalSignOut and GetTokensFromRefreshToken, and it
reports a wrong password as InvalidPasswordException.
"""

import json
import os
import shutil
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from support import free_port

ENTRY = "node_modules/cognito-local/lib/bin/start.js"
INSTALLED = Path(__file__).parents[2] / ".local" / "cognito-local"
CODE = "123456"


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
        port = free_port()  # it prints the configured port, so it cannot choose a free one itself
        self.url = f"http://127.0.0.1:{port}"
        self._log = Path(self._directory) / "output.log"
        with self._log.open("wb") as output:
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
        """Wait until it listens or has failed, however busy the machine is."""
        while "Cognito Local running" not in (output := self._log.read_text()):
            if self._process.poll() is not None:
                raise RuntimeError(f"cognito-local did not start:\n{output}")
            time.sleep(0.02)

    def _call(self, action: str, **fields: object) -> Any:
        request = urllib.request.Request(
            self.url,
            data=json.dumps(fields).encode(),
            headers={
                "Content-Type": "application/x-amz-json-1.1",
                "X-Amz-Target": f"AWSCognitoIdentityProviderService.{action}",
            },
        )
        with urllib.request.urlopen(request, timeout=60) as response:
            return json.load(response)
