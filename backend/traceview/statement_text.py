"""Indent SQL statements for reading. Only white space between tokens changes.

There is a line for each clause and for each item of its list. A statement that its author indented,
and a short one, stay as they are. So does one with a backslash, or with `#` and several lines,
because databases disagree about where a text or a comment with it ends.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

SHORT_CHARS = 60
"""Statements up to this length stay on one line."""

_INDENT = "  "

_TOKEN = re.compile(
    r"""
      (?P<space>\s+)
    | (?P<name>\[[^\]\['"]*\])
    | (?P<comment>--[^\n]*|/\*.*?(?:\*/|\Z))
    | (?P<text>[BbXxNn]?'(?:[^']|'')*(?:'|\Z)|"(?:[^"]|"")*(?:"|\Z)|`[^`]*(?:`|\Z))
    | (?P<dollar>\$(?P<tag>[A-Za-z_]\w*)?\$.*?(?:\$(?P=tag)\$|\Z)|\$\$.*?(?:\$\$|\Z))
    | (?P<word>[^\W\d]\w*)
    | (?P<other>[\w.]+|::|.)
    """,
    re.VERBOSE | re.DOTALL,
)

# The first words of clauses. A clause of several words is one line.
_CLAUSES = {
    *("SELECT", "FROM", "WHERE", "GROUP", "ORDER", "HAVING", "LIMIT", "OFFSET", "FETCH", "FOR"),
    *("UNION", "EXCEPT", "INTERSECT", "INSERT", "VALUES", "UPDATE", "SET", "DELETE", "RETURNING"),
    *("WITH", "WINDOW", "ON", "JOIN", "LEFT", "RIGHT", "INNER", "FULL", "CROSS", "NATURAL"),
}
_JOINED = {"LEFT", "RIGHT", "INNER", "FULL", "CROSS", "NATURAL", "OUTER"}
_LISTS = {"SELECT", "SET", "RETURNING", "WITH", "VALUES", "GROUP", "ORDER", "FROM"}


def tokens_of(text: str) -> Iterator[tuple[str, str]]:
    """Yield the kind and the text of each token, with white space; together they are the text."""
    for match in _TOKEN.finditer(text):
        yield str(match.lastgroup if match.lastgroup != "tag" else "dollar"), match[0]


@lru_cache(maxsize=1_000)
def indent_statement(text: str) -> str:
    """Return a statement with a line for each clause."""
    flat = text.strip()
    is_indented = any(line[:1].isspace() for line in flat.splitlines())
    is_ambiguous = "\\" in flat or ("#" in flat and "\n" in flat)
    if is_indented or is_ambiguous or len(flat) <= SHORT_CHARS:
        return text
    return _Printer(list(tokens_of(flat))).text()


class _Printer:
    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._words = [text.upper() if kind == "word" else text for kind, text in tokens]
        self._out: list[str] = []
        # For each open parenthesis: the indent of its subquery, or -1 in an expression.
        self._indents = [0]
        self._clauses = [""]

    def text(self) -> str:
        for place, (kind, text) in enumerate(self._tokens):
            word = self._words[place]
            is_query = self._indents[-1] >= 0
            if kind == "space":
                self._space(place)
            elif text.startswith("--"):
                self._out.append(text)
                self._line(1)
            elif text == "(":
                self._open(place)
            elif text == ")":
                self._close()
            elif text == "," and is_query and self._clauses[-1] in _LISTS:
                self._out.append(",")
                self._line(1)
            elif kind == "word" and is_query and self._starts_clause(place):
                self._clauses[-1] = word
                if place:
                    self._line(0)
                self._out.append(text)
            elif word in {"AND", "OR"} and is_query and not self._is_between(place):
                self._line(1)
                self._out.append(text)
            else:
                self._out.append(text)
        return "".join(self._out).rstrip()

    def _space(self, place: int) -> None:
        neighbors = {self._tokens[one][0] for one in (place - 1, place + 1)}
        if neighbors == {"text"} and "\n" in self._tokens[place][1]:
            self._line(1)  # texts on two lines are one text, and on one line an error
        elif self._out and not self._out[-1].endswith(("\n", " ")):
            self._out.append(" ")

    def _line(self, more: int) -> None:
        base = next(indent for indent in reversed(self._indents) if indent >= 0)
        self._break(base + more)

    def _break(self, indent: int) -> None:
        while self._out and self._out[-1].isspace():
            self._out.pop()
        self._out.append("\n" + _INDENT * indent)

    def _open(self, place: int) -> None:
        self._out.append("(")
        is_subquery = self._following(place) in {"SELECT", "WITH", "INSERT", "UPDATE", "DELETE"}
        base = next(indent for indent in reversed(self._indents) if indent >= 0)
        self._indents.append(base + 2 if is_subquery else -1)
        self._clauses.append("")

    def _close(self) -> None:
        if len(self._indents) == 1:
            self._out.append(")")
            return
        indent = self._indents.pop()
        self._clauses.pop()
        if indent >= 0:
            self._break(indent - 1)
        self._out.append(")")

    def _starts_clause(self, place: int) -> bool:
        word = self._words[place]
        before = [one for one in self._words[max(0, place - 4) : place] if not one.isspace()]
        previous = before[-1] if before else ""
        if word not in _CLAUSES or previous in {".", "AS"}:
            return False
        if word == "ON":
            return self._following(place) == "CONFLICT"
        if word == "JOIN":
            return previous not in _JOINED
        if word in {"LEFT", "RIGHT"}:
            return self._following(place) != "("
        if word == "FOR":
            return self._following(place) in {"UPDATE", "SHARE", "NO", "KEY"}
        # FOR UPDATE, DO UPDATE SET, IS DISTINCT FROM, DELETE FROM, WITH ORDINALITY
        if word == "UPDATE":
            return previous not in {"FOR", "DO", "KEY", "ON"}
        if word == "DELETE":
            return previous != "ON"
        if word == "FROM":
            return previous not in {"DISTINCT", "DELETE"}
        if word == "WITH":
            return self._following(place) not in {"ORDINALITY", "TIME", "TIES"}
        return True

    def _following(self, place: int) -> str:
        words = (self._words[one] for one in range(place + 1, len(self._words)))
        return next((word for word in words if not word.isspace()), "")

    def _is_between(self, place: int) -> bool:
        for before in range(place - 1, -1, -1):
            word = self._words[before]
            if word in {"AND", "OR", "WHERE", "ON", "("}:
                return False
            if word == "BETWEEN":
                return True
        return False
