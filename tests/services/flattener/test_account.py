"""What the flattener says of the account, and when it says nothing."""

from decimal import Decimal

import pytest

from proto.account import AccountSnapshot, Balance
from shared.core.service import BeWary, Effect, Say
from shared.execution.vocabulary import ReadWorth, VenueBalance, WorthRead
from tests.services.flattener.bench import BTC, ETH, SECOND_NS, Bench

BIDS = {BTC: Decimal(100), ETH: Decimal(10)}
HELD = (
    VenueBalance("USDT", Decimal(50), Decimal(5)),
    VenueBalance("BTC", Decimal(1), Decimal("0.5")),
    VenueBalance("DOGE", Decimal(7), Decimal(0)),
)


def questions(effects: list[Effect]) -> list[int]:
    """Return the numbers of the readings that were asked for."""
    return [effect.read_number for effect in effects if isinstance(effect, ReadWorth)]


def said(effects: list[Effect]) -> list[AccountSnapshot]:
    """Return what was said of the account."""
    return [effect.body for effect in effects if isinstance(effect, Say) and isinstance(effect.body, AccountSnapshot)]


def test_account_is_read_every_two_seconds_and_never_twice_at_once() -> None:
    """One question is under way at most; the next one comes two seconds after it, under another number."""
    bench = Bench()
    assert questions(bench.begin().wait(0)) == []  # the first was asked with the first look
    assert questions(bench.wait(5)) == []
    bench.take(WorthRead(1, HELD, BIDS, 9, None))
    assert questions(bench.wait(0)) == [2]
    bench.take(WorthRead(2, HELD, BIDS, 9, None))
    assert [questions(bench.wait(1)), questions(bench.wait(1))] == [[], [3]]


def test_account_is_valued_at_what_is_bid() -> None:
    """Free and locked count alike, at the bid; what is not traded counts as nothing."""
    (snapshot,) = said(Bench().begin().take(WorthRead(1, HELD, BIDS, 9 * SECOND_NS, None)))
    assert snapshot.equity_quote == Decimal(55) + Decimal(150)
    assert (snapshot.read_number, snapshot.venue_time_ns, snapshot.quote_asset) == (1, 9 * SECOND_NS, "USDT")
    assert snapshot.balances == tuple(Balance(one.asset, one.free, one.locked) for one in HELD)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (WorthRead(1, (), {}, 0, "no answer within 5 s"), "the account is not read: no answer within 5 s"),
        (WorthRead(1, HELD, {ETH: Decimal(10)}, 9, None), "nobody bids for something that it holds"),
    ],
    ids=["not read", "no price"],
)
def test_what_is_not_known_is_not_said(answer: WorthRead, words: str) -> None:
    """A failed reading, or one in which a price lacks, is no equity of zero: it is no word at all, and is shown."""
    bench = Bench().begin()
    assert said(bench.take(answer)) == []
    (wary,) = [effect for effect in bench.wait(2) if isinstance(effect, BeWary)]
    assert any(words in trouble for trouble in wary.troubles)
    assert said(bench.take(WorthRead(2, HELD, BIDS, 9, None))) != []
    (wary,) = [effect for effect in bench.wait(2) if isinstance(effect, BeWary)]
    assert not any(words in trouble for trouble in wary.troubles)
