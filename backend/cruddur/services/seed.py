"""Fill an empty database with sample users, cruds and messages."""

from datetime import timedelta
from uuid import UUID, uuid4

from cruddur.db import accounts as accounts_db
from cruddur.db import activities as activities_db
from cruddur.db import reactions as reactions_db
from cruddur.db import users as users_db
from cruddur.db.statements import Connection
from cruddur.identity.passwords import hash_password
from cruddur.identity.tokens import ISSUER
from cruddur.identity.viewer import Viewer
from cruddur.services import messages, text
from cruddur.wire import MessageDraft

PASSWORD = "here-today-gone-tomorrow"  # noqa: S105  # documented, for development only
"""The password of all sample users; their addresses are <handle>@example.com."""

PEOPLE = {
    "andrewbrown": "Andrew Brown",
    "altbrown": "Alt Brown",
    "bayko": "Andrew Bayko",
    "londo": "Londo Mollari",
}
LIFETIME = timedelta(days=10)
CONVERSATION = (
    ("bayko", "Did you see that posts here have an end?"),
    ("andrewbrown", "I did. I wrote one just to watch it go."),
    ("bayko", "And?"),
    ("andrewbrown", "Gone on the second. The replies went with it."),
    ("bayko", "So this chat is all that is left of it."),
    ("andrewbrown", "Messages stay. Somebody has to remember."),
)


async def seed(conn: Connection) -> bool:
    """Fill an empty database in the caller's transaction. Returns False if it is not empty."""
    await users_db.lock_users(conn)
    if await users_db.any_user(conn):
        return False
    password_hash = await hash_password(PASSWORD)
    viewers = {
        handle: await _create_user(conn, handle, name, password_hash)
        for handle, name in PEOPLE.items()
    }
    first = await _post_crud(conn, viewers["andrewbrown"], "This was imported as seed data!")
    other = await _post_crud(conn, viewers["altbrown"], "I am the other! #cruddur")
    await _reply(conn, viewers["londo"], first, "Even empires expire. #cruddur")
    await _reply(conn, viewers["bayko"], first, "@andrewbrown and it shows how long it has left")
    await _reply(conn, viewers["andrewbrown"], other, "We know.")
    for handle, crud in (
        ("altbrown", first),
        ("bayko", first),
        ("londo", first),
        ("andrewbrown", other),
    ):
        await reactions_db.insert_like(conn, uuid=crud, viewer=viewers[handle])
    await reactions_db.insert_repost(conn, uuid=first, viewer=viewers["londo"])
    await _send_messages(conn, viewers)
    return True


async def _create_user(conn: Connection, handle: str, name: str, password_hash: str) -> Viewer:
    uuid = uuid4()
    email = f"{handle}@example.com"
    created = await users_db.insert_user(
        conn,
        uuid=uuid,
        issuer=ISSUER,
        subject=str(uuid),
        handle=handle,
        display_name=name,
        email=email,
    )
    if created is None:
        raise RuntimeError(f"the handle {handle} is taken in an empty database")
    await accounts_db.insert_account(conn, user_uuid=uuid, email=email, password_hash=password_hash)
    return Viewer(
        uuid=uuid,
        session_uuid=None,
        handle=handle,
        issuer=ISSUER,
        subject=str(uuid),
        access_token="",
    )


async def _post_crud(conn: Connection, author: Viewer, message: str) -> UUID:
    crud = await activities_db.insert_activity(
        conn,
        viewer=author,
        message=message,
        lifetime=LIFETIME,
        tags=text.tags(message),
        mentions=text.mentions(message),
        link=None,
    )
    if crud is None:
        raise RuntimeError(f"the user {author.handle} does not exist")
    return crud.uuid


async def _reply(conn: Connection, author: Viewer, parent: UUID, message: str) -> None:
    await activities_db.insert_reply(
        conn,
        viewer=author,
        parent_uuid=parent,
        message=message,
        tags=text.tags(message),
        mentions=text.mentions(message),
        link=None,
    )


async def _send_messages(conn: Connection, viewers: dict[str, Viewer]) -> None:
    names = {"bayko": "andrewbrown", "andrewbrown": "bayko"}
    for handle, message in CONVERSATION:
        draft = MessageDraft(message=message, handle=names[handle])
        await messages.send(conn, viewers[handle], draft)
