"""Prices as they should not be, in events and answers of every form. Pure."""

from collections.abc import Callable
from decimal import Decimal
from typing import Final

from services.sim_exchange.face.layout import fixed
from services.sim_exchange.faults.vocabulary import WrongPrice

Json = object

PLACES_MAX: Final = 1_000  # streams and answers whose price stands still at once; beyond that prices go on

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


class WrongPrices:
    """Makes prices wrong, and remembers those that stand still."""

    def __init__(self) -> None:
        self._stale: Final[dict[tuple[str, str], Json]] = {}

    def told(self, fault: WrongPrice, fault_id: str, place: str, value: Json) -> Json:
        """Return an event or an answer with prices that are none; `place` says of which stream or request it is."""
        match fault.price:
            case "crossed":
                return _crossed(value)
            case "stale":
                if len(self._stale) < PLACES_MAX:
                    return _as_before(value, self._stale.setdefault((fault_id, place), value))
                return _as_before(value, self._stale.get((fault_id, place)))
            case _:
                return _changed(value, _CHANGES[fault.price])

    def forget(self, fault_id: str) -> None:
        """Forget where the prices of a fault stood."""
        for key in [key for key in self._stale if key[0] == fault_id]:
            del self._stale[key]


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
