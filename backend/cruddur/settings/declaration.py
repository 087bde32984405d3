"""Declare settings, read them from the environment and check them.

A setting is a field of a dataclass, declared once:

    pool_size: Annotated[
        int, setting("CRUDDUR_POOL_SIZE", "Database connections per worker", ge=1, le=10_000)
    ] = 10

The checks, the table in docs/operations.md, `.env.example` and deploy/settings.yaml all follow
from this declaration (`make settings`).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec

Compose = Literal["passed", "set", "fixed"]
"""How a setting reaches a container.

`passed`: deploy/settings.yaml passes the variable on. `set`: a Compose file sets it, and `.env` can
change its value. `fixed`: the image or a Compose file sets it, and `.env` cannot change it.
"""

Check = Callable[[str], str | None]
"""Returns the problem of a value, as the rest of a sentence that begins with the variable."""


class OperatorError(Exception):
    """An error that the operator can fix; a command reports its message in one line."""


class SettingsError(OperatorError):
    """A variable is missing or invalid; the message names it."""


@dataclass(frozen=True, slots=True)
class Variable:
    """One setting, in the form that checks and generated documents use.

    Attributes:
        field: the name of the field.
        name: the name of the environment variable.
        help: what it sets, as a phrase for the documentation.
        kind: the annotated type of the field; msgspec enforces its choices and bounds.
        default: the default value, as it would be written in the variable.
        choices: the allowed values, if they are enumerated.
        bounds: the minimum and the maximum, if it is a number.
        unit: the unit of the number.
        secret: whether `<name>_FILE` may name a file that holds the value.
        compose: how it reaches a container.
        check: a further check of the text.
    """

    field: str
    name: str
    help: str
    kind: Any
    default: str
    choices: tuple[str, ...]
    bounds: tuple[float, float] | None
    unit: str
    secret: bool
    compose: Compose
    check: Check | None

    def parse(self, text: str) -> Any:
        """Convert the text of the variable to the type of the field.

        Raises:
            SettingsError: the text is not of that type, or is out of bounds.
        """
        try:
            text.encode()
        except UnicodeEncodeError:
            raise SettingsError(f"{self.name} is not UTF-8") from None
        try:
            return msgspec.convert(text, self.kind, strict=False, dec_hook=_decode)
        except msgspec.ValidationError:
            raise self._error(text) from None

    def validate(self, value: Any) -> None:
        """Raise SettingsError if a value does not satisfy the declaration."""
        try:
            msgspec.convert(value, self.kind, dec_hook=_decode)
        except msgspec.ValidationError:
            raise self._error(value) from None
        if self.check is not None and value and (problem := self.check(value)):
            raise SettingsError(f"{self.name} {problem}")

    def _error(self, value: object) -> SettingsError:
        if self.choices:
            return SettingsError(
                f"{self.name} is none of {', '.join(filter(None, self.choices))}: {value!r}"
            )
        base = get_args(self.kind)[0]
        try:
            msgspec.convert(value, base, strict=False)
        except msgspec.ValidationError:
            return SettingsError(f"{self.name} is not of type {base.__name__}: {value!r}")
        low, high = self.bounds or (0, 0)
        return SettingsError(f"{self.name} must lie between {low:g} and {high:g}")


def setting(
    name: str,
    help: str,  # noqa: A002  # the name in argparse and click
    *,
    ge: float | None = None,
    le: float | None = None,
    unit: str = "",
    secret: bool = False,
    compose: Compose = "passed",
    check: Check | None = None,
) -> msgspec.Meta:
    """Declare a field that is read from an environment variable.

    Args:
        name: the name of the variable.
        help: what it sets, as a phrase for the documentation.
        ge, le: the minimum and the maximum.
        unit: the unit of the number.
        secret: whether `<name>_FILE` may name a file that holds the value.
        compose: how it reaches a container.
        check: a further check of the text.
    """
    extra = {"name": name, "unit": unit, "secret": secret, "compose": compose, "check": check}
    return msgspec.Meta(ge=ge, le=le, description=help, extra=extra)


def variables(group: type) -> tuple[Variable, ...]:
    """Return the settings that a dataclass declares, in their order."""
    hints = get_type_hints(group, include_extras=True)
    declared = []
    for item in fields(group):
        kind = hints[item.name]
        base, meta = get_args(kind)
        is_number = meta.ge is not None
        declared.append(
            Variable(
                field=item.name,
                help=meta.description,
                kind=kind,
                default=f"{item.default:g}"
                if isinstance(item.default, float)
                else str(item.default),
                choices=get_args(base) if get_origin(base) is Literal else (),
                bounds=(meta.ge, meta.le) if is_number else None,
                **meta.extra,
            )
        )
    return tuple(declared)


def read_environment(group: type, environ: Mapping[str, str]) -> dict[str, Any]:
    """Read the fields of a dataclass of settings; an empty variable counts as unset.

    Raises:
        SettingsError: a variable, or the file that it names, cannot be read.
    """
    return dict(_read(group, environ))


def _read(group: type, environ: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    for variable in variables(group):
        text = environ.get(variable.name, "").strip()
        if not text and variable.secret:
            text = _read_file(f"{variable.name}_FILE", environ)
        if text:
            yield variable.field, variable.parse(text)


def _read_file(name: str, environ: Mapping[str, str]) -> str:
    """Return the text of the file that a variable names; empty if it names none.

    Raises:
        SettingsError: the file cannot be read as text.
    """
    path = environ.get(name, "").strip()
    if not path:
        return ""
    try:
        return Path(path).read_text("utf-8").strip()
    except OSError as error:
        raise SettingsError(f"{name} cannot be read: {path}: {error.strerror}") from error
    except ValueError as error:  # not UTF-8, or a null byte in the path
        raise SettingsError(f"{name} is not a text file: {path!r}") from error


def _decode(kind: type, value: object) -> object:
    if kind is Path and isinstance(value, str | Path):
        return Path(value)
    raise NotImplementedError(kind)
