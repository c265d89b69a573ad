"""What metrics knows of symbols, and when it knows it no more."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proto.codec import EnvelopeCodec
from proto.market import BarClosed, BookChanged, LinkLost, LinkOpened, MarketBody, SymbolDoubted, SymbolTrusted
from proto.measures import SYMBOLS_MAX
from services.metrics.core.symbols import FORGET_NS, VENUES_MAX
from shared.core.service import Note, Woken
from tests.proto.generated import structs
from tests.services.metrics.gathering import (
    SECOND_NS,
    Gathering,
    a_beat,
    a_count,
    a_quote,
    a_trade,
    broken,
    full,
    synced,
)


def alive(*instances: str) -> Gathering:
    """Return metrics that has just heard its feed."""
    gathering = Gathering(*instances)
    gathering.hear("feed", a_beat())
    return gathering


def test_the_latest_is_shown_as_it_was_said() -> None:
    """Prices are the decimals that the floats show; mid and spread are reckoned exactly, the spread to four digits."""
    gathering = Gathering()
    gathering.see(a_quote())
    gathering.see(a_trade(64000.5))
    symbol = gathering.symbol()
    assert (symbol.feed, symbol.venue, symbol.symbol) == ("feed", "binance", "BTC/USDT")
    assert (symbol.bid_price, symbol.ask_price) == (Decimal("64000.12"), Decimal("64000.13"))
    assert (symbol.mid_price, symbol.spread_bps) == (Decimal("64000.125"), Decimal("0.0016"))
    assert symbol.last_price == Decimal("64000.5")


@pytest.mark.parametrize(("bid", "ask"), [(2.0, 1.0), (1e-300, 1.0), (1e-300, 1e-299)])
def test_what_is_no_quote_has_no_spread(bid: float, ask: float) -> None:
    """Prices that cross have no spread, and one that no message could carry is none."""
    gathering = Gathering()
    gathering.see(a_quote(bid, ask))
    assert gathering.symbol().spread_bps is None


def test_symbol_stands_in_the_body_and_venue_in_the_topic() -> None:
    """A symbol may have a slash and a colon in it, so a topic is not taken apart beyond its venue."""
    gathering = Gathering()
    gathering.see(a_trade(symbol="BTC/USDT:USDT"), topic="okx/BTC/USDT:USDT/trades")
    assert (gathering.symbol("BTC/USDT:USDT").venue, len(gathering.measures().symbols)) == ("okx", 1)


def test_body_says_whom_a_message_is_about() -> None:
    """Where a topic carries two symbols, and a word about the whole venue, each gets its own."""
    gathering = alive()
    for body in (a_trade(1.0), a_trade(2.0, symbol="ETH/USDT"), LinkOpened(symbol=None), a_trade(3.0)):
        gathering.see(body, topic="binance/all")
    assert [(one.last_price, one.link) for one in gathering.measures().symbols] == [
        (Decimal("3.0"), "open"),
        (Decimal("2.0"), "open"),
    ]


def test_ages_grow_whatever_the_wall_clock_does() -> None:
    """Both ages count from what a message says, by the boot clock; without a stamp of the venue there is none."""
    gathering = Gathering()
    gathering.see(a_quote(), age_ns=5_000_000)
    assert (gathering.symbol().received_age_ns, gathering.symbol().exchange_age_ns) == (5_000_000, None)
    gathering.see(a_trade(), age_ns=5_000_000, exchange_age_ns=30_000_000)
    gathering.wait(2)
    gathering.set_the_wall_clock(-3_600)
    symbol = gathering.symbol()
    assert (symbol.received_age_ns, symbol.exchange_age_ns) == (2_005_000_000, 2_030_000_000)
    gathering.see(a_trade(), exchange_age_ns=-SECOND_NS)
    assert gathering.symbol().exchange_age_ns == 0  # a venue whose clock is ahead of ours


def test_messages_are_counted_and_their_rate_is_of_the_last_seconds() -> None:
    """Trades, quotes and books count; a bar or a word about the link is none of the market's messages."""
    gathering = alive()
    for _ in range(10):
        for _ in range(4):
            gathering.see(a_trade())
        gathering.see(BookChanged(symbol="BTC/USDT", first_sequence=1, last_sequence=1, bids=(), asks=()))
        gathering.see(LinkOpened(symbol="BTC/USDT"))
        gathering.wait(1)
    assert gathering.symbol().messages_per_second == Decimal("5.0")
    (counts,) = gathering.gathered().symbols
    assert counts.messages == 50
    gathering.wait(60)
    assert gathering.symbol().messages_per_second == Decimal(0)


def test_bar_is_no_sign_of_life() -> None:
    """A bar may be made of what came long ago, so it makes nothing fresh."""
    gathering = Gathering()
    bar = BarClosed("BTC/USDT", "1m", 1, 2, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1, "trades", gapless=True)
    gathering.see(bar)
    assert gathering.symbol().received_age_ns is None


def test_nothing_is_current_across_a_break() -> None:
    """A break takes the price away that came over that topic; the snapshot that ends it brings the latest back."""
    gathering = alive()
    gathering.see(a_quote())
    gathering.see(a_trade(1.0))
    gathering.see(LinkOpened(symbol="BTC/USDT"))
    gathering.watch(broken("binance/BTC/USDT/quotes"), broken("binance/BTC/USDT/link"))
    symbol = gathering.symbol()
    assert (symbol.bid_price, symbol.mid_price, symbol.last_price, symbol.link) == (
        None,
        None,
        Decimal("1.0"),
        "unknown",
    )
    gathering.watch(broken("binance/BTC/USDT/trades"), synced("binance/BTC/USDT/quotes", gathering.thin(a_quote(2, 3))))
    symbol = gathering.symbol()
    assert (symbol.mid_price, symbol.last_price) == (Decimal("2.5"), None)
    gathering.watch(synced("binance/BTC/USDT/trades"), synced("binance/BTC/USDT/trades"))
    assert gathering.symbol().last_price is None


def test_snapshot_is_no_arrival_but_has_its_age() -> None:
    """What is handed over when a topic comes to flow counts as no message, and is as old as it says."""
    gathering = Gathering()
    gathering.watch(
        broken("x/BTC/USDT/trades", "joined"), synced("x/BTC/USDT/trades", gathering.thin(a_trade(), age_ns=7))
    )
    gathered = gathering.gathered()
    assert [one.messages for one in gathered.symbols] == [0]
    assert gathered.measures.symbols[0].received_age_ns == 7
    assert [(one.instance, one.reason, one.count) for one in gathered.breaks] == [("feed", "joined", 1)]


LINKS: tuple[tuple[list[MarketBody], str], ...] = (
    ([], "unknown"),
    ([LinkOpened(symbol="BTC/USDT")], "open"),
    ([LinkOpened(symbol=None)], "open"),
    ([LinkLost(symbol=None, reason="reset")], "lost"),
    ([LinkOpened(symbol="BTC/USDT"), LinkLost(symbol=None, reason="reset")], "lost"),
    ([LinkOpened(symbol="BTC/USDT"), LinkLost(symbol=None, reason="reset"), LinkOpened(symbol=None)], "open"),
    ([LinkLost(symbol="BTC/USDT", reason="silent"), LinkOpened(symbol=None)], "lost"),
    ([LinkLost(symbol="BTC/USDT", reason="silent"), LinkOpened(symbol="BTC/USDT")], "open"),
    ([LinkOpened(symbol="ETH/USDT")], "unknown"),
)


@pytest.mark.parametrize(("words", "link"), LINKS)
def test_link_of_a_symbol_is_its_own_and_its_venue_s(words: list[MarketBody], link: str) -> None:
    """What is said of a venue is said of each of its symbols, and a symbol is lost if either is."""
    gathering = alive()
    gathering.see(a_trade())
    for body in words:
        gathering.see(body)
    assert gathering.symbol().link == link


@pytest.mark.parametrize("symbol", ["BTC/USDT", None])
def test_reason_of_a_lost_link_is_told_in_a_line(symbol: str | None) -> None:
    """A feed that never had its link says why, as does one that lost it; a page in a reason is left out."""
    gathering = Gathering()
    gathering.hear("feed", a_beat())
    gathering.hear("feed", a_count())
    page = "binance GET https://api.binance.com/api/v3/exchangeInfo 403 Forbidden\n<!DOCTYPE html>\n<html><p>no</html>"
    for reason, told in (
        (page, "binance GET https://api.binance.com/api/v3/exchangeInfo 403 Forbidden"),
        ("<html>403</html>", "it does not say why"),
        ("so\n long " * 30, f"{'so long ' * 15}"[:119] + "…"),
    ):
        gathering.see(LinkLost(symbol=symbol, reason=reason))
        assert (gathering.symbol().link, gathering.symbol().lost_reason) == ("lost", told)
    gathering.see(LinkOpened(symbol=symbol))
    assert (gathering.symbol().link, gathering.symbol().lost_reason) == ("open", None)


def test_nobody_knows_of_the_link_of_a_silent_feed() -> None:
    """A second and a half after a feed's last word its links are unknown; ages go on, and its next word counts."""
    gathering = alive()
    gathering.see(a_trade())
    gathering.see(LinkOpened(symbol="BTC/USDT"))
    gathering.wait(1.5)
    assert gathering.symbol().link == "open"
    gathering.wait(0.1)
    symbol = gathering.symbol()
    assert (symbol.link, symbol.received_age_ns, symbol.last_price) == ("unknown", 1_600_000_000, Decimal("64000.5"))
    gathering.hear("feed", a_beat(2))
    assert gathering.symbol().link == "open"


def test_doubts_are_shown_until_trust_is_said() -> None:
    """A doubted symbol stays so across a break; only the feed's word ends it."""
    gathering = Gathering()
    gathering.see(SymbolDoubted(symbol="BTC/USDT", reasons=("spike", "stale quotes")))
    gathering.watch(broken("binance/BTC/USDT/trust"), synced("binance/BTC/USDT/trust"))
    assert gathering.symbol().doubts == ("spike", "stale quotes")
    gathering.see(SymbolTrusted(symbol="BTC/USDT"))
    assert gathering.symbol().doubts == ()


def test_counts_of_a_feed_are_shown_as_it_says_them() -> None:
    """Refusals of a symbol are summed; what is about the connections belongs to no symbol."""
    gathering = Gathering()
    gathering.hear("feed", a_count(spikes=2))
    gathering.hear("feed", a_count(None, spikes=7))
    gathering.hear("feed", a_count(spikes=3))
    assert [(one.symbol, one.refused_count) for one in gathering.measures().symbols] == [("BTC/USDT", 3)]
    assert [(one.symbol, one.refused["spike"]) for one in gathering.gathered().symbols] == [("BTC/USDT", 3), (None, 7)]


def test_there_is_room_for_so_many_symbols_and_no_more() -> None:
    """What comes too late is counted, said once in the log, and looked at no further; all of it fits into a message."""
    gathering = alive()
    for number in range(SYMBOLS_MAX + 30):
        for body in (a_quote(symbol=f"C{number:03}/USDT"), a_trade(symbol=f"C{number:03}/USDT")):
            gathering.see(body)
    effects = gathering.handle(Woken("gather"))
    assert sum(isinstance(effect, Note) for effect in effects) == 1
    gathered = gathering.gathered()
    assert (len(gathered.measures.symbols), gathered.left_out["symbol"]) == (SYMBOLS_MAX, 30)
    EnvelopeCodec().encode(full("metrics", gathered.measures, gathering.now, epoch=1, sequence=1))


def test_there_is_room_for_so_many_venues_and_no_more() -> None:
    """Topics that begin with ever other words take no more than their room."""
    gathering = Gathering()
    for number in range(VENUES_MAX + 10):
        gathering.see(LinkOpened(symbol=None), topic=f"venue{number}/link")
        gathering.see(a_trade(symbol=f"S{number}/USD"), topic=f"venue{number}/S/trades")
    assert len(gathering.measures().symbols) == VENUES_MAX


def test_symbol_that_its_feed_left_out_is_forgotten() -> None:
    """An hour after a living feed's last word about it a symbol gives its place back; a dead feed's symbols stay."""
    gathering = Gathering("feed", "feed-2", "metrics")
    gathering.see(a_trade())
    gathering.see(a_trade(), feed="feed-2")
    gathering.wait(FORGET_NS / SECOND_NS + 1)
    gathering.hear("feed", a_beat())
    assert [symbol.feed for symbol in gathering.gathered().measures.symbols] == ["feed-2"]
    gathering.see(a_trade(2.0))
    assert gathering.symbol().last_price == Decimal("2.0")


bodies = st.sampled_from([*MarketBody.__args__]).flatmap(structs)


@given(st.lists(st.tuples(bodies, st.sampled_from(["see", "break", "sync"])), max_size=20))
def test_whatever_a_feed_may_say_can_be_answered(said: list[tuple[MarketBody, str]]) -> None:
    """No lawful message of the market makes measures that no message could carry."""
    gathering = Gathering()
    codec = EnvelopeCodec()
    for body, how in said:
        if how == "see":
            gathering.see(body)
        elif how == "break":
            gathering.watch(broken("binance/x"))
        else:
            gathering.watch(synced("binance/x", gathering.thin(body)))
    envelope = full("metrics", gathering.gathered().measures, gathering.now, epoch=1, sequence=1)
    assert codec.decode(codec.encode(envelope)) == envelope
