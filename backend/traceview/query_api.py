"""The JSON API of queries, of their form, and of what completion offers."""

import asyncio
from collections.abc import Callable, Mapping

import msgspec
from msgspec import Struct
from quart import Blueprint, Response, request

from traceview.csv_text import write_result
from traceview.difference.compare import compare, read_request
from traceview.explorer import read_query, run_query
from traceview.log_lines import LineBuffer, LineRequest, read_lines
from traceview.metric_catalog import list_metrics
from traceview.names import complete_query, list_keys, list_values
from traceview.otlp_export import export_lines
from traceview.query.form import FormError, QueryForm, describe, query_of
from traceview.query.model import DATASETS, Dataset, Query, QueryError
from traceview.query.parser import parse
from traceview.query.printer import print_query
from traceview.query_items import list_items
from traceview.responses import Download, csv_file, download_answer, json_answer, otlp_file
from traceview.storage.database import Database, StatementError
from traceview.storage.file import FileStatus, TraceFile
from traceview.storage.saved_queries import (
    MAX_NAME_CHARS,
    MAX_SAVED,
    SavedQuery,
    TooManyError,
)
from traceview.useful_queries import USEFUL, UsefulQuery

AT_ONCE = 2
"""How many queries run at the same time; the others wait."""

_QUERY = ("q", "since", "until", "background")
"""Parameters of a query."""

_SIDES = ("selection", "before", "after")
"""Parameters of a comparison."""


class Queries(Struct, frozen=True):
    """The board of queries."""

    useful: tuple[UsefulQuery, ...]
    saved: list[SavedQuery]


class QueryApi(Blueprint):
    """The endpoints that read the file."""

    def __init__(self, file: TraceFile | None, status: FileStatus, buffer: LineBuffer) -> None:
        """Take the file, or the reason why there is none, and the lines that are kept instead."""
        super().__init__("query", __name__)
        self._file = file
        self._buffer = buffer
        self._status = status
        self._turns = asyncio.Semaphore(AT_ONCE)
        self.add_url_rule("/api/query", "query", self._query)
        self.add_url_rule("/api/query.csv", "csv", self._csv)
        self.add_url_rule("/api/query.jsonl", "otlp", self._otlp)
        self.add_url_rule("/api/difference", "difference", self._difference)
        self.add_url_rule("/api/query/form", "form", self._form)
        self.add_url_rule("/api/query/form", "text", self._text, methods=["POST"])
        self.add_url_rule("/api/query/complete", "complete", self._complete)
        self.add_url_rule("/api/logs", "logs", self._logs)
        self.add_url_rule("/api/metrics/catalog", "metrics", self._metrics)
        self.add_url_rule("/api/keys", "keys", self._keys)
        self.add_url_rule("/api/values", "values", self._values)
        self.add_url_rule("/api/queries", "queries", self._queries)
        self.add_url_rule("/api/queries", "save", self._save, methods=["POST"])
        self.add_url_rule("/api/queries/<path:name>", "delete", self._delete, methods=["DELETE"])
        self.add_url_rule("/api/storage", "storage", self._storage)

    async def _query(self) -> Response:
        return await self._answer_query(run_query)

    async def _csv(self) -> Response:
        """Return the result of a query as CSV."""
        return await self._answer_query(
            lambda database, query: csv_file("query", write_result(run_query(database, query)))
        )

    async def _otlp(self) -> Response:
        """Return the spans or log lines that a query lists as OTLP in JSON."""
        return await self._answer_query(
            lambda database, query: otlp_file("query", export_lines(*list_items(database, query)))
        )

    async def _answer_query(self, run: Callable[[Database, Query], object]) -> Response:
        arguments = request.args.to_dict()
        return await self._answer(lambda database: run(database, _read(arguments)), set(_QUERY))

    async def _difference(self) -> Response:
        arguments = request.args.to_dict()
        sides = {name: arguments.get(name, "") for name in _SIDES}
        return await self._answer(
            lambda database: compare(database, read_request(_read(arguments), **sides)),
            {*_QUERY, *_SIDES},
        )

    async def _logs(self) -> Response:
        """Return log lines: from the file, or without one from memory."""
        try:
            given = {name: value for name, value in request.args.items() if value}
            wanted = msgspec.convert(given, LineRequest, strict=False)
            if self._file is None:
                return json_answer(self._buffer.read(wanted))
        except msgspec.ValidationError as error:
            return json_answer({"error": str(error)}, 400)
        except QueryError as error:
            return json_answer({"error": str(error), "position": error.position}, 400)
        return await self._answer(
            lambda database: read_lines(database, wanted), set(LineRequest.__struct_fields__)
        )

    async def _metrics(self) -> Response:
        since, until = request.args.get("since", ""), request.args.get("until", "")
        return await self._answer(
            lambda database: list_metrics(database, since, until), {"since", "until"}
        )

    async def _keys(self) -> Response:
        dataset = request.args.get("dataset", "spans")
        return await self._answer(
            lambda database: list_keys(database, _dataset(dataset)), {"dataset"}
        )

    async def _values(self) -> Response:
        dataset = request.args.get("dataset", "spans")
        key, part = request.args.get("key", ""), request.args.get("part", "")
        return await self._answer(
            lambda database: list_values(database, _dataset(dataset), key, part),
            {"dataset", "key", "part"},
        )

    async def _complete(self) -> Response:
        text = request.args.get("q", "")
        at = request.args.get("at", str(len(text)))
        position = min(int(at), len(text)) if at.isascii() and at.isdecimal() else len(text)
        named = request.args.get("condition_of")
        try:
            condition_of = None if named is None else _dataset(named)
        except QueryError as error:
            return json_answer({"error": str(error)}, 400)
        if self._file is None:
            return json_answer(complete_query(None, text, position, condition_of))
        return await self._answer(
            lambda database: complete_query(database, text, position, condition_of),
            {"q", "at", "condition_of"},
        )

    async def _answer(self, run: Callable[[Database], object], known: set[str]) -> Response:
        """Return what a function reads from the file, in a thread.

        Args:
            run: the function.
            known: the parameters of the request that it uses.
        """
        if self._file is None:
            return json_answer({"error": f"queries need a file: {self._status.reason}"}, 409)
        if unknown := set(request.args) - known:
            return json_answer({"error": f"unknown parameter {min(unknown)}"}, 400)
        try:
            async with self._turns:
                await self._file.flush()  # the result includes everything that was acknowledged
                result = await asyncio.to_thread(run, self._file.database)
        except QueryError as error:
            return json_answer({"error": str(error), "position": error.position}, 400)
        except StatementError as error:
            return json_answer({"error": str(error)}, 422)
        return download_answer(result) if isinstance(result, Download) else json_answer(result)

    async def _form(self) -> Response:
        """Return the form of a text."""
        try:
            query = parse(request.args.get("q", ""))
        except QueryError as error:
            return json_answer({"error": str(error), "position": error.position}, 400)
        return json_answer(describe(query))

    async def _text(self) -> Response:
        """Return the text of a form."""
        try:
            form = msgspec.json.decode(await request.get_data(), type=QueryForm)
            query = query_of(form)
        except FormError as error:
            return json_answer({"error": str(error), "place": error.place}, 400)
        except (QueryError, msgspec.MsgspecError) as error:
            return json_answer({"error": str(error), "place": ""}, 400)
        return json_answer(describe(query))

    async def _queries(self) -> Response:
        """Return the board: useful queries, and those that were saved."""
        saved = await asyncio.to_thread(self._file.saved.all) if self._file else []
        return json_answer(Queries(USEFUL, saved))

    async def _save(self) -> Response:
        if self._file is None:
            return json_answer({"error": f"saving needs a file: {self._status.reason}"}, 409)
        try:
            given = msgspec.json.decode(await request.get_data(), type=SavedQuery)
            saved = SavedQuery(given.name.strip(), print_query(parse(given.query)))
        except QueryError as error:
            return json_answer({"error": f"not a query: {error}"}, 400)
        except msgspec.MsgspecError as error:
            return json_answer({"error": str(error)}, 400)
        if not saved.name.isprintable() or not 0 < len(saved.name) <= MAX_NAME_CHARS:
            message = f"a name has 1 to {MAX_NAME_CHARS} printable characters"
            return json_answer({"error": message}, 400)
        try:
            await asyncio.to_thread(self._file.saved.save, saved)
        except TooManyError:
            return json_answer({"error": f"{MAX_SAVED} queries are saved; delete one first"}, 409)
        return json_answer(saved)

    async def _delete(self, name: str) -> Response:
        if self._file is None or not await asyncio.to_thread(self._file.saved.delete, name):
            return json_answer({"error": "there is no query with this name"}, 404)
        return json_answer({"deleted": name})

    async def _storage(self) -> Response:
        return json_answer(msgspec.to_builtins(self._file.status() if self._file else self._status))


def _read(arguments: Mapping[str, str]) -> Query:
    if (background := arguments.get("background", "")) not in {"", "0", "1"}:
        raise QueryError("background is 0 or 1")
    return read_query(
        arguments.get("q", ""),
        since=arguments.get("since", ""),
        until=arguments.get("until", ""),
        background=background == "1",
    )


def _dataset(name: str) -> Dataset:
    found = next((one for one in DATASETS if one == name), None)
    if found is None:
        raise QueryError(f"there is no dataset {name!r}; use {', '.join(DATASETS)}")
    return found
