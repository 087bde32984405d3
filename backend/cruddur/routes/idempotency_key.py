"""The `Idempotency-Key` of the request at hand."""

import re

import msgspec
from quart import request

from cruddur.errors import InvalidError
from cruddur.identity.viewer import Claimant, proven
from cruddur.routes.endpoint import resources
from cruddur.services.idempotency import IdempotentCall

_KEY = re.compile(r"[\x21-\x7e]{1,128}")


def idempotent_call(member: Claimant | str, body: msgspec.Struct) -> IdempotentCall | None:
    """The keyed call that this request is; None without a key.

    `member` is whose key it is, by e-mail address who is none yet. Bodies are compared by what
    they say, not by their bytes.

    Raises:
        UnauthenticatedError: the member is but a claimant: a kept answer is given without the
            statement that would find out.
        InvalidError: idempotency_key_invalid, not 1 to 128 visible ASCII characters.
    """
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if not _KEY.fullmatch(key):
        raise InvalidError("idempotency_key_invalid")
    return IdempotentCall(
        member=member if isinstance(member, str) else str(proven(member).uuid),
        route=request.path.lower(),  # a uuid or handle in capitals is the same one
        key=key,
        body=msgspec.json.encode(body),
        secrets=resources().keys.secrets("idempotency keys"),
    )
