"""A search takes long if it finds much, much longer than the home feed with as many cruds.

Cause: the handler of the search reads the replies of each crud that it finds with a statement of
its own (N+1).

Telemetry: among the slow searches, `app.db.statements` is up to 41. Their traces repeat one
statement (`db.query.summary`).
"""

from typing import Any
from uuid import UUID

import msgspec
from quart import Quart, Response

from cruddur.db import activities
from cruddur.routes.endpoint import resources
from scenarios.scenario import Scenario

VIEW = "activities.search_get"


class SlowSearch(Scenario):
    """The search reads the latest replies to each crud."""

    def extend(self, app: Quart) -> None:
        """Wrap the handler of the search."""
        search: Any = app.view_functions[VIEW]

        async def search_with_replies(**arguments: Any) -> Response:
            response: Response = await search(**arguments)
            async with resources().database.connection() as conn:
                for crud in msgspec.json.decode(await response.get_data(as_text=False)):
                    await activities.select_thread(
                        conn,
                        uuid=UUID(crud["uuid"]),
                        viewer=None,
                        after_at=None,
                        after_uuid=None,
                        limit=3,
                        max_ancestors=0,
                        max_nested=0,
                    )
            return response

        app.view_functions[VIEW] = search_with_replies


SCENARIO = SlowSearch
