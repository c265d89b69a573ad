"""The bars of a symbol in every timeframe: from trades, from candles, and from both."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import count

import msgspec

from proto.bars import Bar
from services.feed_handler.bar_desk import SHOWN_NS, BarDesk, BarNews
from services.feed_handler.closing_line import PATIENCE_NS, WARM_UP_RETRY_NS
from shared.market.bars import BarBuilder
from shared.market.observations import Trade
from shared.market.timeframe import timeframe
from tests.services.feed_handler.builders import MINUTE_NS, NOON_NS, SECOND_NS, SYMBOL, a_candle, a_trade

TOLD = frozenset({"1m", "5m", "1h"})


def a_desk(*names: str, at_ns: int = NOON_NS) -> BarDesk:
    """Return a desk that has begun, at noon if nothing else is said, with nothing before."""
    ids = count(1)
    desk = BarDesk(SYMBOL, [timeframe(name) for name in names], told_by_venue=TOLD, fetch_id=lambda: next(ids))
    for fetch in desk.begin(at_ns).fetches:
        desk.fetched(fetch.fetch_id, (), at_ns)
    desk.trades_begin(desk.from_the_minute(at_ns))
    return desk


def trades(*, seconds: Sequence[int]) -> list[Trade]:
    """Return a trade at each of these seconds after noon."""
    return [
        a_trade(place + 1, at_ns=NOON_NS + second * SECOND_NS, price=str(64_000 + second), quantity="0.01")
        for place, second in enumerate(seconds)
    ]


def closed(news: BarNews, name: str) -> list[Bar]:
    """Return the bars of a timeframe that were finished."""
    return [bar for frame, bar in news.closed if frame == name]


def opens(bars: Sequence[Bar]) -> list[int]:
    """Return when bars opened, in seconds after noon."""
    return [(bar.open_time_ns - NOON_NS) // SECOND_NS for bar in bars]


def test_the_first_trade_of_the_next_bar_closes_a_bar() -> None:
    """Seconds and minutes are final with the first trade behind them."""
    desk = a_desk("5s", "1m")
    news = desk.trades(trades(seconds=[1, 3, 6, 61]))
    assert opens(closed(news, "5s"))[:2] == [0, 5]
    assert opens(closed(news, "1m")) == [0]
    assert closed(news, "1m")[0].trade_count == 3


def test_only_what_was_chosen_is_published() -> None:
    """Minutes are kept in any case, and told only to whoever chose them."""
    desk = a_desk("5s")
    news = desk.trades(trades(seconds=[1, 61]))
    assert {name for name, _ in news.closed} == {"5s"}
    assert opens(desk.before("1m", None, 5)) == [0]


def test_longer_bars_are_folded_from_final_minutes() -> None:
    """Five minutes are finished together with their last minute, and equal the same trades in one go."""
    desk = a_desk("1m", "5m", at_ns=NOON_NS // (5 * MINUTE_NS) * 5 * MINUTE_NS)
    begin_ns = NOON_NS // (5 * MINUTE_NS) * 5 * MINUTE_NS
    row = [a_trade(place, at_ns=begin_ns + place * 7 * SECOND_NS, price=str(64_000 + place)) for place in range(1, 60)]
    news = desk.trades(row)
    whole = BarBuilder(timeframe("5m"))
    whole.begin(begin_ns)
    assert closed(news, "5m") == [bar for trade in row for bar in whole.trade(trade)]


def test_a_loss_is_mended_by_the_venues_candle() -> None:
    """Seconds behind a hole say so; the minute waits for the venue's candle, and what is folded from it is whole."""
    desk = a_desk("5s", "1m")
    desk.trades(trades(seconds=[1]))
    desk.doubt_until(NOON_NS + 61 * SECOND_NS)
    news = desk.trades([a_trade(9, at_ns=NOON_NS + 61 * SECOND_NS)])
    assert not any(bar.gapless for bar in closed(news, "5s"))
    assert closed(news, "1m") == []
    told = desk.candle(a_candle(NOON_NS))
    assert [(bar.source, bar.gapless) for bar in closed(told, "1m")] == [("venue", True)]


def test_what_is_quiet_is_closed_when_all_trades_are_known_to_have_come() -> None:
    """Time alone closes nothing; that nothing was traded until then does, seconds and minutes."""
    desk = a_desk("5s", "1m")
    desk.trades(trades(seconds=[1]))
    assert desk.clock(NOON_NS + MINUTE_NS).closed == []
    assert closed(desk.reached(NOON_NS + 5 * SECOND_NS - 1), "5s") == []
    assert opens(closed(desk.reached(NOON_NS + 5 * SECOND_NS), "5s")) == [0]
    assert opens(closed(desk.reached(NOON_NS + MINUTE_NS), "1m")) == [0]


def test_only_bars_that_nobody_else_tells_wait_for_trades() -> None:
    """The venue tells of minutes by itself; of seconds it has to be asked what was traded."""
    seconds, minutes = a_desk("5s"), a_desk("1m")
    for desk in (seconds, minutes):
        assert not desk.wait_for_trades(NOON_NS + MINUTE_NS)  # before the first price there is no bar
        desk.trades(trades(seconds=[1]))
    assert not seconds.wait_for_trades(NOON_NS + 5 * SECOND_NS + SHOWN_NS - 1)
    assert seconds.wait_for_trades(NOON_NS + 5 * SECOND_NS + SHOWN_NS)
    assert not minutes.wait_for_trades(NOON_NS + 3 * MINUTE_NS)


def test_a_refused_trade_is_missing_in_its_own_bar() -> None:
    """A doubt is about the time of the trade, whatever was known when it came."""
    desk = a_desk("5s")
    desk.trades(trades(seconds=[1]))
    desk.doubt_at(NOON_NS + 6 * SECOND_NS)
    news = desk.reached(NOON_NS + 15 * SECOND_NS)
    assert [bar.gapless for bar in closed(news, "5s")] == [True, False, True]


def test_an_overdue_candle_is_fetched() -> None:
    """A minute that neither trades nor the stream finished is asked for, and published when it comes."""
    desk = a_desk("1m")
    news = desk.clock(NOON_NS + MINUTE_NS + PATIENCE_NS)
    (fetch,) = news.fetches
    fetched = desk.fetched(fetch.fetch_id, [a_candle(NOON_NS)], NOON_NS + MINUTE_NS + PATIENCE_NS)
    assert opens(closed(fetched, "1m")) == [0]


def test_a_fetch_of_somebody_else_is_left_to_them() -> None:
    """What we did not ask for is not ours, and what was answered is not awaited any longer."""
    desk = a_desk("1m")
    assert not desk.wants(4711)
    (fetch,) = desk.clock(NOON_NS + MINUTE_NS + PATIENCE_NS).fetches
    assert desk.wants(fetch.fetch_id)
    desk.fetched(fetch.fetch_id, None, NOON_NS)
    assert not desk.wants(fetch.fetch_id)


def test_what_was_before_is_fetched_until_the_venue_gives_it() -> None:
    """A warm-up that fails is tried again later, and lies before what was finished meanwhile."""
    ids = count(1)
    desk = BarDesk(SYMBOL, [timeframe("1m")], told_by_venue=TOLD, fetch_id=lambda: next(ids))
    (fetch,) = desk.begin(NOON_NS).fetches
    desk.fetched(fetch.fetch_id, None, NOON_NS)
    assert desk.clock(NOON_NS + WARM_UP_RETRY_NS - 1).fetches == []
    desk.candle(a_candle(NOON_NS))
    (again,) = desk.clock(NOON_NS + WARM_UP_RETRY_NS).fetches
    assert (again.before_open_time_ns, again.candles_max) == (fetch.before_open_time_ns, fetch.candles_max)
    desk.fetched(again.fetch_id, [a_candle(NOON_NS - place * MINUTE_NS) for place in (2, 1)], NOON_NS)
    assert opens(desk.before("1m", None, 5)) == [-120, -60, 0]
    assert desk.clock(NOON_NS + 2 * WARM_UP_RETRY_NS).fetches == []


def test_a_bar_joined_in_the_middle_is_told_by_the_venue() -> None:
    """An hour that began before us is not folded from half its minutes: the venue's own is fetched."""
    desk = a_desk("1h", at_ns=NOON_NS)
    hour = timeframe("1h")
    opening = hour.open_time_ns(NOON_NS)
    closes_ns = hour.close_time_ns(opening)
    minutes = [a_candle(at_ns) for at_ns in range(NOON_NS, closes_ns, MINUTE_NS)]
    assert [bar for candle in minutes for bar in closed(desk.candle(candle), "1h")] == []
    fetches = {fetch.timeframe: fetch for fetch in desk.clock(closes_ns + PATIENCE_NS).fetches}
    fetched = desk.fetched(fetches["1h"].fetch_id, [a_candle(opening, timeframe="1h")], closes_ns + PATIENCE_NS)
    assert [bar.open_time_ns for bar in closed(fetched, "1h")] == [opening]


def test_what_was_before_the_beginning_completes_the_first_longer_bar() -> None:
    """Minutes that were fetched at the beginning count for the five minutes they lie in."""
    ids = count(1)
    begin_ns = NOON_NS // (5 * MINUTE_NS) * 5 * MINUTE_NS
    desk = BarDesk(SYMBOL, [timeframe("5m")], told_by_venue=TOLD, fetch_id=lambda: next(ids))
    now_ns = begin_ns + 3 * MINUTE_NS
    for fetch in desk.begin(now_ns).fetches:
        before = [a_candle(begin_ns + number * MINUTE_NS) for number in range(3)] if fetch.timeframe == "1m" else []
        desk.fetched(fetch.fetch_id, before, now_ns)
    desk.candle(a_candle(begin_ns + 3 * MINUTE_NS))
    news = desk.candle(a_candle(begin_ns + 4 * MINUTE_NS))
    assert [(bar.open_time_ns, bar.gapless, bar.trade_count) for bar in closed(news, "5m")] == [(begin_ns, True, 5)]


def test_a_revision_names_the_timeframe_and_the_fields() -> None:
    """A candle that differs from the bar that was published is reported, and the bar stays."""
    desk = a_desk("1m")
    desk.trades(trades(seconds=[1, 61]))
    told = msgspec.structs.replace(a_candle(NOON_NS, close="64001"), base_volume=Decimal(5))
    (revised,) = desk.candle(told).revised
    assert (revised.timeframe, "base_volume" in revised.fields) == ("1m", True)
    assert desk.before("1m", None, 1) == (revised.published,)
