"""Conversations open slowly for every member; everything else is fast.

Cause: the index of messages by conversation is missing. The list of conversations reads the latest
message of each, and now scans all messages for each of them.

Telemetry: among the slow requests, `http.route` is one of the routes of messages, and nearly the
whole duration is that of one statement (`db.query.summary`).
"""

from collections.abc import Sequence
from uuid import UUID

from cruddur.db.statements import Connection
from scenarios.scenario import Scenario

GROUPS = """
WITH numbered AS (
    SELECT
        member.uuid,
        row_number() OVER (ORDER BY member.uuid) AS number
    FROM unnest($1::uuid[]) AS member (uuid)
)
INSERT INTO message_groups (low_user_uuid, high_user_uuid, low_has_accepted, high_has_accepted)
SELECT
    low.uuid,
    high.uuid,
    true,
    true
FROM numbered AS low
JOIN numbered AS high ON high.number BETWEEN low.number + 1 AND low.number + 15
ON CONFLICT DO NOTHING
"""

MESSAGES = """
INSERT INTO messages (message_group_uuid, user_uuid, message, created_at)
SELECT
    message_groups.uuid,
    message_groups.low_user_uuid,
    'See you at the lighthouse',
    now() - interval '1 minute' * number
FROM message_groups
CROSS JOIN generate_series(1, 30000 / (SELECT count(*) FROM message_groups)) AS number
"""


class SlowConversations(Scenario):
    """Thirty thousand messages, and no index."""

    async def prepare(self, conn: Connection, members: Sequence[UUID]) -> None:
        """Add conversations, and drop the index."""
        await conn.execute(GROUPS, members)
        # The triggers would record an event for each message.
        await conn.execute("ALTER TABLE messages DISABLE TRIGGER USER")
        await conn.execute(MESSAGES)
        await conn.execute("ALTER TABLE messages ENABLE TRIGGER USER")
        await conn.execute("DROP INDEX messages_group_idx")


SCENARIO = SlowConversations
