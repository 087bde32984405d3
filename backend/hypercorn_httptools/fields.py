"""Header fields of requests and responses."""

from collections.abc import Iterable

Field = tuple[bytes, bytes]


class Headers(list[Field]):
    """Header fields with names in lower case, with the interface of h11's own type."""

    __slots__ = ("_raw",)

    def __init__(self, raw: list[Field]) -> None:
        """Accept the fields as received."""
        super().__init__([(name.lower(), value) for name, value in raw])
        self._raw = raw

    def raw_items(self) -> list[Field]:
        """Return the fields with their names as received."""
        return self._raw


def options(fields: Iterable[Field], name: bytes) -> set[bytes]:
    """Return the comma-separated options in all fields with this name, in lower case."""
    return {
        stripped
        for one, value in fields
        if one.lower() == name
        for option in value.lower().split(b",")
        if (stripped := option.strip())
    }
