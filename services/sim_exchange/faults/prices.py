"""Prices as they should not be, in events and answers of every form. Pure."""

from collections.abc import Callable
from decimal import Decimal
from typing import Final, Literal

from services.sim_exchange.face.layout import fixed

WrongKind = Literal["stale", "zero", "negative", "nan", "crossed", "thousandfold"]
Json = object

# Where events and answers hold a price as a text. The same letters hold a number in others, which is left alone.
_PRICES: Final = frozenset(
    {
        *("p", "b", "a", "o", "h", "l", "c", "w", "x"),
        *("price", "bidPrice", "askPrice", "lastPrice", "openPrice", "highPrice", "lowPrice"),
        *("weightedAvgPrice", "prevClosePrice"),
    }
)
_SIDES: Final = (("b", "a"), ("bids", "asks"), ("bidPrice", "askPrice"))
_BOOKS: Final = frozenset({"b", "a", "bids", "asks"})
_ROW_PRICES: Final = slice(1, 5)  # of a bar in an answer

_CHANGES: Final[dict[str, Callable[[str], str]]] = {
    "zero": lambda _: fixed(Decimal(0)),
    "negative": lambda price: fixed(-Decimal(price)),
    "nan": lambda _: "NaN",
    "thousandfold": lambda price: fixed(Decimal(price) * 1_000),
}


def wrong(kind: WrongKind, value: Json, stale: Json) -> Json:
    """Return an event or an answer with prices that are none; `stale` is an earlier one of the same stream."""
    match kind:
        case "crossed":
            return _crossed(value)
        case "stale":
            return _as_before(value, stale)
        case _:
            return _changed(value, _CHANGES[kind])


def _changed(value: Json, change: Callable[[str], str]) -> Json:
    if isinstance(value, list | tuple):
        if value and isinstance(value[0], int):  # a bar
            row = list(value)
            row[_ROW_PRICES] = [change(str(price)) for price in row[_ROW_PRICES]]
            return row
        return [_changed(part, change) for part in value]
    if not isinstance(value, dict):
        return value
    return {name: _changed_field(name, field, change) for name, field in value.items()}


def _changed_field(name: str, field: Json, change: Callable[[str], str]) -> Json:
    if name in _BOOKS and isinstance(field, list):
        return [[change(str(price)), quantity] for price, quantity in field]
    if name in _PRICES and isinstance(field, str):
        return change(field)
    return _changed(field, change) if name == "k" else field


def _crossed(value: Json) -> Json:
    """Return what is said of both sides with the sides exchanged."""
    if isinstance(value, list):
        return [_crossed(part) for part in value]
    if not isinstance(value, dict):
        return value
    crossed = dict(value)
    for bid, ask in _SIDES:
        if bid in value and ask in value:
            crossed[bid], crossed[ask] = value[ask], value[bid]
    return crossed


def _as_before(value: Json, stale: Json) -> Json:
    """Return what is said now, with the prices that were said before: only the price stands still, not the time."""
    if isinstance(value, list | tuple) and isinstance(stale, list | tuple):
        if value and isinstance(value[0], int):
            row = list(value)
            row[_ROW_PRICES] = list(stale)[_ROW_PRICES]
            return row
        before = {_name(part, place): part for place, part in enumerate(stale)}
        return [_as_before(part, before.get(_name(part, place))) for place, part in enumerate(value)]
    if not (isinstance(value, dict) and isinstance(stale, dict)):
        return value
    return {name: _field_as_before(name, field, stale.get(name)) for name, field in value.items()}


def _name(part: Json, place: int) -> Json:
    """Return by what a part of a list is known: its symbol, or else its place."""
    return part.get("s", part.get("symbol", place)) if isinstance(part, dict) else place


def _field_as_before(name: str, field: Json, before: Json) -> Json:
    is_price = (name in _BOOKS and isinstance(field, list)) or (name in _PRICES and isinstance(field, str))
    if is_price and before is not None:
        return before
    return _as_before(field, before) if name == "k" else field
