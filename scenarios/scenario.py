"""What a scenario can change."""

import importlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from quart import Quart

from cruddur.db.statements import Connection
from cruddur.settings import Settings


@dataclass(frozen=True)
class Release:
    """A version of the service that is deployed.

    Attributes:
        version: its `service.version`; empty: the real one.
        is_changed: whether it has the changes of `Scenario.extend`.
    """

    version: str = ""
    is_changed: bool = True


class Scenario:
    """A planted problem. A subclass overrides the parts that it changes.

    Attributes:
        releases: the versions of the service that are deployed, one after another.
    """

    releases: ClassVar[tuple[Release, ...]] = (Release(),)

    @contextmanager
    def surroundings(self, settings: Settings) -> Iterator[Settings]:
        """Run what is outside of the service, and yield the settings of the service."""
        yield settings

    async def prepare(self, conn: Connection, members: Sequence[UUID]) -> None:
        """Change the database of the scenario.

        Args:
            conn: a connection of the owner of the tables.
            members: the users load_1, load_2 and so on.
        """

    def extend(self, app: Quart) -> None:
        """Change the application before it starts."""


def load(name: str) -> Scenario:
    """Return the scenario with a name of NAMES."""
    module = importlib.import_module(f"scenarios.{name.replace('-', '_')}")
    scenario: Scenario = module.SCENARIO()
    return scenario
