"""Profiles were fast this morning. Since some time ago they are slow.

Cause: the release 0.3.0, which replaces 0.2.9 two minutes after the start, computes for each
profile how many words all recent cruds have in common.

Telemetry: between the time before and the time after, `service.version` differs. In the slow
requests of the new version there is a statement that the old version did not have
(`db.query.summary`).
"""

from typing import Any

from quart import Quart, Response

from cruddur.db.statements import Statement
from cruddur.routes.endpoint import resources
from scenarios.scenario import Release, Scenario

VIEW = "activities.profile_get"

COMMON_WORDS = Statement(
    "profile.common_words",
    """
    WITH recent AS MATERIALIZED (
        SELECT activities.search
        FROM activities
        ORDER BY activities.uuid DESC
        LIMIT 150
    )
    SELECT count(*)
    FROM recent AS one
    CROSS JOIN recent AS other
    WHERE tsvector_to_array(one.search) && tsvector_to_array(other.search)
    """,
)


class SinceTheRelease(Scenario):
    """Two releases; the second has an expensive statement."""

    releases = (
        Release("0.2.9", is_changed=False),
        Release("0.3.0"),
    )

    def extend(self, app: Quart) -> None:
        """Wrap the handler of profiles."""
        profile: Any = app.view_functions[VIEW]

        async def profile_with_words(**arguments: Any) -> Response:
            response: Response = await profile(**arguments)
            async with resources().database.connection() as conn:
                await COMMON_WORDS.value(conn)
            return response

        app.view_functions[VIEW] = profile_with_words


SCENARIO = SinceTheRelease
