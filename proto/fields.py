"""The field types every message is made of, and the two base classes that give messages their wire form.

A message travels as a positional MessagePack array headed by its tag, `kind.version`. Positions leave no room for a
missing, unknown or repeated key. Types and bounds are held by the decoder, and by the type checker on our own side;
Decimals, whose bounds neither of them knows, are judged here whenever a message is made. Annotations must stay real
objects in this package (no `from __future__ import annotations`): the bounds are read off them when a class is created.
"""

from decimal import Clamped, Context, Decimal, DecimalException, Inexact, InvalidOperation, Overflow, Rounded, Subnormal
from typing import Annotated, Any, ClassVar, Final, Literal, get_args

import msgspec
from msgspec import Meta

INTEGER_MAX: Final = 2**63 - 1
DECIMAL_DIGITS_MAX: Final = 36
DECIMAL_EXPONENT_MAX: Final = 18
DECIMAL_EXPONENT_MIN: Final = -28
ID_LENGTH_MAX: Final = 96
TEXT_LENGTH_MAX: Final = 500
SHORT_TEXT_LENGTH_MAX: Final = 64

# Arithmetic in this context raises instead of rounding, so passing a number through it proves that it fits.
_exact: Final = Context(
    prec=DECIMAL_DIGITS_MAX,
    Emin=DECIMAL_EXPONENT_MIN,
    Emax=DECIMAL_EXPONENT_MAX,
    traps=[Clamped, Inexact, InvalidOperation, Overflow, Rounded, Subnormal],
).plus


class DecimalBound(msgspec.Struct, frozen=True):
    """The range a Decimal field keeps to, and the words its documentation uses for it."""

    words: str
    low: Decimal
    high: Decimal


_SMALLEST: Final = Decimal(f"1E{DECIMAL_EXPONENT_MIN}")
_LARGEST: Final = Decimal(f"1E{DECIMAL_EXPONENT_MAX}")

# Money and quantities: Decimal in memory, decimal text on the wire.
Price = Annotated[Decimal, DecimalBound("above 0", low=_SMALLEST, high=_LARGEST)]
Quantity = Annotated[Decimal, DecimalBound("0 or more", low=Decimal(0), high=_LARGEST)]
Amount = Annotated[Decimal, DecimalBound("of either sign", low=-_LARGEST, high=_LARGEST)]
Fraction = Annotated[Decimal, DecimalBound("above 0 and at most 1", low=_SMALLEST, high=Decimal(1))]
Share = Annotated[Decimal, DecimalBound("0 to 1", low=Decimal(0), high=Decimal(1))]

# What the market says: binary floats, for statistics and features. See docs/decisions/0002-wire-form.md.
MarketPrice = Annotated[float, Meta(gt=0, le=1e15)]
MarketQuantity = Annotated[float, Meta(ge=0, le=1e18)]

Count = Annotated[int, Meta(ge=0, le=INTEGER_MAX)]
TimeNs = Annotated[int, Meta(ge=0, le=INTEGER_MAX)]
DurationNs = Annotated[int, Meta(ge=0, le=INTEGER_MAX)]

Id = Annotated[str, Meta(min_length=1, max_length=ID_LENGTH_MAX)]
Name = Annotated[str, Meta(min_length=1, max_length=48)]
Symbol = Annotated[str, Meta(min_length=3, max_length=48)]
Asset = Annotated[str, Meta(min_length=1, max_length=24)]
Timeframe = Annotated[str, Meta(min_length=2, max_length=8)]
ShortText = Annotated[str, Meta(max_length=SHORT_TEXT_LENGTH_MAX)]
Text = Annotated[str, Meta(max_length=TEXT_LENGTH_MAX)]
Digest = Annotated[str, Meta(min_length=64, max_length=64)]  # in hexadecimal; a pattern would cost 2 us each
Instance = Annotated[str, Meta(min_length=4, max_length=48)]

Side = Literal["buy", "sell"]
Permission = Literal["RUN", "REDUCE_ONLY", "HALTED"]
Role = Literal[
    "feed",
    "strategy",
    "risk",
    "executor",
    "flattener",
    "metrics",
    "recorder",
    "dashboard",
    "telegram",
    "overseer",
    "exchange",
    "operator",
]


def clipped(text: str, length_max: int = TEXT_LENGTH_MAX) -> str:
    """Shorten a text of unknown length (a venue's answer, an exception) to what a field carries."""
    return text if len(text) <= length_max else text[: length_max - 1] + "…"


def clipped_short(text: str) -> str:
    """Shorten it to what a short field carries, as the reason of a condition or a code of a venue."""
    return clipped(text, SHORT_TEXT_LENGTH_MAX)


def _decimal_bound(annotation: object) -> DecimalBound | None:
    """Find the bound in `Annotated[Decimal, bound]` or in `Annotated[Decimal, bound] | None`."""
    for part in (annotation, *get_args(annotation)):
        for marker in getattr(part, "__metadata__", ()):
            if isinstance(marker, DecimalBound):
                return marker
    return None


class Part(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """A piece of a message: positional, immutable, its Decimals checked when it is made or decoded."""

    decimal_bounds: ClassVar[tuple[tuple[str, Decimal, Decimal], ...]] = ()

    def __init_subclass__(cls, **options: Any) -> None:  # noqa: ANN401 -- msgspec defines the options of a Struct
        """Collect the Decimal fields once per class, so that checking an instance is a short loop."""
        super().__init_subclass__(**options)
        own = ((name, _decimal_bound(annotation)) for name, annotation in cls.__annotations__.items())
        cls.decimal_bounds += tuple((name, bound.low, bound.high) for name, bound in own if bound is not None)

    def __post_init__(self) -> None:
        """Refuse a Decimal that is none, not finite, too long or out of range. It runs on decoding as well."""
        for name, low, high in self.decimal_bounds:
            value = getattr(self, name)
            if value is None:
                continue  # whether a field may be empty is the business of its type
            try:
                lawful = type(value) is Decimal and low <= _exact(value) <= high
            except DecimalException:  # not a number, or one that would have to be rounded
                lawful = False
            # Zero has a sign of its own; arithmetic makes a negative one lawfully, where both signs are.
            if not lawful or (not value and low >= 0 and value.is_signed()):
                raise ValueError(f"{name} is {str(value)[:48]!r}, no Decimal that fits there")


class Message(Part, frozen=True):
    """A body that an `Envelope` carries. Each subclass names its tag, `kind.version`."""


class MarketMessage(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """A body that a `MarketEnvelope` carries: floats, checked by the decoder alone, cheap enough for every tick.

    It holds no reference that could close a cycle, so the garbage collector need not follow it.
    """
