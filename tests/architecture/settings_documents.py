"""Generate texts from the declared settings: `python tests/architecture/settings_documents.py`.

These are the tables in docs/operations.md, the settings in `.env.example` and those that
deploy/settings.yaml passes on to containers. Each is between two marks in its file. The schema of
the Helm chart's values has the names of the settings that the chart accepts.
"""

import json
import re
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import yaml

from cruddur.settings import GROUPS, Variable
from cruddur.settings.declaration import variables

ROOT = Path(__file__).parents[2]

CHART_SCHEMA = "deploy/helm/cruddur/values.schema.json"

NOT_IN_THE_CHART = {"CRUDDUR_CERTFILE", "CRUDDUR_DEMO_HANDLE", "CRUDDUR_KEYFILE", "PORT"}
"""Settings that contradict the chart: its port is fixed, and its ingress ends TLS."""

CREDENTIALS = re.compile(
    r"^AWS_(?:ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN)$|OTLP_\w*HEADERS$"
)
"""Variables that no `_FILE` replaces, and that hold secrets nevertheless."""


def operations() -> str:
    """Return a table per group of settings, for docs/operations.md."""
    return "\n\n".join(
        "\n".join([f"### {title} settings", "", *_table(variables(group))])
        for title, group in GROUPS.items()
    )


def example() -> str:
    """Return the settings that `.env` can change, commented out, with their defaults."""
    return "\n\n".join(
        "\n".join([f"# --- {title} ---", *_example(variables(group))])
        for title, group in GROUPS.items()
    )


def passed() -> str:
    """Return the names of the variables that Compose passes on, without values."""
    lines: list[str] = []
    for title, group in GROUPS.items():
        lines.append(f"      # {title}")
        lines += [f"      {one.name}:" for one in variables(group) if one.compose == "passed"]
    lines.append("      # Secrets in files")
    lines += [f"      {one.name}_FILE:" for one in _secrets()]
    return "\n".join(lines)


FILES: dict[str, tuple[str, Callable[[], str]]] = {
    "docs/operations.md": ("<!-- {} -->", operations),
    ".env.example": ("# ({})", example),
    "deploy/settings.yaml": ("      # ({})", passed),
}
"""The form of the marks in each file, and the function that returns the text between them."""


def chart_schema() -> str:
    """Return the schema of the chart's values with the settings that the chart accepts."""
    passed_on = yaml.safe_load((ROOT / "deploy" / "settings.yaml").read_text("utf-8"))
    declared = [one for group in GROUPS.values() for one in variables(group)]
    secrets = {one.name for one in declared if one.secret}
    names = {one.name for one in declared if one.compose == "set"}
    names |= set(passed_on["services"]["settings"]["environment"])
    schema = json.loads((ROOT / CHART_SCHEMA).read_text("utf-8"))
    names -= secrets | {f"{name}_FILE" for name in secrets} | NOT_IN_THE_CHART
    schema["definitions"] = {
        "settings": {"enum": sorted(name for name in names if not CREDENTIALS.search(name))},
        "secrets": {"enum": sorted(secrets)},
    }
    return json.dumps(schema, indent=2) + "\n"


def written(name: str) -> str:
    """Return the text of a file with its settings as they are declared now."""
    if name == CHART_SCHEMA:
        return chart_schema()
    form, make = FILES[name]
    begin, end = form.format("settings: make settings"), form.format("end of settings")
    before, found, rest = (ROOT / name).read_text("utf-8").partition(f"{begin}\n")
    _, closed, after = rest.partition(f"{end}\n")
    assert found, f"{name} has no place for the settings"
    assert closed, f"{name} has no place for the settings"
    space = "\n" if name.endswith(".md") else ""
    return f"{before}{begin}\n{space}{make()}\n{space}{end}\n{after}"


def _table(group: tuple[Variable, ...]) -> Iterator[str]:
    yield "| Variable | Default | Values | Meaning |"
    yield "|---|---|---|---|"
    for one in group:
        default = f"`{one.default}`" if one.default else ""
        meaning = f"{one.help} (or `{one.name}_FILE`)" if one.secret else one.help
        yield f"| `{one.name}` | {default} | {_values(one)} | {meaning} |"


def _values(one: Variable) -> str:
    if one.choices:
        return ", ".join(f"`{choice}`" for choice in one.choices if choice)
    if one.bounds is None:
        return ""
    low, high = (f"{int(bound) if bound == int(bound) else bound:,}" for bound in one.bounds)
    return f"{low} to {high} {one.unit}".strip()


def _example(group: tuple[Variable, ...]) -> Iterator[str]:
    for one in group:
        if one.compose != "fixed":
            values = one.unit or (_values(one).replace("`", "") if one.choices else "")
            text = f"{one.help} ({values})" if values else one.help
            yield from textwrap.wrap(
                text, 98, initial_indent="# ", subsequent_indent="# ", break_long_words=False
            )
            yield f"# {one.name}={one.default}"
    if any(one.secret for one in group):
        yield "# The same secrets in files, by their paths in the container (/run/secrets/...)"
        yield from (f"# {one.name}_FILE=" for one in group if one in _secrets())


def _secrets() -> list[Variable]:
    """Return the secrets that a file can hold, except those that a Compose file sets."""
    return [
        one
        for group in GROUPS.values()
        for one in variables(group)
        if one.secret and one.compose == "passed"
    ]


def main() -> None:
    """Write every file."""
    for name in (*FILES, CHART_SCHEMA):
        text = written(name)
        assert not re.search(r"[ \t]$", text, re.MULTILINE) or name.endswith(".md")
        (ROOT / name).write_text(text, "utf-8")


if __name__ == "__main__":
    main()
