"""How a positional array becomes a word: each field read by the type that the word declares for it, strictly.

A word is a frozen dataclass whose fields stand in the order of docs/messages.md. One with a `TAG` begins with it.
"""

import functools
import types
from collections.abc import Callable, Sequence
from dataclasses import fields
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin, get_type_hints

Reader = Callable[[object], object]

ABOVE_ZERO: Final = "above 0"
ZERO_OR_MORE: Final = "0 or more"
Price = Annotated[Decimal, ABOVE_ZERO]
Quantity = Annotated[Decimal, ZERO_OR_MORE]


class UnreadableError(ValueError):
    """What stands there is not what the pages say must."""


def reader_of_word(word: type[Any]) -> Reader:
    """Return what reads this word from its array."""
    hints = get_type_hints(word, include_extras=True)
    names = [field.name for field in fields(word)]
    readers = [_reader_of(hints[name]) for name in names]
    tag: str | None = getattr(word, "TAG", None)

    def read(value: object) -> object:
        array = _array(value, tag)
        if len(array) != len(readers):
            raise UnreadableError(f"{word.__name__} has {len(array)} fields, {len(readers)} expected")
        found = []
        for name, field_reader, part in zip(names, readers, array, strict=True):
            try:
                found.append(field_reader(part))
            except UnreadableError as error:
                raise UnreadableError(f"{name}: {error}") from error
        return word(*found)

    return read


def _array(value: object, tag: str | None) -> Sequence[object]:
    if not isinstance(value, list):
        raise UnreadableError(f"{value!r} is no array")
    if tag is None:
        return value
    if not value or value[0] != tag:
        raise UnreadableError(f"{value[:1]} is not the tag {tag}")
    return value[1:]


def _reader_of(hint: Any) -> Reader:  # noqa: ANN401 -- an annotation is any object
    plain: dict[object, Reader] = {str: _text, int: _whole, bool: _truth, Decimal: _decimal}
    if hint in plain:
        return plain[hint]
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return functools.partial(_bounded, bound=arguments[1])
    if origin is Literal:
        return functools.partial(_one_of, words=arguments)
    if origin is tuple:
        return functools.partial(_row, reader=_reader_of(arguments[0]))
    if origin in {Union, types.UnionType}:
        return _reader_of_union([argument for argument in arguments if argument is not types.NoneType], arguments)
    return reader_of_word(hint)


def _reader_of_union(words: list[Any], arguments: tuple[Any, ...]) -> Reader:
    one = _reader_of(words[0]) if len(words) == 1 else _reader_of_tagged(words)
    if types.NoneType not in arguments:
        return one
    return lambda value: None if value is None else one(value)


def _reader_of_tagged(words: list[Any]) -> Reader:
    readers = {word.TAG: reader_of_word(word) for word in words}

    def read(value: object) -> object:
        tag = value[0] if isinstance(value, list) and value else None
        if tag not in readers:
            raise UnreadableError(f"{tag!r} is none of {', '.join(readers)}")
        return readers[tag](value)

    return read


def _row(value: object, *, reader: Reader) -> object:
    return tuple(reader(part) for part in _array(value, None))


def _one_of(value: object, *, words: tuple[object, ...]) -> object:
    if value not in words:
        raise UnreadableError(f"{value!r} is none of {', '.join(map(str, words))}")
    return value


def _text(value: object) -> object:
    if not isinstance(value, str):
        raise UnreadableError(f"{value!r} is no text")
    return value


def _whole(value: object) -> object:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise UnreadableError(f"{value!r} is no whole number from 0 up")
    return value


def _truth(value: object) -> object:
    if not isinstance(value, bool):
        raise UnreadableError(f"{value!r} is neither true nor false")
    return value


def _decimal(value: object) -> Decimal:
    if not isinstance(value, str):
        raise UnreadableError(f"{value!r} is no decimal text")
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise UnreadableError(f"{value!r} is no decimal number") from None
    if not number.is_finite() or str(number) != value:
        raise UnreadableError(f"{value!r} is not a finite decimal number as it is spelled here")
    return number


def _bounded(value: object, *, bound: str) -> object:
    number = _decimal(value)
    if number < 0 or (number == 0 and (bound == ABOVE_ZERO or number.is_signed())):
        raise UnreadableError(f"{value!r} is not {bound}")
    return number
