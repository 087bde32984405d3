"""Distribute the test files to the workers, so that these start few servers and browsers.

A file runs in one worker, with one set of its fixtures. A worker gets files of one directory as
long as there are any, so it starts the services and browsers of few directories. The files that
take longest begin first.
"""

from collections import Counter
from pathlib import PurePosixPath

from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

FEW = 8
"""A run of fewer files is distributed in parts of files, because the workers would be idle."""

PARTS = 4
"""How many parts of each file a worker gets then, on average."""

LONGEST = (
    "tests/e2e/test_places_on_screen.py",
    "tests/api/test_schemathesis.py",
    "tests/scenarios/test_scenarios.py",
    "tests/traceview/test_hardening_28_pages.py",
    "tests/e2e/test_loading_on_screen.py",
    "tests/e2e/test_settings_on_screen.py",
    "tests/e2e/test_firefox_on_screen.py",
    "tests/telemetry/test_pipeline.py",
    "tests/db/test_statement_counts.py",
    "tests/hardening/test_hardening_22_environment.py",
    "tests/e2e/test_language_on_screen.py",
    "tests/e2e/test_cruds_on_screen.py",
    "tests/e2e/test_pictures_on_screen.py",
    "tests/api/test_crud_pictures.py",
    "tests/api/test_avatars.py",
    "tests/api/test_hidden_people.py",
)
"""The files that take longest, beginning with the longest one."""


class FilesByDirectory(LoadFileScheduling):  # type: ignore[misc]  # xdist is not typed
    """Give each worker the files of a directory, then those of the one with the fewest workers."""

    _units: dict[str, str]

    def schedule(self) -> None:
        """Distribute the first files, when the workers have collected the tests."""
        if self.collection is None:
            self.config.option.loadscopereorder = False
            self._units = _units(next(iter(self.registered_collections.values())), self.numnodes)
        super().schedule()

    def _split_scope(self, nodeid: str) -> str:
        return self._units[nodeid]

    def _assign_work_unit(self, node: WorkerController) -> None:
        directories = {
            worker: _directory(next(reversed(units)))
            for worker, units in self.assigned_work.items()
            if units
        }
        workers = Counter(directories.values())

        def rank(unit: str) -> tuple[bool, int, int]:
            directory, file = _directory(unit), unit.partition("::")[0]
            place = LONGEST.index(file) if file in LONGEST else len(LONGEST)
            return directory != directories.get(node), workers[directory], place

        self.workqueue.move_to_end(min(self.workqueue, key=rank), last=False)
        super()._assign_work_unit(node)


def _units(collection: list[str], workers: int) -> dict[str, str]:
    """Return the unit that each test is in: its file, or a part of it."""
    files = Counter(test.partition("::")[0] for test in collection)
    if len(files) >= FEW:
        return {test: test.partition("::")[0] for test in collection}
    seen: Counter[str] = Counter()
    units = {}
    for test in collection:
        file = test.partition("::")[0]
        units[test] = f"{file}::{seen[file] * PARTS * workers // files[file]}"
        seen[file] += 1
    return units


def _directory(unit: str) -> str:
    return str(PurePosixPath(unit.partition("::")[0]).parent)
