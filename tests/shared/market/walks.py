"""Markets made by chance for the tests of features and strategies: bars that drift, on a volume in bursts."""

from collections.abc import Sequence
from random import Random

import msgspec

from proto.market import BarClosed
from shared.market.timeframe import timeframe

NOON_NS = 1_735_732_800 * 1_000_000_000  # 2025-01-01 12:00 UTC


def walked_bars(count: int, *, seed: int = 1, bar_length: str = "1h", first_ns: int = NOON_NS) -> list[BarClosed]:
    """Return bars in a row. They trend one way for a while, then another."""
    draws, length = Random(seed), timeframe(bar_length)  # noqa: S311  # a market, and no secret
    price, drift, bars = 100.0, 0.0, list[BarClosed]()
    for place in range(count):
        if place % 60 == 0:
            drift = draws.choice((-0.0015, 0.0, 0.0015))
        close = price * (1 + drift + draws.gauss(0, 0.004))
        reach = price * abs(draws.gauss(0, 0.002))
        open_ns = first_ns + place * length.duration_ns
        volume = draws.lognormvariate(3, 0.6)
        bars.append(
            BarClosed(
                symbol="BTC/USDT",
                timeframe=bar_length,
                open_time_ns=open_ns,
                close_time_ns=length.close_time_ns(open_ns),
                open_price=price,
                high_price=max(price, close) + reach,
                low_price=min(price, close) - reach,
                close_price=close,
                base_volume=volume,
                quote_volume=volume * close,
                trade_count=100,
                source="trades",
                gapless=True,
            )
        )
        price = close
    return bars


def without(bars: Sequence[BarClosed], place: int) -> list[BarClosed]:
    """Return the bars with one missing."""
    return [*bars[:place], *bars[place + 1 :]]


def scaled(bar: BarClosed, factor: float) -> BarClosed:
    """Return a bar with other prices."""
    return msgspec.structs.replace(
        bar,
        open_price=bar.open_price * factor,
        high_price=bar.high_price * factor,
        low_price=bar.low_price * factor,
        close_price=bar.close_price * factor,
    )
