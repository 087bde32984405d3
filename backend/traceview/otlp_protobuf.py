"""The outer shape of an OTLP request in protobuf: resources, in them scopes, in them items.

Traces, logs and metrics share it, with the same field numbers. It is taken apart here one
item at a time, because parsing a whole request would let a body of a few megabytes full of
empty messages become gigabytes of objects.
"""

from collections.abc import Iterator
from typing import NamedTuple

from traceview.errors import MalformedError, TooLargeError

FIELDS = 500_000
"""How many fields the outer shape may have, over all."""


class Packed(NamedTuple):
    """An item still in protobuf, and the resource and scope that it came under."""

    resource: bytes
    scope: bytes
    item: bytes


def unpack(body: bytes) -> Iterator[Packed]:
    """Every item of an Export…ServiceRequest.

    Raises:
        MalformedError: the bytes are no protobuf, or cut off.
        TooLargeError: the outer shape has too many fields.
    """
    return _Reader().unpack(memoryview(body))


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
        """The last field of a number: it may stand behind the items, or not be there."""
        found = b""
        for this, value in self._fields(part):
            if this == number:
                found = bytes(value)
        return found

    def _fields(self, data: memoryview) -> Iterator[tuple[int, memoryview]]:
        """The length-delimited fields of a message; others are stepped over."""
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
                    raise MalformedError("the protobuf message is cut off")
                yield number, data[at : at + length]
                at += length
            elif wire_type == 0:
                _, at = _varint(data, at)
            elif wire_type in _FIXED:
                at += _FIXED[wire_type]
            else:
                raise MalformedError("not a protobuf message")
        if at != len(data):
            raise MalformedError("the protobuf message is cut off")


_FIXED = {1: 8, 5: 4}


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while shift < 70:
        if at >= len(data):
            raise MalformedError("the protobuf message is cut off")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    raise MalformedError("not a protobuf message")
