"""From the `Authorization` header to a Viewer."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from uuid import UUID
from weakref import WeakKeyDictionary

from cruddur.db import users as db
from cruddur.db.pool import Database
from cruddur.errors import UnauthenticatedError, UnavailableError
from cruddur.identity.provider import Attributes
from cruddur.identity.provisioning import provision_user
from cruddur.identity.tokens import Claims, Verifier
from cruddur.identity.viewer import Claimant, Viewer

logger = logging.getLogger(__name__)

Describe = Callable[[Claims, str], Awaitable[Attributes]]
"""What an issuer knows of the person of these claims and this access token."""


class Authenticator:
    """Answers who is asking.

    A person with a token of another issuer is entered in our table on first sight;
    people with local accounts are there from the moment they confirm.
    """

    def __init__(
        self,
        database: Database,
        verifier: Verifier,
        describers: Mapping[str, Describe],
        demo_handle: str,
    ) -> None:
        """`describers` are the other issuers', by name; `demo_handle` is who asks when
        nobody says who does, and usually empty: nobody."""
        self._database = database
        self._verifier = verifier
        self._describers = describers
        self._demo_handle = demo_handle.lower()
        # For as long as the verifier remembers the token.
        self._people: WeakKeyDictionary[Claims, UUID] = WeakKeyDictionary()

    def account(self, header: str) -> str | None:
        """Name the account of a token that was verified before; None for any other header.

        The session may have ended meanwhile, so the account may be counted for a request, and not
        be allowed anything.
        """
        try:
            claims = self._verifier.known(_bearer_token(header))
        except UnauthenticatedError:
            return None
        return None if claims is None else f"{claims.issuer} {claims.subject}"

    async def claim(self, header: str | None) -> Claimant:
        """Who this header says is asking: the viewer, or a claimant where the same token had
        one before, which asks the database for nothing.

        Raises:
            UnauthenticatedError, UnavailableError: as `require` says.
        """
        if header is None:
            return await self.require(header)
        token = _bearer_token(header)
        claims = await self._verifier.verify(token)
        user_uuid = self._people.get(claims)
        if user_uuid is not None:
            return Claimant(user_uuid, claims.session_uuid)
        return await self._look_up(claims, token)

    async def require(self, header: str | None) -> Viewer:
        """The viewer of this header.

        Raises:
            UnauthenticatedError: no header, or no good token in it.
            UnavailableError: it cannot be known at the moment.
        """
        if header is None and self._demo_handle:
            return await self._demo_viewer()
        token = _bearer_token(header)
        return await self._look_up(await self._verifier.verify(token), token)

    async def recognise(self, header: str | None) -> Viewer | None:
        """The viewer if there is one; a token that is not good counts as none."""
        if header is None and not self._demo_handle:
            return None
        try:
            return await self.require(header)
        except (UnauthenticatedError, UnavailableError):
            return None

    async def _look_up(self, claims: Claims, token: str) -> Viewer:
        async with self._database.connection() as conn:
            known = await db.select_viewer(
                conn,
                issuer=claims.issuer,
                subject=claims.subject,
                session_uuid=claims.session_uuid,
            )
        if known is not None:
            if not known.session_is_open:
                raise UnauthenticatedError
            return self._viewer(known, claims, token)
        return await self._first_sight(claims, token)

    async def _first_sight(self, claims: Claims, token: str) -> Viewer:
        describe = self._describers.get(claims.issuer)
        if describe is None:
            raise UnauthenticatedError  # one of ours, whose account was deleted
        attributes = await describe(claims, token)
        async with self._database.transaction() as conn:
            known = await provision_user(
                conn, issuer=claims.issuer, subject=claims.subject, attributes=attributes
            )
        if known is None:
            raise UnauthenticatedError
        return self._viewer(known, claims, token)

    def _viewer(self, known: db.KnownUser, claims: Claims, token: str) -> Viewer:
        """The viewer, whose next claim needs no look at the database."""
        self._people[claims] = known.uuid
        return Viewer(
            uuid=known.uuid,
            session_uuid=claims.session_uuid,
            handle=known.handle,
            issuer=claims.issuer,
            subject=claims.subject,
            access_token=token,
            access_ends_at=claims.ends_at,
        )

    async def _demo_viewer(self) -> Viewer:
        async with self._database.connection() as conn:
            known = await db.select_viewer_by_handle(conn, handle=self._demo_handle)
        if known is None:
            logger.error("CRUDDUR_DEMO_HANDLE names nobody: %s", self._demo_handle)
            raise UnauthenticatedError
        return Viewer(
            uuid=known.uuid,
            session_uuid=None,
            handle=known.handle,
            issuer=known.issuer,
            subject=known.subject,
            access_token="",
        )


def holds_token(header: str | None) -> bool:
    """Return whether a header holds a JWT, valid or not.

    The published front ends send `Bearer null` after a sign-out.
    """
    return header is not None and header.count(".") == 2


def _bearer_token(header: str | None) -> str:
    """The token of `Bearer <token>`; the scheme's case does not matter (RFC 9110)."""
    parts = (header or "").split(" ")
    if len(parts) != 2 or parts[0].lower() != "bearer" or not parts[1]:
        raise UnauthenticatedError
    return parts[1]
