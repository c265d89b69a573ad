"""The same as lines for other programs: plain words to grep, or a JSON object for each answer."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

import msgspec

from proto.measures import HopsGiven, MeasuresGiven, SymbolMeasured
from proto.named import named
from services.watch.picture.concerns import about_symbol, concerns_of
from services.watch.picture.figures import NOT_KNOWN, stamp
from services.watch.picture.layout import printable

HEADING: Final = "time symbol feed bid ask spread_bps age_ms msgs_per_s state"
# Stands where a symbol stands; no symbol is so short, and none is without capitals.
MESH: Final = "mesh"
_NS_PER_MS: Final = 1_000_000


def plain_lines(measures: MeasuresGiven) -> Iterator[str]:
    """Yield a line for each symbol, its words as in the heading (the state may be several); and one for all."""
    time = stamp(measures.taken_wall_ns)
    for symbol in measures.symbols:
        yield f"{time} {' '.join(_words(symbol))}"
    concerns = "; ".join(printable(concern.words) for concern in concerns_of(measures))
    yield f"{time} {MESH} {f'not well: {concerns}' if concerns else 'all well'}"


def plain_trouble(trouble: str, now_wall_ns: int) -> str:
    """Return the line for when there is no answer."""
    return f"{stamp(now_wall_ns)} {MESH} unknown: {printable(trouble)}"


def json_line(measures: MeasuresGiven, hops: HopsGiven) -> str:
    """Return all that is known as one JSON object; money stays decimal text."""
    concerns = [concern.words for concern in concerns_of(measures)]
    verdict = {"taken_wall_ns": measures.taken_wall_ns, "well": not concerns, "concerns": concerns, "trouble": None}
    return _json({**verdict, **_fields(measures), **_fields(hops)})


def json_trouble(trouble: str, now_wall_ns: int) -> str:
    """Return the object for when there is no answer: whether all is well is then not known."""
    return _json({"taken_wall_ns": now_wall_ns, "well": None, "concerns": [], "trouble": trouble})


def _fields(message: MeasuresGiven | HopsGiven) -> dict[str, object]:
    fields = named(message)
    assert isinstance(fields, dict), "a message has names"
    return fields


def _json(answer: dict[str, object]) -> str:
    return msgspec.json.encode(answer).decode()


def _words(symbol: SymbolMeasured) -> Iterator[str]:
    yield printable(symbol.symbol)
    yield symbol.feed
    yield _decimal(symbol.bid_price)
    yield _decimal(symbol.ask_price)
    yield _decimal(symbol.spread_bps)
    yield NOT_KNOWN if symbol.received_age_ns is None else str(symbol.received_age_ns // _NS_PER_MS)
    yield _decimal(symbol.messages_per_second)
    concern = about_symbol(symbol)
    yield "open" if concern is None else printable(concern.words)


def _decimal(value: Decimal | None) -> str:
    return NOT_KNOWN if value is None else f"{value:f}"
