"""The kinds of value a setting may hold: exact numbers with a unit and a range, and short texts with a shape.

Each kind is declared once, beside the key it belongs to, and says in plain words why it refuses a value. A refused
number is repeated, a refused text never is.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

HUNDRED = Decimal(100)
Unit = Literal["percent", "quote", "count", "number"]
WHOLE: Final[frozenset[Unit]] = frozenset({"count", "number"})


def plain(number: Decimal) -> str:
    """Write a number out without exponent or trailing zeros, so that 0.50 and 0.5 read (and hash) the same."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def refusal(text: str) -> PydanticCustomError:
    """Wrap our own words so that pydantic carries them unchanged; braces would be read as placeholders."""
    return PydanticCustomError("refused", "{text}", {"text": text})


@dataclass(frozen=True)
class Number:
    """A number of one unit between a floor and a ceiling, both allowed.

    The floor of a percentage lies above a hundredth of its ceiling: then no fraction of an allowed percentage is
    itself an allowed percentage, and 0.02 meant as 2 % cannot slip through as 0.02 %.
    """

    unit: Unit
    floor: Decimal
    ceiling: Decimal

    def __get_pydantic_core_schema__(self, _source: object, _handler: GetCoreSchemaHandler) -> CoreSchema:
        """Let pydantic validate through `checked`, which is stricter than its own numbers."""
        return core_schema.no_info_plain_validator_function(self.checked)

    def checked(self, value: object) -> Decimal | int:
        """Return the exact value (an int for a whole number), or raise why it is refused."""
        if type(value) not in {int, Decimal}:
            raise refusal(f"{_kind(value)} where a number is expected: write it like {plain(self.floor)}, unquoted")
        number = Decimal(str(value))
        if not number.is_finite():
            raise refusal("is not a finite number")
        if self.unit in WHOLE and type(value) is not int:
            raise refusal(f"{plain(number)} is not a whole number")
        if not self.floor <= number <= self.ceiling:
            raise refusal(self._outside(number))
        return value if isinstance(value, int) and self.unit in WHOLE else number

    @property
    def range(self) -> str:
        """The range in the words of the reference page."""
        return f"{plain(self.floor)} to {plain(self.ceiling)}"

    def _outside(self, number: Decimal) -> str:
        text = f"{plain(number)} is outside {self.range}"
        if self.unit == "percent":
            text += " percent"
            if self.floor <= number * HUNDRED <= self.ceiling:
                return f"{text}: it looks like a fraction, write {plain(number * HUNDRED)}"
        return text


@dataclass(frozen=True)
class Text:
    """A short text of one shape, described by `meaning` when a value does not have it."""

    pattern: str
    meaning: str

    def __get_pydantic_core_schema__(self, _source: object, _handler: GetCoreSchemaHandler) -> CoreSchema:
        """Let pydantic validate through `checked`, whose words fit the key."""
        return core_schema.no_info_plain_validator_function(self.checked)

    def checked(self, value: object) -> str:
        """Return the text, or raise what is expected instead."""
        if not isinstance(value, str):
            raise refusal(f"{_kind(value)} where {self.meaning} is expected; quote it if it is meant")
        if re.fullmatch(self.pattern, value) is None:
            raise refusal(f"must be {self.meaning}")
        return value


def percent(floor: str, ceiling: str) -> Number:
    """Declare a `_pct` key; the law between floor and ceiling is held here, at import."""
    low, high = Decimal(floor), Decimal(ceiling)
    assert low * HUNDRED > high, "a fraction of an allowed percentage must not be allowed itself"
    return Number("percent", low, high)


def quote(floor: str, ceiling: str) -> Number:
    """Declare a key in the quote asset of the venue."""
    return Number("quote", Decimal(floor), Decimal(ceiling))


def count(floor: int, ceiling: int) -> Number:
    """Declare a whole number of things."""
    return Number("count", Decimal(floor), Decimal(ceiling))


def number(floor: int, ceiling: int) -> Number:
    """Declare a whole number that counts nothing: a port, a seed."""
    return Number("number", Decimal(floor), Decimal(ceiling))


def _kind(value: object) -> str:
    """Name what was found, without repeating it."""
    kinds = {bool: "true or false", str: "text", list: "a list", int: "a number", Decimal: "a number"}
    return kinds.get(type(value), "something else")
