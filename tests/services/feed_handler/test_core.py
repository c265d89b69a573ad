"""The feed's core by itself: what it does about time, silence and lateness, with no venue and no socket."""

from proto.market import BarClosed, LinkLost, LinkOpened, QuoteSeen, SymbolDoubted, TradeSeen
from services.feed_handler.bar_desk import SHOWN_NS
from services.feed_handler.core import FeedCore
from services.feed_handler.silence import QUIET_NS
from services.feed_handler.vocabulary import (
    CandlesFetched,
    FetchCandles,
    FetchTrades,
    Reconnect,
    Resubscribe,
    StreamLost,
    StreamOpened,
    TradesFetched,
    Unreadable,
    VenueClock,
)
from shared.core.service import Note, Stalled, WakeAt, Woken
from tests.services.feed_handler.builders import MINUTE_NS, NOON_NS, SECOND_NS, SYMBOL, a_candle, a_quote, a_trade
from tests.services.feed_handler.life import TICK_NS, Life


def test_a_quiet_second_is_closed_when_the_venue_knows_of_no_more_trades() -> None:
    """A bar that is over is asked about once the venue shows all of its trades, and closed by the answer."""
    life = Life()
    life.opened()
    life.told(a_trade(1, at_ns=life.now_ns))
    life.passes(SECOND_NS + SHOWN_NS - TICK_NS)
    assert life.published(BarClosed) == []
    life.passes(QUIET_NS["trades"])
    bars = [body for body in life.published(BarClosed) if isinstance(body, BarClosed)]
    assert bars[0].open_time_ns == NOON_NS
    assert all(bar.gapless for bar in bars)


def test_a_bar_over_a_stream_that_died_silently_waits_for_its_trades() -> None:
    """What the stream keeps from us is in the bar, since it is not closed before the venue was asked."""
    life = Life()
    life.opened()
    life.told(a_trade(1, at_ns=life.now_ns))
    kept = a_trade(2, at_ns=life.now_ns + SECOND_NS // 2)
    life.venue_has.append(kept)
    life.passes(QUIET_NS["trades"] + 2 * SECOND_NS)
    bars = [body for body in life.published(BarClosed) if isinstance(body, BarClosed)]
    assert (bars[0].open_time_ns, bars[0].trade_count, bars[0].gapless) == (NOON_NS, 2, True)
    assert Resubscribe("trades", SYMBOL) in life.effects


def test_nothing_is_closed_while_the_venue_does_not_answer() -> None:
    """Neither time nor a stall of our own finishes a bar whose trades nobody knows."""
    life = Life()
    life.opened()
    life.told(a_trade(1, at_ns=life.now_ns))
    life.now_ns += 5 * SECOND_NS
    assert {type(effect) for effect in life.take(Stalled(5 * SECOND_NS))} == {Reconnect}
    life.is_answered = False
    life.passes(9 * SECOND_NS)
    assert life.published(BarClosed) == []


def test_a_link_is_open_when_trades_and_quotes_flow() -> None:
    """One of them alone is no link; losing one loses it, once."""
    life = Life()
    life.take(StreamOpened("trades", (SYMBOL,)))
    assert life.published(LinkOpened) == []
    life.take(StreamOpened("quotes", (SYMBOL,)))
    life.take(StreamLost("quotes", (SYMBOL,), "cut"))
    life.take(StreamLost("trades", (SYMBOL,), "cut"))
    assert life.published(LinkOpened) == [LinkOpened(symbol=SYMBOL)]
    assert life.published(LinkLost) == [LinkLost(symbol=SYMBOL, reason="cut")]


def test_a_link_that_never_came_about_is_lost_with_its_reason() -> None:
    """Whoever watches learns why, once for each reason."""
    life = Life()
    for reason in ("refused", "refused", "no route"):
        for kind in ("trades", "quotes"):
            life.take(StreamLost("trades" if kind == "trades" else "quotes", (SYMBOL,), reason))
    assert life.published(LinkLost) == [LinkLost(symbol=SYMBOL, reason=reason) for reason in ("refused", "no route")]


def test_a_symbol_without_quotes_is_doubted() -> None:
    """Two seconds without a quote and nobody should rely on the symbol."""
    life = Life()
    life.opened()
    for number in range(1, 5):
        life.told(a_quote(number))
    assert len(life.published(QuoteSeen)) == 4
    life.passes(3 * SECOND_NS)
    doubts = [body.reasons for body in life.published(SymbolDoubted) if isinstance(body, SymbolDoubted)]
    assert "stale quotes" in doubts[-1]


def test_silent_quotes_are_asked_for_anew_and_silent_trades_looked_for() -> None:
    """After five seconds of silence the stream of quotes is asked for, and the venue whether there were trades."""
    life = Life()
    life.opened()
    life.told(a_trade(7, at_ns=life.now_ns))
    life.passes(6 * SECOND_NS)
    assert Resubscribe("quotes", SYMBOL) in life.effects
    assert FetchTrades(SYMBOL, from_id=8, from_time_ns=None) in life.effects


def test_what_cannot_be_read_is_counted_and_harms_nobody() -> None:
    """Nonsense about a symbol, about none, and about one that is not read here: all are let go."""
    life = Life()
    life.opened()
    for symbol in (SYMBOL, None, "DOGE/USDT"):
        assert life.told(Unreadable(symbol, "no number")) == []


def test_time_is_asked_for_at_every_tick() -> None:
    """Each tick asks for the next."""
    life = Life()
    assert any(isinstance(effect, WakeAt) for effect in life.take(Woken("clock")))


def test_a_leap_of_the_venues_clock_is_believed_when_it_is_measured_twice() -> None:
    """One answer that is ten minutes ahead closes no bar before its time."""
    life = Life()
    life.opened()
    life.told(a_trade(1, at_ns=life.now_ns))
    for is_believed in (False, True):
        life.take(VenueClock(600 * SECOND_NS))
        life.passes(QUIET_NS["trades"] + SECOND_NS)
        bars = [body for body in life.published(BarClosed) if isinstance(body, BarClosed)]
        assert (bars[-1].close_time_ns > life.now_ns) == is_believed


def test_a_trade_of_another_time_does_not_move_the_row() -> None:
    """A wild number with a wild time is refused before it can be taken for the newest trade."""
    life = Life()
    life.opened()
    life.told(a_trade(1, at_ns=life.now_ns))
    life.told(a_trade(2**60, at_ns=life.now_ns + 10**18))
    life.told(a_trade(2, at_ns=life.now_ns))
    assert [body.trade_id for body in life.published(TradeSeen) if isinstance(body, TradeSeen)] == ["1", "2"]


def test_trades_from_the_future_are_no_sign_of_life() -> None:
    """A stream whose stamps make no sense is doubted, and looked behind like one that says nothing."""
    life = Life(bar_length="1m")
    life.opened()
    life.told(a_trade(1, at_ns=life.now_ns))
    for number in range(2, 40):
        life.told(a_trade(number, at_ns=life.now_ns + 5 * SECOND_NS))
        life.passes(SECOND_NS // 4)
    doubts = [body.reasons for body in life.published(SymbolDoubted) if isinstance(body, SymbolDoubted)]
    assert any("many faults" in reasons for reasons in doubts)
    assert FetchTrades(SYMBOL, from_id=2, from_time_ns=None) in life.effects


def test_trades_that_come_before_their_stream_is_opened_are_fetched_with_it() -> None:
    """While the venue's clock is unknown nothing is asked; then the minute under way is, with all that came."""
    life = Life(bar_length="1m")
    for number in (1, 3):
        assert life.told(a_trade(number, at_ns=life.now_ns)) == []
    life.opened()
    assert any(isinstance(effect, FetchTrades) for effect in life.effects)


def test_a_fetched_trade_with_a_senseless_time_is_missing_in_the_bars_around_it() -> None:
    """Nobody knows which bar it belongs to, so none up to now calls itself whole; later ones do again."""
    life = Life()
    life.opened()
    life.told(a_trade(1, at_ns=life.now_ns))
    life.venue_has.append(a_trade(2, at_ns=2**60))
    life.passes(QUIET_NS["trades"] + 2 * SECOND_NS)
    life.passes(QUIET_NS["trades"] + 2 * SECOND_NS)
    bars = [body for body in life.published(BarClosed) if isinstance(body, BarClosed)]
    assert not bars[0].gapless
    assert bars[-1].gapless


def test_a_held_trade_is_judged_anew_when_quotes_have_moved_there() -> None:
    """A quiet symbol is not suspect for ever because of one trade ahead of its quotes."""
    life = Life()
    life.opened()
    for number in range(20):
        life.told(a_quote(number, bid="100", ask="100.1"))
        life.told(a_trade(number + 1, at_ns=life.now_ns, price="100"))
    life.told(a_trade(21, at_ns=life.now_ns, price="106"))
    assert len(life.published(TradeSeen)) == 20
    for number in range(20, 400):
        life.told(a_quote(number, bid="106", ask="106.1"))
        life.passes(TICK_NS)
    assert len(life.published(TradeSeen)) == 21


def test_a_stream_that_opens_before_the_clock_is_known_loses_only_what_was_lost() -> None:
    """Another connection of the same kind that is lost meanwhile takes none of its symbols with it."""
    life = Life()
    life.core = FeedCore(life.settings, [SYMBOL, "ETH/USDT"], books=())
    life.take(StreamOpened("trades", (SYMBOL,)))
    life.take(StreamLost("trades", ("ETH/USDT",), "cut"))
    asked = life.take(VenueClock(0))
    assert [effect.symbol for effect in asked if isinstance(effect, FetchTrades)] == [SYMBOL]


def test_a_minute_that_closed_while_nothing_could_be_asked_is_the_real_one() -> None:
    """That the venue does not answer says nothing about a bar: none is invented, and the real one is told once."""
    life = Life(bar_length="1m")
    life.opened()
    life.told(a_trade(1, at_ns=life.now_ns))
    life.take(StreamLost("candles", (SYMBOL,), "no route"))
    open_fetches = [effect for effect in life.effects if isinstance(effect, FetchCandles)]
    for _ in range(40):
        for fetch in open_fetches:
            life.take(CandlesFetched(fetch.fetch_id, SYMBOL, "1m", (), "no route"))
        life.now_ns += 10 * SECOND_NS
        open_fetches = [effect for effect in life.take(Woken("clock")) if isinstance(effect, FetchCandles)]
    assert life.published(BarClosed) == []
    assert len(open_fetches) == 1
    candles = (a_candle(NOON_NS), a_candle(NOON_NS + MINUTE_NS))
    life.take(CandlesFetched(open_fetches[0].fetch_id, SYMBOL, "1m", candles, None))
    bars = [body for body in life.published(BarClosed) if isinstance(body, BarClosed)]
    assert [(bar.open_time_ns, bar.gapless) for bar in bars] == [(NOON_NS, True), (NOON_NS + MINUTE_NS, True)]


def test_an_exchange_that_comes_back_with_other_numbers_is_doubted_no_longer_than_it_was_away() -> None:
    """Every bar behind is whole again, and no count of lost trades is made of the distance of the numbers."""
    life = Life()
    life.opened()
    life.told(a_trade(1, at_ns=life.now_ns))
    life.take(StreamLost("trades", (SYMBOL,), "cut"))
    life.is_answered = False
    life.passes(20 * SECOND_NS)
    life.is_answered, back_ns = True, life.now_ns
    life.venue_has.extend(a_trade(136_930_000 + number, at_ns=back_ns) for number in range(3))
    life.take(StreamOpened("trades", (SYMBOL,)))
    life.take(TradesFetched(SYMBOL, tuple(life.venue_has), None))
    life.passes(5 * SECOND_NS)
    for number in range(3, 8):
        life.told(a_trade(136_930_000 + number, at_ns=life.now_ns))
        life.passes(SECOND_NS)
    bars = [body for body in life.published(BarClosed) if isinstance(body, BarClosed)]
    whole = [bar.open_time_ns for bar in bars if bar.gapless]
    assert whole == [bar.open_time_ns for bar in bars if bar.open_time_ns > back_ns]
    assert len(whole) > 3
    notes = {effect.event: effect.details for effect in life.effects if isinstance(effect, Note)}
    assert notes["the venue numbers its trades anew: some may be lost"]["from_id"] == 136_930_000
    assert "trades are lost: the venue does not give them" not in notes
