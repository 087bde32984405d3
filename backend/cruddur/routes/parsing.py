"""Parse bodies and queries into the drafts of `cruddur.wire`, and map errors to codes."""

import json
import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import NoneType
from typing import Any, Literal, TypeVar

import msgspec

from cruddur.errors import InvalidError, MalformedError
from cruddur.wire import AS_TYPED, VISIBLE_PATTERN, Draft

D = TypeVar("D", bound=Draft)
Fault = Literal["blank", "exceed_max_chars", "invalid"]

_VISIBLE = re.compile(VISIBLE_PATTERN)

# The JSON types, as Python decodes them, of the types that drafts use.
_JSON_TYPES: Mapping[type[msgspec.inspect.Type], type] = {
    msgspec.inspect.BoolType: bool,
    msgspec.inspect.IntType: int,
    msgspec.inspect.ListType: list,
    msgspec.inspect.NoneType: NoneType,
    msgspec.inspect.StrType: str,
    msgspec.inspect.StructType: dict,
    msgspec.inspect.UUIDType: str,
}


class InvalidFieldsError(InvalidError):
    """Fields of a body or query break rules; `valid` has the values of the other fields."""

    def __init__(self, codes: Mapping[str, None], valid: Mapping[str, Any]) -> None:
        """Set the codes, in the order of the fields."""
        super().__init__(*codes)
        self.valid = valid


@dataclass(frozen=True, slots=True)
class _TextField:
    name: str
    visible: bool
    patterned: bool
    as_typed: bool


def _number(text: str) -> int | float:
    value = float(text)
    if math.isinf(value):
        raise MalformedError
    return int(value) if value.is_integer() else value


_UNTYPED = msgspec.json.Decoder(float_hook=_number)


def read_body(draft: type[D], body: bytes) -> D:
    """Decode a JSON body and compose its texts (NFC), except passwords.

    Raises:
        MalformedError: not JSON, not UTF-8, or not an object; or a field is there twice, once with
            a wrong value.
        InvalidFieldsError: fields do not match their declarations; a code names the field and why.
    """
    try:
        try:
            value = msgspec.json.decode(body, type=draft)
        except msgspec.ValidationError:
            value = _convert(draft, _UNTYPED.decode(body), strict=True)
            # Either a text is too long only until it is composed, or an integer is written as 3.0
            # (JSON has one kind of number), or a field is there twice and the first value is wrong.
            # `int` accepts a limited number of digits.
            json.loads(body, object_pairs_hook=_reject_duplicates, parse_int=str)
        else:
            if not _is_composed(value):
                value = _convert(draft, msgspec.json.decode(body), strict=True)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedError from error
    return _checked(value)


def read_query(draft: type[D], arguments: Mapping[str, str]) -> D:
    """Parse the arguments of a query string and compose its texts (NFC).

    Raises:
        InvalidFieldsError: arguments do not match their declarations.
        InvalidError: an argument is the text "null".
    """
    value = _convert(draft, dict(arguments), strict=False)
    for name in arguments:
        if getattr(value, name, ...) is None:  # the text "null"
            raise InvalidError(_code(draft, name, "invalid"))
    return _checked(value)


def validation_codes(draft: type[Draft]) -> list[str]:
    """Return all error codes of a draft, in the order of its fields."""
    codes: dict[str, None] = {}
    for field in _info(draft).fields:
        for fault in _faults(field.type):
            codes[_code(draft, field.encode_name, fault)] = None
    return list(codes)


def _convert(draft: type[D], values: Any, *, strict: bool) -> D:
    composed = _composed(draft, values)
    try:
        return msgspec.convert(composed, draft, strict=strict)
    except msgspec.ValidationError as error:
        raise _error(draft, composed, strict=strict) from error


def _reject_duplicates(fields: list[tuple[str, Any]]) -> None:
    if len({name for name, _ in fields}) < len(fields):
        raise MalformedError


def _is_composed(value: Draft) -> bool:
    return all(
        field.as_typed
        or not isinstance(text := getattr(value, field.name), str)
        or unicodedata.is_normalized("NFC", text)
        for field in _text_fields(type(value))
    )


def _composed(draft: type[Draft], values: Any) -> Any:
    if not isinstance(values, dict):
        return values
    return values | {
        field.name: unicodedata.normalize("NFC", values[field.name])
        for field in _text_fields(draft)
        if not field.as_typed and isinstance(values.get(field.name), str)
    }


def _checked(value: D) -> D:
    for field in _text_fields(type(value)):
        if _text_fault(field, getattr(value, field.name)):
            values = {
                field.encode_name: getattr(value, field.name)
                for field in msgspec.structs.fields(value)
            }
            raise _error(type(value), values, strict=True)
    return value


def _text_fault(field: _TextField, text: Any) -> Fault | None:
    if not isinstance(text, str):
        return None
    if "\x00" in text or _has_surrogate(text):
        return "invalid"
    # In Python, the `$` of a pattern also matches before a final line feed.
    if field.patterned and text.endswith("\n"):
        return "invalid"
    if field.visible and not _VISIBLE.search(text):
        return "blank"
    return None


def _has_surrogate(text: str) -> bool:
    """Return whether a text has a surrogate: query strings can, but PostgreSQL rejects them."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _error(draft: type[Draft], values: Any, *, strict: bool) -> MalformedError | InvalidError:
    """Return the error of the fields that break a rule, in the order of the draft's fields.

    That is the order of precedence (docs/api.md, C6), and without `reports_all` only the first one
    is reported; msgspec names the first one in the body.
    """
    if not isinstance(values, dict):
        return MalformedError()
    texts = {field.name: field for field in _text_fields(draft)}
    codes: dict[str, None] = {}
    valid: dict[str, Any] = {}
    for field in msgspec.structs.fields(draft):
        if field.encode_name not in values:
            fault: Fault | None = "blank" if field.required else None
        else:
            fault = _fault(field.type, values[field.encode_name], strict=strict)
            if fault is None and field.name in texts:
                fault = _text_fault(texts[field.name], values[field.encode_name])
        if fault is not None:
            codes[_code(draft, field.encode_name, fault)] = None
        elif field.encode_name in values:
            valid[field.name] = values[field.encode_name]
        if codes and not draft.reports_all:
            break
    return InvalidFieldsError(codes, valid)


def _fault(kind: Any, value: Any, *, strict: bool) -> Fault | None:
    """Return the fault of a value for its declared type, or None.

    The exception of msgspec only has a message, so the reason is derived from the type.
    """
    try:
        msgspec.convert(value, kind, strict=strict)
    except msgspec.ValidationError:
        members = _members(msgspec.inspect.type_info(kind))
        if not any(type(value) in _json_types(member) for member in members):
            return "blank"  # another JSON type
        texts = [member for member in members if isinstance(member, msgspec.inspect.StrType)]
        if isinstance(value, str) and any(_is_longer(value, member.max_length) for member in texts):
            return "exceed_max_chars"
        return (
            "blank"
            if value == "" and any(member.min_length == 1 for member in texts)
            else "invalid"
        )
    return None


def _json_types(kind: msgspec.inspect.Type) -> tuple[type, ...]:
    if isinstance(kind, msgspec.inspect.LiteralType):
        return tuple(map(type, kind.values))
    return (_JSON_TYPES[type(kind)],)


def _is_longer(text: str, limit: int | None) -> bool:
    return limit is not None and len(text) > limit


def _code(draft: type[Draft], field: str, fault: Fault) -> str:
    code = f"{field}_{fault}"
    return draft.codes.get(code, code)


@cache
def _info(draft: type[Draft]) -> msgspec.inspect.StructType:
    info = msgspec.inspect.type_info(draft)
    if not isinstance(info, msgspec.inspect.StructType):
        raise TypeError(f"{draft} is not a struct")
    return info


@cache
def _text_fields(draft: type[Draft]) -> tuple[_TextField, ...]:
    return tuple(
        _TextField(
            field.name,
            visible=_pattern(field.type) == VISIBLE_PATTERN,
            patterned=kind.pattern is not None,
            as_typed=_is_as_typed(field.type),
        )
        for field in _info(draft).fields
        for kind in _members(field.type)
        if isinstance(kind, msgspec.inspect.StrType)
    )


def _pattern(kind: msgspec.inspect.Type) -> Any:
    if isinstance(kind, msgspec.inspect.Metadata):
        return (kind.extra_json_schema or {}).get("pattern")
    return None


def _is_as_typed(kind: msgspec.inspect.Type) -> bool:
    return isinstance(kind, msgspec.inspect.Metadata) and kind.extra == AS_TYPED


def _members(kind: msgspec.inspect.Type) -> list[msgspec.inspect.Type]:
    """Return the alternatives of a type, without their wrappers."""
    if isinstance(kind, msgspec.inspect.Metadata):
        return _members(kind.type)
    if isinstance(kind, msgspec.inspect.UnionType):
        return [member for part in kind.types for member in _members(part)]
    return [kind]


def _faults(kind: msgspec.inspect.Type) -> list[Fault]:
    faults: dict[Fault, None] = {"blank": None}
    for member in _members(kind):
        if isinstance(member, msgspec.inspect.NoneType):
            continue
        faults["invalid"] = None
        if isinstance(member, msgspec.inspect.StrType) and member.max_length is not None:
            faults["exceed_max_chars"] = None
    return list(faults)
