"""Each planted problem is found: its cause is among the first attributes that the explorer ranks.

For each scenario, a short load runs in this process. Then the explorer is asked what is different,
as docs/scenarios.md describes. Other programs on the machine delay some requests of a short load,
so it is repeated until the answer is as expected, a few times at most; the explorer keeps all
traces. `make scenarios` prints the table.
"""

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from exploring import Explorer
from traffic import Load, of, sign_in_often
from under_load import serve

from cruddur.app import create_app
from cruddur.settings import Settings
from cruddur.telemetry import resource
from scenarios import NAMES
from scenarios.one_complaint import MEMBER
from scenarios.runner import prepare
from scenarios.rush_hour import RushHour
from scenarios.scenario import Scenario
from scenarios.scenario import load as load_scenario
from scenarios.slow_avatars import SlowAvatars
from scenarios.stuck_likes import StuckLikes

FIRST = 3
"""Among how many attributes the cause has to be."""

ROUNDS = 5
"""How often a load runs at most."""


@dataclass(frozen=True)
class Question:
    """What a user asks the explorer, and the answer.

    Attributes:
        query: the rows that are compared.
        selection: the rows that stand out: a condition, or a percentile of the duration from which
            on they do. Empty: those after the last release.
        answers: the attributes that show the cause; one has to be found. Each has a
            pattern of its most frequent value in the selection. A quantity has to be larger there.
        load: what the users do before the question is asked, during each release.
    """

    query: str
    selection: str
    answers: Mapping[str, str]
    load: Load


QUESTIONS = {
    "missing-logs": Question(
        "from metrics where name = app.sink.items and app.outcome in (failed, dropped)",
        "value > 0",
        {"app.sink": "OTLP logs"},
        of(1000, seconds=1.5),
    ),
    "one-complaint": Question("from roots", "p90", {"user": "{member}"}, of(240)),
    "rush-hour": Question("from roots", "p75", {"app.db.pool_wait_ms": ""}, of(120, concurrency=8)),
    "server-errors": Question(
        "from roots", "error", {"user_agent.original": r".*-rc\.1 .*"}, of(240)
    ),
    "since-the-release": Question(
        'from roots where route = "/api/activities/@<handle>"',
        "",
        {"resource.service.version": r"0\.3\.0"},
        of(100, read_profile=8),
    ),
    "slow-avatars": Question(
        "from roots",
        "p95",
        {"trace.longest_part": "convert picture", "route": "/api/avatars/uploads/<token>"},
        of(130, change_picture=4),
    ),
    "slow-conversations": Question(
        "from roots",
        "p90",
        {
            "trace.longest_part": r"SELECT messages\.groups",
            "trace.slowest_statement": r"SELECT messages\.groups",
            "route": "/api/message_groups",
            "url.path": "/api/message_groups",
        },
        of(200, read_messages=12),
    ),
    "slow-search": Question(
        'from roots where route in ("/api/activities/search", "/api/activities/home")',
        "route contains search",
        {
            "trace.repeated_statement": r"SELECT activities\.page",
            "trace.repetitions": "40",
            "app.db.statements": "4[1-9]",
        },
        of(200, search=20),
    ),
    "slow-sign-in": Question(
        'from roots where route = "/api/auth/signin"',
        "status_code = 429",
        {"app.http.calls": "12"},
        partial(sign_in_often, outcomes=10, concurrency=2),
    ),
    "stuck-likes": Question(
        "where statement exists",
        "p95",
        {
            "statement": r"INSERT reactions\.like",
            "trace.longest_part": r"INSERT reactions\.like",
        },
        of(200, concurrency=6, like=12),
    ),
}


@dataclass(frozen=True)
class Finding:
    """A line of the table.

    Attributes:
        name: the scenario.
        ranking: the attributes, the one that differs most first.
        answer: the attribute that shows the cause, None if there is none among the first.
        place: its place in the ranking. An attribute with the same information as another one
            shares its place.
    """

    name: str
    ranking: Sequence[str]
    answer: str | None
    place: int | None


@pytest.fixture(scope="module")
def table() -> Iterator[list[Finding]]:
    """Collect the findings; print them if the output is not captured."""
    findings: list[Finding] = []
    yield findings
    print(f"\n{'Scenario':19} {'Cause':26} Place  The first three")
    for one in findings:
        first = ", ".join(one.ranking[:FIRST])
        print(f"{one.name:19} {one.answer or '-':26} {one.place or '-':5}  {first}")
    print(f"{sum(one.place is not None for one in findings)} of {len(findings)} found")


def test_every_scenario_has_a_question() -> None:
    assert sorted(QUESTIONS) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
async def test_the_explorer_ranks_the_cause_among_the_first(
    name: str,
    explorer: Explorer,
    filled: tuple[str, Sequence[UUID]],
    own_settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    table: list[Finding],
) -> None:
    question, members = QUESTIONS[name], filled[1]
    scenario = quick(load_scenario(name))
    starts: list[str] = []
    if name == "missing-logs":
        caplog.set_level(logging.INFO, "cruddur.request")
        own_settings = replace(
            own_settings,
            logs_exporter="otlp",
            log_delay=20.0,
            log_timeout=50.0,
            metric_interval=100.0,
            span_delay=500.0,
        )
    with scenario.surroundings(own_settings) as settings:
        await prepare(scenario, own_settings.connection_url, members)
        for _ in range(ROUNDS):
            for release in scenario.releases:
                starts.append(datetime.now(UTC).isoformat())
                monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", f"service.version={release.version}")
                resource._resource.cache_clear()
                app = create_app(settings)
                if release.is_changed:
                    scenario.extend(app)
                await serve(app, members, question.load)
            difference = await ask(explorer, question, starts)
            finding = find(name, question, difference, member=members[MEMBER - 1])
            if finding.place is not None:
                break
    table.append(finding)
    assert finding.place is not None, finding.ranking


async def test_without_a_problem_there_is_no_cause(
    explorer: Explorer, filled: tuple[str, Sequence[UUID]], own_settings: Settings
) -> None:
    members, start = filled[1], datetime.now(UTC).isoformat()
    open_questions = {"one-complaint", "rush-hour", "server-errors", "slow-search", "stuck-likes"}
    for _ in range(ROUNDS):
        await serve(create_app(own_settings), members, of(240, like=6, search=6))
        for name in sorted(open_questions):
            question = QUESTIONS[name]
            difference = await ask(explorer, question, [start])
            if find(name, question, difference, member=members[MEMBER - 1]).answer is None:
                open_questions.remove(name)
        if not open_questions:
            break
    assert not open_questions


def find(name: str, question: Question, difference: Any, *, member: UUID) -> Finding:
    """Return the place of the cause in a ranking.

    Args:
        name: the scenario.
        question: the question.
        difference: the response of the explorer.
        member: the user whose requests are slow in one-complaint.
    """
    ranking = [one["key"] for one in difference["ranking"]]
    for one in sorted(
        [*difference["ranking"], *difference["same"]],
        key=lambda one: ranking.index(one["same_as"] or one["key"]),
    ):
        place = ranking.index(one["same_as"] or one["key"]) + 1
        pattern = question.answers.get(one["key"])
        if pattern is not None and place <= FIRST and fits(one, pattern.format(member=member)):
            return Finding(name, ranking, one["key"], place)
    return Finding(name, ranking, None, None)


def fits(difference: Any, pattern: str) -> bool:
    """Return whether the most frequent value in the selection matches, or a quantity is larger."""
    if difference["bins"]:
        larger: bool = difference["selection_median"] > difference["rest_median"]
        return larger
    found = [one for one in difference["values"] if one["kind"] == "value"]
    frequent = max(found, key=lambda one: one["selection"])
    return re.fullmatch(pattern, str(frequent["value"])) is not None


async def ask(explorer: Explorer, question: Question, starts: Sequence[str]) -> Any:
    """Ask what is different in the selected rows.

    Args:
        explorer: the explorer.
        question: the question.
        starts: when each release began to serve.
    """
    span = {"since": starts[0]}
    if not question.selection:
        periods = {"before": f"{starts[-2]}..{starts[-1]}", "after": f"{starts[-1]}.."}
        return await explorer.get("/api/difference", q=question.query, **periods)
    selection = question.selection
    if selection.startswith("p"):
        [[bound]] = await explorer.rows(f"{question.query} | {selection}(duration)", **span)
        selection = f"duration > {bound:.3f}ms"
    return await explorer.get("/api/difference", q=question.query, selection=selection, **span)


def quick(scenario: Scenario) -> Scenario:
    """Return a scenario with shorter times."""
    match scenario:
        case StuckLikes():
            scenario.held_seconds, scenario.pause_seconds = 0.3, 0.2
        case RushHour():
            scenario.one_way_seconds = 0.002
        case SlowAvatars():
            scenario.side = 1536
    return scenario
