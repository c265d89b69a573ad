"""Which market data is read, by which process: the timeframes of bars, the books kept, and further feeds.

An entry of `feed.others` is `feed-2=binance SOL/USDT BNB/USDT`: an instance, its venue, and the symbols it reads there.
"""

import re
from dataclasses import dataclass

from shared.market.timeframe import TimeframeRefusedError, timeframe
from shared.mesh.settings.values import refusal

TIMEFRAMES_MAX = 12
FEEDS_MAX = 16
SYMBOLS_MAX = 100
VENUES = ("binance", "binanceusdm")
SYMBOL = re.compile(r"[A-Z0-9]{2,15}/[A-Z0-9]{2,10}(:[A-Z0-9]{2,10})?")
_INSTANCE = re.compile(r"feed-[a-z0-9_]{1,24}")


@dataclass(frozen=True)
class Feed:
    """One further feed: its instance, its venue, its symbols."""

    instance: str
    venue: str
    symbols: tuple[str, ...]


def checked_timeframes(value: object) -> tuple[str, ...]:
    """Return the timeframes as they were written; refuse what is none, and what comes twice."""
    if not isinstance(value, list | tuple) or not 1 <= len(value) <= TIMEFRAMES_MAX:
        raise refusal(f"must be a list of 1 to {TIMEFRAMES_MAX} timeframes such as [5s, 1m, 1h]")
    names = tuple(str(name).strip() for name in value)
    durations: dict[int, str] = {}
    for place, name in enumerate(names, start=1):
        try:
            duration_ns = timeframe(name).duration_ns
        except TimeframeRefusedError as error:
            raise refusal(f"entry {place}: {error}") from error
        if duration_ns in durations:
            raise refusal(f"entry {place} is as long as {durations[duration_ns]}: keep one")
        durations[duration_ns] = name
    return names


def checked_books(value: object) -> tuple[str, ...]:
    """Return the symbols whose order book is kept."""
    if not isinstance(value, list | tuple) or len(value) > SYMBOLS_MAX:
        raise refusal(f"must be a list of at most {SYMBOLS_MAX} symbols such as [BTC/USDT]")
    symbols = tuple(str(symbol).strip().upper() for symbol in value)
    for place, symbol in enumerate(symbols, start=1):
        if not SYMBOL.fullmatch(symbol):
            raise refusal(f"entry {place} is not written BASE/QUOTE, such as BTC/USDT")
    return tuple(dict.fromkeys(symbols))


def checked_feeds(value: object) -> tuple[str, ...]:
    """Return the entries as they were written; refuse by its place what is no feed, or comes twice."""
    if not isinstance(value, list | tuple) or len(value) > FEEDS_MAX:
        raise refusal(f"must be a list of at most {FEEDS_MAX} entries such as feed-2=binance SOL/USDT BNB/USDT")
    entries = tuple(" ".join(str(entry).split()) for entry in value)
    for place, entry in enumerate(entries, start=1):
        if fault := _fault(entry):
            raise refusal(f"entry {place} {fault}")
    instances = [feed.instance for feed in feeds(entries)]
    again = next((place for place, name in enumerate(instances) if name in instances[:place]), None)
    if again is not None:
        raise refusal(f"entry {again + 1} has the instance of another: each feed has a name of its own")
    return entries


def feeds(entries: tuple[str, ...]) -> tuple[Feed, ...]:
    """Return what lawful entries say."""
    found = []
    for entry in entries:
        instance, _, rest = entry.partition("=")
        venue, *symbols = rest.split()
        found.append(Feed(instance.strip(), venue, tuple(symbols)))
    return tuple(found)


def _fault(entry: str) -> str:
    """Say why an entry is no feed; empty when it is one."""
    instance, equals, rest = entry.partition("=")
    venue, *symbols = rest.split() or [""]
    if not equals or not symbols:
        return "is not written instance=venue symbols, such as feed-2=binance SOL/USDT BNB/USDT"
    if not _INSTANCE.fullmatch(instance.strip()):
        return "names no further feed before its =: write feed, a dash and a name, such as feed-2"
    if venue not in VENUES:
        return f"names no venue behind its =: there are {', '.join(VENUES)}"
    if len(symbols) > SYMBOLS_MAX or any(not SYMBOL.fullmatch(symbol) for symbol in symbols):
        return "has a symbol that is not written BASE/QUOTE or BASE/QUOTE:SETTLED, such as BTC/USDT or BTC/USDT:USDT"
    return "has a symbol twice: keep one" if len(set(symbols)) < len(symbols) else ""
