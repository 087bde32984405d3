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

RENAME = "ALTER FUNCTION signed_in (uuid, uuid) RENAME TO signed_in_before_notes"

# The new function has the rules of the migrations, and one more.
SIGNED_IN = r"""
CREATE FUNCTION signed_in(viewer uuid, session uuid)
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
    SELECT signed_in_before_notes.*
    FROM signed_in_before_notes(signed_in.viewer, signed_in.session)
    WHERE NOT EXISTS (
        SELECT FROM account_notes
        WHERE account_notes.user_uuid = signed_in_before_notes.uuid
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
        await conn.execute(RENAME)
        await conn.execute(SIGNED_IN)


SCENARIO = OneComplaint
