"""A book is what its changes make of it, or unknown: it never stands over a hole."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proto.market import BOOK_LEVELS_MAX
from shared.market.observations import BookChange, BookWhole, Levels, Quote, Trade
from shared.market.order_book import OrderBook
from tests.shared.market.observed import a_change, a_whole, some_levels
from tests.shared.market.recorded import streamed

RECORDINGS = ("rawws_binance_spot_BTCUSDT_20240808.txt.gz", "rawws_binance_usdm_BTCUSDT_20240808.txt.gz")


def standing(sequence: int = 10, bids: str = "99:1 98:2", asks: str = "101:1 102:2") -> OrderBook:
    """Make a book that was just made whole."""
    book = OrderBook()
    book.whole(a_whole(sequence, bids, asks))
    return book


def test_a_book_is_unknown_until_it_is_whole() -> None:
    """Before a whole book nothing applies and nothing is best."""
    book = OrderBook()
    assert book.change(a_change(1, 2, "99:1", "101:1")) == "unknown"
    assert (book.sequence, book.best(), book.levels(5), book.is_crossed) == (None, None, ((), ()), False)


def test_a_change_sets_and_removes_levels() -> None:
    """A quantity replaces the one at its price, zero removes it, and what is not there need not be removed."""
    book = standing()
    assert book.change(a_change(11, 12, "99:0 97:3 50:0", "100:5 101:7")) == "applied"
    assert book.sequence == 12
    assert book.levels(9) == (some_levels("98:2 97:3"), some_levels("100:5 101:7 102:2"))
    assert book.levels(1) == (some_levels("98:2"), some_levels("100:5"))
    assert book.best() == ((Decimal(98), Decimal(2)), (Decimal(100), Decimal(5)))


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [(5, 9, "old"), (5, 10, "old"), (11, 11, "applied"), (5, 11, "applied"), (12, 14, "gap"), (11, 10, "old")],
)
def test_the_first_change_reaches_over_the_whole(first: int, last: int, said: str) -> None:
    """Where numbers run on, the first change has to hold the number after that of the whole book."""
    assert standing(10).change(a_change(first, last)) == said


@pytest.mark.parametrize(
    ("first", "last", "follows", "said"),
    [
        (5, 9, 4, "old"),
        (5, 10, 4, "applied"),
        (5, 15, 4, "applied"),
        (12, 15, 10, "applied"),  # it says itself that it follows
        (11, 15, 9, "gap"),
        (12, 15, 11, "gap"),
        (8, 9, 10, "old"),  # it contradicts itself
    ],
)
def test_the_first_change_of_a_venue_that_says_what_it_follows(first: int, last: int, follows: int, said: str) -> None:
    """Where numbers leap, the first change has to hold the number of the whole book, or to say that it follows it."""
    assert standing(10).change(a_change(first, last, follows=follows)) == said


@pytest.mark.parametrize(
    ("first", "last", "follows", "said"),
    [
        (13, 15, None, "applied"),
        (12, 15, None, "gap"),  # it overlaps: the numbers are not what they were taken for
        (14, 15, None, "gap"),
        (11, 12, None, "old"),
        (17, 20, 12, "applied"),
        (10, 20, 11, "gap"),
        (13, 20, 13, "gap"),
    ],
)
def test_later_changes_follow_exactly(first: int, last: int, follows: int | None, said: str) -> None:
    """Behind the first one a change follows on the one before, or there is a hole."""
    book = standing(10)
    assert book.change(a_change(11, 12)) == "applied"
    assert book.change(a_change(first, last, follows=follows)) == said


def test_a_gap_leaves_the_book_unknown_until_it_is_whole() -> None:
    """Nothing is told of a book with a hole, and nothing applies to it but a whole one."""
    book = standing(10)
    assert book.change(a_change(11, 11)) == "applied"
    assert book.change(a_change(13, 13)) == "gap"
    assert (book.sequence, book.best()) == (None, None)
    assert book.change(a_change(12, 12)) == "unknown"
    book.whole(a_whole(20))
    assert (book.sequence, book.change(a_change(15, 21))) == (20, "applied")


@pytest.mark.parametrize("level", ["0:1", "-1:1", "NaN:1", "99:NaN", "99:-1", "1e-300:1", "99:1e30"])
def test_a_senseless_level_is_as_bad_as_a_gap(level: str) -> None:
    """A book is never built on a number that is none: neither a change nor a whole book may bring one."""
    book = standing(10)
    assert book.change(a_change(11, 11, bids="99:5", asks=level)) == "gap"
    assert book.sequence is None
    book.whole(a_whole(20, bids=level))
    assert (book.sequence, book.best()) == (None, None)


@pytest.mark.parametrize(("bids", "crossed"), [("99:1", False), ("101:1", True), ("102:1", True), ("", False)])
def test_a_book_says_whether_it_is_crossed(bids: str, crossed: bool) -> None:  # noqa: FBT001  # the second column
    """It is when the best bid reaches the best ask."""
    assert standing(10, bids=bids).is_crossed is crossed


def test_a_full_book_drops_its_farthest_levels() -> None:
    """Beyond the bound the levels farthest from the middle go."""
    many = [(Decimal(number), Decimal(1)) for number in range(1, BOOK_LEVELS_MAX + 11)]
    book = OrderBook()
    book.whole(BookWhole("BTC/USDT", 1, bids=tuple(many), asks=tuple((price + 10_000, size) for price, size in many)))
    bids, asks = book.levels(BOOK_LEVELS_MAX + 10)
    assert (len(bids), len(asks)) == (BOOK_LEVELS_MAX, BOOK_LEVELS_MAX)
    assert (bids[-1][0], asks[-1][0]) == (Decimal(11), Decimal(10_000 + BOOK_LEVELS_MAX))
    assert book.change(a_change(2, 2, bids="1:5 6000:1")) == "applied"
    assert book.levels(BOOK_LEVELS_MAX)[0][-1][0] == Decimal(12)


LEVELS = st.lists(
    st.tuples(st.integers(1, 30).map(Decimal), st.sampled_from(["0", "0.00", "1", "2.5"]).map(Decimal)), max_size=8
).map(tuple)


@given(LEVELS, LEVELS, st.lists(st.tuples(LEVELS, LEVELS), max_size=20))
def test_a_book_is_its_levels_by_price(bids: Levels, asks: Levels, changes: list[tuple[Levels, Levels]]) -> None:
    """Whatever changes in whatever order, the book is what a plain table of prices holds, sorted."""
    book, tables = OrderBook(), (dict(bids), dict(asks))
    book.whole(BookWhole("BTC/USDT", 7, bids, asks))
    for number, (changed_bids, changed_asks) in enumerate(changes, start=8):
        assert book.change(BookChange("BTC/USDT", number, number, None, changed_bids, changed_asks, None)) == "applied"
        tables[0].update(changed_bids)
        tables[1].update(changed_asks)
    left = [sorted((price, quantity) for price, quantity in table.items() if quantity) for table in tables]
    best_first = (tuple(reversed(left[0])), tuple(left[1]))
    assert book.levels(100) == best_first
    assert book.best() == ((best_first[0][0], best_first[1][0]) if all(best_first) else None)


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 5)), max_size=20))
def test_a_book_never_stands_over_a_hole(ranges: list[tuple[int, int]]) -> None:
    """Whatever numbers come, the book's own only grows, and what applied joins on to what it stood at."""
    book = standing(5)
    for first, length in ranges:
        before = book.sequence
        said = book.change(a_change(first, first + length))
        assert (said == "unknown") == (before is None)
        assert (book.sequence is None) == (said in {"gap", "unknown"})
        if before is not None and said == "applied":
            assert first <= before + 1 <= first + length == book.sequence
        elif before is not None and said == "old":
            assert first + length <= before == book.sequence


@pytest.mark.parametrize("name", RECORDINGS)
def test_a_real_stream_keeps_a_book(name: str) -> None:
    """From the fetched book on no change is missing, the book never crosses, and its best is the one Binance tells."""
    book, early, compared = OrderBook(), list[BookChange](), 0
    quotes: dict[int, Quote] = {}
    said: dict[str, int] = {}
    for _, observed in streamed(name):
        changes: list[BookChange] = []
        match observed:
            case BookWhole():
                book.whole(observed)
                changes = early
            case BookChange() if book.sequence is None:
                early.append(observed)
            case BookChange():
                changes = [observed]
            case Quote():
                quotes[observed.sequence] = observed
            case Trade():
                pass
        for change in changes:
            answer = book.change(change)
            said[answer] = said.get(answer, 0) + 1
            assert not book.is_crossed
            quote = quotes.get(change.last_sequence)
            if quote is not None and answer == "applied":
                best = ((quote.bid_price, quote.bid_quantity), (quote.ask_price, quote.ask_quantity))
                assert book.best() == best
                compared += 1
    assert set(said) == {"old", "applied"}
    assert said["applied"] > 3_000
    assert compared > 100
