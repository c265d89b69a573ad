"""The bars that the venue tells: from the price source up to the minute in which it opened, from real trades since.

Real trades stay near the source's price, but are not it: makers keep a spread, and clients trade too. Bars of real
trades are kept for a while (see `tiers.KEPT`); what is older than that is told from the source again.
"""

from collections.abc import Iterator, Mapping
from itertools import islice, pairwise
from typing import Final, NamedTuple

import msgspec
import numpy as np

from services.sim_exchange.market.bars import Bars, Kline, added_up, flat_kline, klines
from services.sim_exchange.market.intervals import (
    HOUR_MS,
    INTERVALS,
    MINUTE_MS,
    SECOND_MS,
    Interval,
    next_opening_ms,
    opening_ms,
    openings_ms,
)
from services.sim_exchange.market.script import Scripts
from services.sim_exchange.market.source import Missing
from services.sim_exchange.market.tiers import Tier
from services.sim_exchange.venue.vocabulary import Traded

BARS_MAX: Final = 1_000  # in one answer, as on the real venue
MINUTES: Final = frozenset({"1m", "3m", "5m", "15m", "30m"})


class Closed(NamedTuple):
    """A bar that is over."""

    symbol: str
    interval: Interval
    kline: Kline


class Candles:
    """Every bar of every symbol and interval, until now. `opened_ms` is when the first real trade may happen."""

    def __init__(self, *, scripts: Scripts, opened_ms: int) -> None:
        self._scripts = scripts
        self._first_ms = scripts.history.first_ms
        self._now_ms = opened_ms - opened_ms % SECOND_MS
        self._tiers: Mapping[str, dict[int, Tier]] = {
            symbol: {length_ms: self._begun(symbol, length_ms) for length_ms in (SECOND_MS, MINUTE_MS, HOUR_MS)}
            for symbol in scripts.symbols
        }
        for tiers in self._tiers.values():
            tiers[SECOND_MS].roll(self._now_ms)

    def traded(self, trade: Traded) -> None:
        """Take a trade into the bars; it is not older than the last."""
        for tier in self._tiers[trade.symbol].values():
            tier.roll(trade.time_ms)
            tier.add(trade)

    def advance(self, now_ms: int) -> Iterator[Closed]:
        """Let the time pass, and yield what closed meanwhile: symbol by symbol, short bars before long ones."""
        then_ms, self._now_ms = self._now_ms, max(now_ms, self._now_ms)
        for symbol, tiers in self._tiers.items():
            for tier in tiers.values():
                tier.roll(self._now_ms)
            for interval in INTERVALS:
                first_ms, end_ms = opening_ms(interval, then_ms), opening_ms(interval, self._now_ms)
                if first_ms < end_ms:
                    for kline in self.since(symbol, interval, first_ms, end_ms):
                        yield Closed(symbol, interval, kline)

    def since(
        self, symbol: str, interval: Interval, start_ms: int, end_ms: int | None = None, limit: int = BARS_MAX
    ) -> list[Kline]:
        """Return the first bars that open at `start_ms` or later, before `end_ms` and not in the future."""
        return self._told(symbol, interval, self._opened(interval, start_ms, end_ms, limit))

    def latest(self, symbol: str, interval: Interval, end_ms: int | None = None, limit: int = BARS_MAX) -> list[Kline]:
        """Return the last bars that open before `end_ms` and not in the future; the last one may still grow."""
        return self._told(symbol, interval, self._opened(interval, None, end_ms, limit))

    def missing(
        self, symbol: str, interval: Interval, start_ms: int | None, end_ms: int | None = None, limit: int = BARS_MAX
    ) -> Iterator[Missing]:
        """Yield what `since` would have to make first to tell these bars, or without a start `latest`."""
        tier = self._tiers[symbol][_length_ms(interval)]
        opened = self._opened(interval, start_ms, end_ms, limit)
        if opened and opened[0] < tier.first_ms:
            history = self._scripts.history
            missing = history.missing_hours if tier.length_ms == HOUR_MS else history.missing_minutes
            until_ms = min(tier.first_ms, next_opening_ms(interval, opened[-1]))
            yield from missing(symbol, max(opened[0], self._first_ms), until_ms)

    def _opened(self, interval: Interval, start_ms: int | None, end_ms: int | None, limit: int) -> list[int]:
        """Return when the bars open that are asked for: the first ones from a start on, or without it the last."""
        until_ms = self._now_ms + 1 if end_ms is None else min(end_ms, self._now_ms + 1)
        count = min(limit, BARS_MAX)
        earliest_ms = opening_ms(interval, self._first_ms)
        if start_ms is None:
            start_ms = next_opening_ms(interval, opening_ms(interval, until_ms - 1), 1 - count)
        return list(islice(openings_ms(interval, max(start_ms, earliest_ms), until_ms), count))

    def _begun(self, symbol: str, length_ms: int) -> Tier:
        """Return a tier whose first bar holds what the source tells of the hour until this minute, and no more.

        The minute under way holds real trades alone, so that it is what whoever asks for its trades adds up.
        """
        minute_ms = self._now_ms - self._now_ms % MINUTE_MS
        opens_ms = minute_ms - minute_ms % length_ms
        end_ms = opens_ms + length_ms
        if opens_ms < minute_ms:
            return Tier(length_ms, _as_one(self._source_klines(symbol, MINUTE_MS, [opens_ms], minute_ms), end_ms))
        price = round(self._scripts.minute(symbol, minute_ms).price(minute_ms))
        return Tier(length_ms, flat_kline(opens_ms, end_ms, price * self._scripts.symbols[symbol].tick_size))

    def _told(self, symbol: str, interval: Interval, opened: list[int]) -> list[Kline]:
        if not opened:
            return []
        tier = self._tiers[symbol][_length_ms(interval)]
        turns_ms = [*opened, next_opening_ms(interval, opened[-1])]
        from_source = [opens_ms for opens_ms in opened if opens_ms < tier.first_ms]
        source_end_ms = min(tier.first_ms, turns_ms[-1])
        told = self._source_klines(symbol, tier.length_ms, from_source, source_end_ms) if from_source else []
        for opens_ms, end_ms in pairwise(turns_ms):
            if end_ms > tier.first_ms:
                earlier = [told.pop()] if opens_ms < tier.first_ms else []
                told.append(_as_one([*earlier, *tier.between(opens_ms, end_ms)], end_ms))
        return told

    def _source_klines(self, symbol: str, part_ms: int, opened: list[int], end_ms: int) -> list[Kline]:
        """Return the source's bars that open then, the last of which ends at `end_ms`."""
        first_ms = max(opened[0], self._first_ms)
        parts = self._source_bars(symbol, part_ms, first_ms, end_ms)
        starts = np.maximum((np.array(opened, dtype=np.int64) - first_ms) // part_ms, 0)
        return klines(opened, end_ms, added_up(parts, starts), self._scripts.symbols[symbol])

    def _source_bars(self, symbol: str, length_ms: int, start_ms: int, end_ms: int) -> Bars:
        if length_ms == SECOND_MS:
            return self._scripts.seconds(symbol, start_ms, end_ms)
        if length_ms == MINUTE_MS:
            return self._scripts.history.minutes(symbol, start_ms, end_ms)
        return self._scripts.history.hours(symbol, start_ms, end_ms)


def _length_ms(interval: Interval) -> int:
    """Return the length of the bars of which those of an interval are made."""
    if interval == "1s":
        return SECOND_MS
    return MINUTE_MS if interval in MINUTES else HOUR_MS


def _as_one(parts: list[Kline], end_ms: int) -> Kline:
    """Join bars that follow one another into one that ends there; those without trades count only if all are."""
    busy = [part for part in parts if part.trades] or parts[:1]
    joined = busy[0]
    for part in busy[1:]:
        joined = joined.then(part)
    return msgspec.structs.replace(joined, open_ms=parts[0].open_ms, close_ms=end_ms - 1)
