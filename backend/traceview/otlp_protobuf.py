"""OTLP in protobuf: resources contain scopes, scopes contain items.

Traces, logs and metrics share this structure and its field numbers. Items are extracted one at
a time, because parsing a whole request could turn a few megabytes of empty messages into
gigabytes of objects.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from google.protobuf.descriptor import (  # type: ignore[import-untyped]  # it has no stubs of its own
    Descriptor,
    FileDescriptor,
)
from google.protobuf.descriptor_pb2 import (  # type: ignore[import-untyped]  # as above
    FieldDescriptorProto,
    FileDescriptorProto,
)
from google.protobuf.descriptor_pool import (  # type: ignore[import-untyped]  # as above
    DescriptorPool,
)
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # as above
from google.protobuf.message_factory import (  # type: ignore[import-untyped]  # as above
    GetMessageClass,
)

from traceview.errors import MalformedError, TooLargeError, UnusableError

FIELDS = 500_000
"""Maximum number of fields in the outer structure."""

PART_BYTES = 1024 * 1024
"""Maximum size of a resource, scope, span, log record or metric; larger ones are rejected."""


class Packed(NamedTuple):
    """An item in protobuf, with its resource and scope."""

    resource: bytes
    scope: bytes
    item: bytes


def unpack(body: bytes) -> Iterator[Packed]:
    """Yield every item of an Export…ServiceRequest.

    Raises:
        MalformedError: the bytes are not protobuf, or are truncated.
        TooLargeError: the outer structure has too many fields.
    """
    return _Reader().unpack(memoryview(body))


def parse(message: Any, part: bytes) -> Any:
    """Parse a part of a request: a resource, a scope or an item.

    Strings are bytes if one of them is not UTF-8, which protobuf forbids but some senders write.

    Raises:
        UnusableError: the part is too large, or is not such a message.
    """
    if len(part) > PART_BYTES:
        raise UnusableError(f"larger than {PART_BYTES} bytes")
    try:
        return message.FromString(part)
    except DecodeError:
        try:
            return _with_bytes(message.DESCRIPTOR).FromString(part)
        except DecodeError as error:
            raise UnusableError(f"not OTLP in protobuf: {error}") from error


@cache
def _with_bytes(message: Descriptor) -> Any:
    """Return a class like that of a message, but with bytes in the place of each string."""
    pool = DescriptorPool()
    _copy(message.file, pool)
    return GetMessageClass(pool.FindMessageTypeByName(message.full_name))


def _copy(file: FileDescriptor, pool: DescriptorPool) -> None:
    for needed in file.dependencies:
        _copy(needed, pool)
    copied = FileDescriptorProto()
    file.CopyToProto(copied)
    messages = list(copied.message_type)
    while messages:
        message = messages.pop()
        messages.extend(message.nested_type)
        for field in message.field:
            if field.type == FieldDescriptorProto.TYPE_STRING:
                field.type = FieldDescriptorProto.TYPE_BYTES
    pool.Add(copied)


class _Reader:
    def __init__(self) -> None:
        self._left = FIELDS

    def unpack(self, body: memoryview) -> Iterator[Packed]:
        for number, part in self._fields(body):
            if number == 1:
                resource = self._last(part, 1)
                for inner, scoped in self._fields(part):
                    if inner == 2:
                        yield from self._unpack_scope(resource, scoped)

    def _unpack_scope(self, resource: bytes, scoped: memoryview) -> Iterator[Packed]:
        scope = self._last(scoped, 1)
        for number, item in self._fields(scoped):
            if number == 2:
                yield Packed(resource, scope, bytes(item))

    def _last(self, part: memoryview, number: int) -> bytes:
        """Return the last field with a number, which may follow the items or be absent."""
        found = b""
        for this, value in self._fields(part):
            if this == number:
                found = bytes(value)
        return found

    def _fields(self, data: memoryview) -> Iterator[tuple[int, memoryview]]:
        """Yield the length-delimited fields of a message, and skip others."""
        at = 0
        while at < len(data):
            self._left -= 1
            if self._left < 0:
                raise TooLargeError(f"more than {FIELDS} resources, scopes and items")
            tag, at = _varint(data, at)
            number, wire_type = tag >> 3, tag & 7
            if number == 0:
                raise MalformedError("not a protobuf message")
            if wire_type == 2:
                length, at = _varint(data, at)
                if length > len(data) - at:
                    raise MalformedError("the protobuf message is truncated")
                yield number, data[at : at + length]
                at += length
            elif wire_type == 0:
                _, at = _varint(data, at)
            elif wire_type in _FIXED:
                at += _FIXED[wire_type]
            else:
                raise MalformedError("not a protobuf message")
        if at != len(data):
            raise MalformedError("the protobuf message is truncated")


_FIXED = {1: 8, 5: 4}


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while shift < 70:
        if at >= len(data):
            raise MalformedError("the protobuf message is truncated")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    raise MalformedError("not a protobuf message")
