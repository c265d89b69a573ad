"""Bars made of real trades, for one symbol: seconds, minutes and hours, each kept for a while."""

from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import Final

from services.sim_exchange.market.bars import Kline, flat_kline
from services.sim_exchange.market.intervals import HOUR_MS, MINUTE_MS, SECOND_MS
from services.sim_exchange.venue.vocabulary import Traded

# How many bars of each length are kept: an hour of seconds, three days of minutes, a year of hours.
KEPT: Final = {SECOND_MS: 3_600, MINUTE_MS: 3 * 1_440, HOUR_MS: 366 * 24}


class Tier:
    """Bars of one length in a row, the last of which still grows. The oldest go when there are too many."""

    def __init__(self, length_ms: int, begun: Kline) -> None:
        self.length_ms = length_ms
        self._closed: deque[Kline] = deque(maxlen=KEPT[length_ms])
        self._growing = begun

    @property
    def first_ms(self) -> int:
        """When the oldest bar opens that is kept."""
        return self._closed[0].open_ms if self._closed else self._growing.open_ms

    def roll(self, now_ms: int) -> None:
        """Close what is over."""
        skipped = (now_ms - self._growing.open_ms) // self.length_ms - KEPT[self.length_ms]
        if (
            skipped > 0
        ):  # nothing that is kept now will be kept then, and the silence in between is not worth a bar each
            self._closed.clear()
            opens_ms = self._growing.open_ms + skipped * self.length_ms
            self._growing = flat_kline(opens_ms, opens_ms + self.length_ms, self._growing.close)
        while self._growing.close_ms < now_ms:
            self._closed.append(self._growing)
            opens_ms = self._growing.close_ms + 1
            self._growing = flat_kline(opens_ms, opens_ms + self.length_ms, self._growing.close)

    def add(self, trade: Traded) -> None:
        """Let the growing bar hold a trade that lies in it."""
        seen = _of_one(trade, self._growing)
        self._growing = self._growing.then(seen) if self._growing.trades else seen

    def between(self, start_ms: int, end_ms: int) -> Iterator[Kline]:
        """Yield the bars that open at `start_ms` or later and before `end_ms`, as far as they are kept."""
        first = max(0, (start_ms - self.first_ms) // self.length_ms)
        yield from islice(self._closed, first, max(first, (end_ms - self.first_ms) // self.length_ms))
        if start_ms <= self._growing.open_ms < end_ms:
            yield self._growing


def _of_one(trade: Traded, bar: Kline) -> Kline:
    worth = trade.price * trade.quantity
    bought = not trade.buyer_is_maker
    return Kline(
        open_ms=bar.open_ms,
        close_ms=bar.close_ms,
        open=trade.price,
        high=trade.price,
        low=trade.price,
        close=trade.price,
        volume=trade.quantity,
        quote_volume=worth,
        trades=1,
        taker_buy_volume=trade.quantity if bought else trade.quantity * 0,
        taker_buy_quote_volume=worth if bought else worth * 0,
    )
