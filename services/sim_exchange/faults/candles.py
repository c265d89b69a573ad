"""Bars as they should not be: left out, told twice, or told again with another close. Pure."""

from decimal import Decimal
from typing import Final

from services.sim_exchange.face.layout import Payload, fixed
from services.sim_exchange.faults.vocabulary import CandleDuplicate, CandleMissing, CandleRevised

_HIGH: Final = 2
_LOW: Final = 3
_CLOSE: Final = 4

CandleFault = CandleMissing | CandleDuplicate | CandleRevised
Row = list[object]


def rows_changed(fault: CandleFault, rows: list[Row]) -> list[Row]:
    """Return the bars of an answer with the one in the middle as it should not be."""
    if not rows:
        return rows
    middle = len(rows) // 2
    before, row, after = rows[:middle], rows[middle], rows[middle + 1 :]
    match fault:
        case CandleMissing():
            return before + after
        case CandleDuplicate():
            return [*before, row, row, *after]
        case CandleRevised(by_fraction=fraction):
            close, high, low = _revised(str(row[_CLOSE]), str(row[_HIGH]), str(row[_LOW]), fraction)
            revised = [*row[:_HIGH], high, low, close, *row[_CLOSE + 1 :]]
            return [*before, revised, *after]


def events_changed(fault: CandleFault, event: Payload) -> list[Payload]:
    """Return what is told instead of a bar that closed."""
    match fault:
        case CandleMissing():
            return []
        case CandleDuplicate():
            return [event, event]
        case CandleRevised(by_fraction=fraction):
            bar = event["k"]
            assert isinstance(bar, dict), "an event of a bar holds it"
            close, high, low = _revised(bar["c"], bar["h"], bar["l"], fraction)
            return [event, {**event, "k": {**bar, "c": close, "h": high, "l": low}}]


def _revised(close: str, high: str, low: str, fraction: float) -> tuple[str, str, str]:
    """Return another close, and the extremes that go with it."""
    revised = Decimal(close) * (1 + Decimal(str(fraction)))
    return fixed(revised), fixed(max(Decimal(high), revised)), fixed(min(Decimal(low), revised))
