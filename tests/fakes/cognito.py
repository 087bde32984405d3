"""A Cognito user pool on a loopback socket, as a public app client sees it.

It follows the API reference: action names in `X-Amz-Target`, errors as `__type` with status
400, RS256 tokens with Cognito's claims, a key set per pool. Errors reveal whether a user
exists (PreventUserExistenceErrors is LEGACY, Cognito's default for clients created through
its API), so the code under test must hide that.
"""

import asyncio
import base64
import json
import re
import secrets
import socket
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hypercorn.asyncio import serve
from hypercorn.config import Config
from jwt.algorithms import RSAAlgorithm
from quart import Quart, Response, request

# the method names are Cognito's action names

Json = dict[str, Any]
TARGET = "AWSCognitoIdentityProviderService."
ACCESS_SECONDS = 3600
TRIES = 5


class Refusal(Exception):  # noqa: N818  # named after the response
    """An error response of the pool."""

    def __init__(self, kind: str, message: str = "") -> None:
        super().__init__(kind)
        self.kind = kind
        self.message = message or kind


@dataclass
class User:
    """A user of the pool. In a pool with sign-in by address, the username is the `sub`."""

    attributes: dict[str, str]
    password: str
    sub: str = field(default_factory=lambda: str(uuid4()))
    confirmed: bool = False
    challenge: str | None = None
    code: str | None = None
    code_for: Literal["sign-up", "reset"] = "sign-up"
    wrong_codes: int = 0
    refresh_tokens: dict[str, str] = field(default_factory=dict)  # token to its family

    @property
    def email(self) -> str:
        return self.attributes["email"]


class FakeCognito:
    """One user pool with one public client; `calls` counts the calls of each action."""

    def __init__(self) -> None:
        self.pool_id = "us-east-1_Cruddur00"
        self.client_id = "3cruddurclient0000000000"
        self.kid = "pool-key-1"
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._socket_address: tuple[str, int] = ("127.0.0.1", 0)
        self._stopping: asyncio.Event | None = None
        self._serving: asyncio.Task[None] | None = None
        self.reset()

    def reset(self) -> None:
        """Remove all users and all arranged failures."""
        self.users: dict[str, User] = {}
        self.calls: Counter[str] = Counter()
        self.jwks_fetches = 0
        self.mode: Literal["answer", "hang", "fail", "html"] = "answer"
        self.rotates = False
        self.access_seconds = ACCESS_SECONDS
        self.quota: tuple[int, float] | None = None
        """How many calls are accepted in how many seconds; None: all."""
        self._accepted: deque[float] = deque()  # when the calls of these seconds were accepted
        self._refusals: dict[str, list[Refusal]] = {}
        self._owners: dict[str, str] = {}  # refresh token to `sub`

    # --- the socket -----------------------------------------------------------------

    @property
    def url(self) -> str:
        """The value for AWS_COGNITO_ENDPOINT_URL."""
        return f"http://127.0.0.1:{self._socket_address[1]}"

    @property
    def issuer(self) -> str:
        """The `iss` of the pool's tokens."""
        return f"{self.url}/{self.pool_id}"

    async def start(self) -> None:
        """Serve on a free port, or again on the previous port."""
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(self._socket_address)
        listening.listen()  # early calls wait in the backlog until the server runs
        self._socket_address = listening.getsockname()
        config = Config()
        config.bind = [f"fd://{listening.detach()}"]
        config.graceful_timeout = 0.1
        config.accesslog = config.errorlog = None
        self._stopping = asyncio.Event()
        trigger = self._stopping.wait
        self._serving = asyncio.create_task(serve(self._app(), config, shutdown_trigger=trigger))

    async def stop(self) -> None:
        """Close the socket."""
        if self._stopping and self._serving:
            self._stopping.set()
            await self._serving
        self._stopping = self._serving = None

    @asynccontextmanager
    async def unreachable(self) -> AsyncIterator[None]:
        """Stop listening while the context is open."""
        await self.stop()
        try:
            yield
        finally:
            await self.start()

    def _app(self) -> Quart:
        app = Quart("fake-cognito", static_folder=None)
        app.add_url_rule("/", "action", self._action, methods=["POST"])
        app.add_url_rule("/<pool>/.well-known/jwks.json", "jwks", self._jwks)
        return app

    async def _jwks(self, pool: str) -> Response:
        self.jwks_fetches += 1
        if (trouble := await self._trouble()) is not None:
            return trouble
        if pool != self.pool_id:
            return _json({"message": "User pool does not exist."}, 404)
        jwk = RSAAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        return _json({"keys": [{**jwk, "kid": self.kid, "alg": "RS256", "use": "sig"}]})

    async def _action(self) -> Response:
        target = request.headers.get("X-Amz-Target", "")
        action = target.removeprefix(TARGET)
        self.calls[action] += 1
        if (trouble := await self._trouble()) is not None:
            return trouble
        if request.content_type != "application/x-amz-json-1.1" or action == target:
            return _json({"__type": "UnknownOperationException"}, 400)
        body: Json = await request.get_json(force=True)
        handler: Callable[[Json], Awaitable[Json | None]] | None = getattr(self, f"_{action}", None)
        try:
            if handler is None:
                raise Refusal("UnknownOperationException")
            self._check_quota()
            if self._refusals.get(action):
                raise self._refusals[action].pop(0)
            response = await handler(body)
        except Refusal as refusal:
            return _json({"__type": refusal.kind, "message": refusal.message}, 400)
        if response is None:
            return Response(b"", content_type="application/x-amz-json-1.1")
        return _json(response)

    def _check_quota(self) -> None:
        """Refuse the call if the quota is used up."""
        if self.quota is None:
            return
        calls, seconds = self.quota
        now = time.monotonic()
        while self._accepted and self._accepted[0] <= now - seconds:
            self._accepted.popleft()
        if len(self._accepted) >= calls:
            raise Refusal("TooManyRequestsException", "Rate exceeded")
        self._accepted.append(now)

    async def _trouble(self) -> Response | None:
        if self.mode == "hang":
            # Also ends when the server stops, so that the shutdown does not wait for it.
            assert self._stopping
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), timeout=30)
        if self.mode in {"hang", "fail"}:
            return _json({"__type": "InternalErrorException", "message": "Oops"}, 500)
        if self.mode == "html":
            return Response("<h1>Welcome to the proxy</h1>", content_type="text/html")
        return None

    # --- what tests arrange and look at ---------------------------------------------

    def add(self, email: str, password: str = "Correct-horse-1", **attributes: str) -> User:
        """Add a confirmed user, as another application would."""
        user = User({"email": email, "email_verified": "true", **attributes}, password)
        user.confirmed = True
        self.users[user.sub] = user
        return user

    def user(self, name: str) -> User:
        """Return the user with an address or a `sub`."""
        found = self._find(name)
        assert found, f"the pool has no {name}"
        return found

    def code(self, email: str) -> str:
        """Return the latest code that was sent to an address."""
        code = self.user(email).code
        assert code, f"no code was sent to {email}"
        return code

    def refuse_next(self, action: str, kind: str, message: str = "") -> None:
        """Return this error from the next call of an action."""
        self._refusals.setdefault(action, []).append(Refusal(kind, message))

    def access_token(self, user: User, **claims: Any) -> str:
        """Return an access token of the pool; `claims` replace its own, None removes one."""
        return self.sign(self.access_claims(user, **claims))

    def access_claims(self, user: User, **claims: Any) -> Json:
        """Return the claims of an access token."""
        now = int(time.time())
        made = {
            "sub": user.sub,
            "iss": self.issuer,
            "client_id": self.client_id,
            "event_id": str(uuid4()),
            "token_use": "access",
            "scope": "aws.cognito.signin.user.admin",
            "auth_time": now,
            "exp": now + self.access_seconds,
            "iat": now,
            "jti": str(uuid4()),
            "username": user.sub,
            **claims,
        }
        return {name: value for name, value in made.items() if value is not None}

    def id_token(self, user: User) -> str:
        """Return an id token of the pool, which is not valid for APIs."""
        now = int(time.time())
        return self.sign(
            {
                **user.attributes,
                "sub": user.sub,
                "iss": self.issuer,
                "aud": self.client_id,
                "cognito:username": user.sub,
                "event_id": str(uuid4()),
                "token_use": "id",
                "auth_time": now,
                "exp": now + self.access_seconds,
                "iat": now,
                "jti": str(uuid4()),
            }
        )

    def sign(self, claims: Json, **header: Any) -> str:
        """Sign a JWT with the pool's key."""
        return jwt.encode(claims, self.key, algorithm="RS256", headers={"kid": self.kid, **header})

    def forge(self, claims: Json, algorithm: Literal["HS256", "none"]) -> str:
        """Return a JWT forged by an attacker who knows only the pool's public key."""
        if algorithm == "none":
            return jwt.encode(claims, "", algorithm="none", headers={"kid": self.kid})
        # Written by hand, because PyJWT refuses to sign with a public key.
        public = self.key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        hmac = jwt.get_algorithm_by_name("HS256")
        head, payload, _ = jwt.encode(
            claims, "x" * 32, algorithm="HS256", headers={"kid": self.kid}
        ).split(".")
        signature = hmac.sign(f"{head}.{payload}".encode(), public)
        return f"{head}.{payload}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"

    # --- the actions ----------------------------------------------------------------

    async def _SignUp(self, body: Json) -> Json:
        self._check_client(body)
        username = body["Username"]
        if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s.]+", username) or len(username) > 128:
            raise Refusal("InvalidParameterException", "Username should be an email.")
        _check_password(body["Password"], "password")
        if self._find(username):
            raise Refusal("UsernameExistsException", "An account with the email already exists.")
        attributes = {item["Name"]: item["Value"] for item in body["UserAttributes"]}
        user = User({**attributes, "email": username}, body["Password"])
        self.users[user.sub] = user
        _send_code(user, "sign-up")
        return {"UserConfirmed": False, "UserSub": user.sub, "CodeDeliveryDetails": _delivery(user)}

    async def _ConfirmSignUp(self, body: Json) -> Json:
        self._check_client(body)
        user = self._existing(body["Username"])
        if user.confirmed:
            raise Refusal(
                "NotAuthorizedException", "User cannot be confirmed. Current status is CONFIRMED"
            )
        _check_code(user, "sign-up", body["ConfirmationCode"])
        user.confirmed, user.attributes["email_verified"] = True, "true"
        return {}

    async def _ResendConfirmationCode(self, body: Json) -> Json:
        self._check_client(body)
        user = self._existing(body["Username"])
        if user.confirmed:
            raise Refusal("InvalidParameterException", "User is already confirmed.")
        _send_code(user, "sign-up")
        return {"CodeDeliveryDetails": _delivery(user)}

    async def _InitiateAuth(self, body: Json) -> Json:
        self._check_client(body)
        parameters = body["AuthParameters"]
        if body["AuthFlow"] == "REFRESH_TOKEN_AUTH":
            if self.rotates:
                message = "REFRESH_TOKEN_AUTH flow not enabled for this client"
                raise Refusal("InvalidParameterException", message)
            user, family = self._of_refresh_token(parameters["REFRESH_TOKEN"])
            return self._authenticated(user, family)
        if body["AuthFlow"] != "USER_PASSWORD_AUTH":
            raise Refusal("InvalidParameterException", "Unknown auth flow")
        user = self._existing(parameters["USERNAME"])
        if user.password != parameters["PASSWORD"]:
            raise Refusal("NotAuthorizedException", "Incorrect username or password.")
        if not user.confirmed:
            raise Refusal("UserNotConfirmedException", "User is not confirmed.")
        if user.challenge:
            return {
                "ChallengeName": user.challenge,
                "ChallengeParameters": {"USER_ID_FOR_SRP": user.sub},
                "Session": secrets.token_urlsafe(32),
            }
        family = str(uuid4())
        return self._authenticated(user, family, self._new_refresh_token(user, family))

    async def _GetTokensFromRefreshToken(self, body: Json) -> Json:
        self._check_client(body)
        token = body["RefreshToken"]
        user, family = self._of_refresh_token(token)
        if not self.rotates:
            return self._authenticated(user, family)
        del user.refresh_tokens[token]
        return self._authenticated(user, family, self._new_refresh_token(user, family))

    async def _RevokeToken(self, body: Json) -> None:
        self._check_client(body)
        user = self.users.get(self._owners.get(body["Token"], ""))
        if user is not None:
            user.refresh_tokens.pop(body["Token"], None)

    async def _ForgotPassword(self, body: Json) -> Json:
        self._check_client(body)
        user = self._existing(body["Username"])
        if not user.confirmed:
            raise Refusal(
                "InvalidParameterException",
                "Cannot reset password for the user as there is no registered/verified email",
            )
        _send_code(user, "reset")
        return {"CodeDeliveryDetails": _delivery(user)}

    async def _ConfirmForgotPassword(self, body: Json) -> Json:
        self._check_client(body)
        user = self._existing(body["Username"])
        _check_password(body["Password"], "password")
        _check_code(user, "reset", body["ConfirmationCode"])
        user.password = body["Password"]
        return {}

    async def _GlobalSignOut(self, body: Json) -> Json:
        user = self._signed_in(body)
        user.refresh_tokens.clear()
        return {}

    async def _GetUser(self, body: Json) -> Json:
        user = self._signed_in(body)
        attributes = {"sub": user.sub, **user.attributes}
        return {
            "Username": user.sub,
            "UserAttributes": [{"Name": k, "Value": v} for k, v in attributes.items()],
        }

    async def _ChangePassword(self, body: Json) -> None:
        user = self._signed_in(body)
        if user.password != body["PreviousPassword"]:
            raise Refusal("NotAuthorizedException", "Incorrect username or password.")
        _check_password(body["ProposedPassword"], "proposedPassword")
        user.password = body["ProposedPassword"]

    async def _DeleteUser(self, body: Json) -> None:
        user = self._signed_in(body)
        del self.users[user.sub]

    # --- what they share --------------------------------------------------------------

    def _check_client(self, body: Json) -> None:
        if body.get("ClientId") != self.client_id:
            raise Refusal("ResourceNotFoundException", "User pool client does not exist.")

    def _find(self, name: str) -> User | None:
        """Ignores the case of addresses, as pools created in the console do."""
        if name in self.users:
            return self.users[name]
        return next((u for u in self.users.values() if u.email.lower() == name.lower()), None)

    def _existing(self, name: str) -> User:
        user = self._find(name)
        if user is None:
            raise Refusal("UserNotFoundException", "User does not exist.")
        return user

    def _new_refresh_token(self, user: User, family: str) -> str:
        token = secrets.token_urlsafe(48)
        user.refresh_tokens[token] = family
        self._owners[token] = user.sub
        return token

    def _of_refresh_token(self, token: str) -> tuple[User, str]:
        user = self.users.get(self._owners.get(token, ""))
        if user is None:
            raise Refusal("NotAuthorizedException", "Invalid Refresh Token")
        if token not in user.refresh_tokens:
            raise Refusal("NotAuthorizedException", "Refresh Token has been revoked")
        return user, user.refresh_tokens[token]

    def _authenticated(self, user: User, family: str, refresh_token: str | None = None) -> Json:
        result = {
            "AccessToken": self.access_token(user, origin_jti=family),
            "IdToken": self.id_token(user),
            "ExpiresIn": self.access_seconds,
            "TokenType": "Bearer",
        }
        if refresh_token is not None:
            result["RefreshToken"] = refresh_token
        return {"AuthenticationResult": result, "ChallengeParameters": {}}

    def _signed_in(self, body: Json) -> User:
        """Return the user of a valid access token whose family has not been revoked."""
        try:
            claims: Json = jwt.decode(
                body["AccessToken"], self.key.public_key(), algorithms=["RS256"]
            )
        except jwt.PyJWTError:
            raise Refusal("NotAuthorizedException", "Invalid Access Token") from None
        if "aws.cognito.signin.user.admin" not in claims.get("scope", ""):
            raise Refusal("NotAuthorizedException", "Access Token does not have required scopes")
        user = self.users.get(claims["sub"])
        if user is None:
            raise Refusal("UserNotFoundException", "User does not exist.")
        if "origin_jti" in claims and claims["origin_jti"] not in user.refresh_tokens.values():
            raise Refusal("NotAuthorizedException", "Access Token has been revoked")
        return user


def _json(body: Any, status: int = 200) -> Response:
    return Response(json.dumps(body), status=status, content_type="application/x-amz-json-1.1")


def _check_password(password: str, name: str) -> None:
    if password != password.strip():
        raise Refusal(
            "InvalidParameterException",
            f"1 validation error detected: Value at '{name}' failed to satisfy constraint:"
            " Member must satisfy regular expression pattern: ^[\\S]+.*[\\S]+$",
        )
    if not re.search(r"[A-Z]", password):
        raise Refusal(
            "InvalidPasswordException",
            "Password did not conform with policy: Password must have uppercase characters",
        )


def _send_code(user: User, what: Literal["sign-up", "reset"]) -> None:
    user.code, user.code_for, user.wrong_codes = f"{secrets.randbelow(10**6):06}", what, 0


def _check_code(user: User, what: Literal["sign-up", "reset"], code: str) -> None:
    if user.wrong_codes >= TRIES:
        raise Refusal("TooManyFailedAttemptsException", "Too many failed attempts")
    if user.code is None or user.code_for != what:
        raise Refusal("ExpiredCodeException", "Invalid code provided, please request a code again.")
    if user.code != code:
        user.wrong_codes += 1
        raise Refusal("CodeMismatchException", "Invalid verification code provided")
    user.code = None


def _delivery(user: User) -> Json:
    return {
        "AttributeName": "email",
        "DeliveryMedium": "EMAIL",
        "Destination": f"{user.email[0]}***@{user.email[user.email.index('@') + 1]}***",
    }
