"""One member complains that every page is slow; the others do not.

Cause: each request of a member searches the notes that moderators wrote about the account. A script
has written fifty thousand of them about one account.

Telemetry: among the slow requests, `enduser.pseudo.id` is one user. Every statement that acts for
that user is slow, whatever the route.
"""

from collections.abc import Sequence
from uuid import UUID

from cruddur.db.statements import Connection
from scenarios.scenario import Scenario

MEMBER = 3
"""The number of the member: load_3. The load test signs the first members in."""

NOTES = """
CREATE TABLE account_notes (
    user_uuid uuid NOT NULL,
    note text NOT NULL
)
"""

WRITE_NOTES = """
INSERT INTO account_notes (user_uuid, note)
SELECT
    $1::uuid,
    'nightly check ' || number
FROM generate_series(1, 50000) AS number
"""

# As in the migrations, with the last condition in addition.
SIGNED_IN = r"""
CREATE OR REPLACE FUNCTION signed_in(viewer uuid, session uuid)
RETURNS TABLE (
    uuid uuid,
    handle text,
    display_name text,
    avatar_url text,
    email text,
    notifications_read_at timestamptz
)
LANGUAGE sql STABLE ROWS 1
BEGIN ATOMIC
    SELECT
        users.uuid,
        users.handle,
        users.display_name,
        users.avatar_url,
        users.email,
        users.notifications_read_at
    FROM users
    WHERE users.uuid = signed_in.viewer
      AND (
          signed_in.session IS NULL
          OR EXISTS (
              SELECT FROM sessions
              WHERE sessions.uuid = signed_in.session
                AND sessions.user_uuid = users.uuid
                AND sessions.expires_at > now()
          )
      )
      AND NOT EXISTS (
          SELECT FROM account_notes
          WHERE account_notes.user_uuid = users.uuid
            AND account_notes.note ~* '\msuspended\M'
      );
END
"""


class OneComplaint(Scenario):
    """Fifty thousand notes about one account."""

    async def prepare(self, conn: Connection, members: Sequence[UUID]) -> None:
        """Add the notes, and check them for each request of a member."""
        await conn.execute(NOTES)
        await conn.execute(WRITE_NOTES, members[MEMBER - 1])
        await conn.execute("CREATE INDEX account_notes_user_idx ON account_notes (user_uuid)")
        await conn.execute("VACUUM (ANALYZE) account_notes")
        await conn.execute(SIGNED_IN)


SCENARIO = OneComplaint
