"""Routes for API tokens. No API token may use them."""

from uuid import UUID

from cruddur.identity.viewer import Viewer
from cruddur.routes.endpoint import ApiBlueprint, client_address
from cruddur.services import api_tokens as service
from cruddur.services.unit_of_work import Reading, Transaction, Writing
from cruddur.wire import ApiToken, ApiTokenDraft, ApiTokenRevoked, NewApiToken

api_tokens = ApiBlueprint("api_tokens")


@api_tokens.handle(
    "POST",
    "/api/auth/tokens",
    summary="Create an API token",
    rate="account",
    errors={422: ["too_many_tokens"]},
)
async def create(conn: Transaction, viewer: Viewer, body: ApiTokenDraft) -> NewApiToken:
    """A token for programs, which is sent like an access token: `Authorization: Bearer cruddur_…`.
    The scope `read` lets it read lists and profiles, `write` post, react and change the profile,
    and `message` read and send messages. Only this response contains the token."""
    return await service.create(conn, viewer, body, client_address())


@api_tokens.handle("GET", "/api/auth/tokens", summary="The viewer's API tokens")
async def tokens(conn: Reading, viewer: Viewer) -> list[ApiToken]:
    """The newest token is first. Expired tokens are not listed."""
    return await service.tokens(conn, viewer)


@api_tokens.handle(
    "DELETE",
    "/api/auth/tokens/<uuid:uuid>",
    summary="Revoke an API token",
    rate="account",
    errors={404: ["not_found"]},
)
async def revoke(conn: Writing, viewer: Viewer, uuid: UUID) -> ApiTokenRevoked:
    """The token is rejected with the next request, and its streams end."""
    return await service.revoke(conn, viewer, uuid)
