"""The order book is whole or fetched: no hole in its changes is ever passed over."""

from decimal import Decimal
from itertools import pairwise

from services.feed_handler.book_line import RETRY_NS, BookLine
from services.feed_handler.vocabulary import FetchBook
from shared.market.observations import BookChange, BookWhole
from tests.services.feed_handler.builders import SYMBOL

ASK = FetchBook(SYMBOL)


def whole(sequence: int, *, bid: str = "100", ask: str = "101") -> BookWhole:
    """Return a book of one level a side."""
    one = Decimal(1)
    return BookWhole(symbol=SYMBOL, sequence=sequence, bids=((Decimal(bid), one),), asks=((Decimal(ask), one),))


def change(first: int, last: int, *, bid: str = "99", follows: int | None = None) -> BookChange:
    """Return a change of one bid."""
    return BookChange(
        symbol=SYMBOL,
        first_sequence=first,
        last_sequence=last,
        follows_sequence=follows,
        bids=((Decimal(bid), Decimal(2)),),
        asks=(),
        exchange_time_ns=None,
    )


def a_whole_line(sequence: int = 10) -> BookLine:
    """Return a line whose book was fetched."""
    line = BookLine(SYMBOL)
    assert line.opened().ask == ASK
    line.fetched(whole(sequence))
    return line


def test_changes_that_came_before_the_book_are_applied_to_it() -> None:
    """What changed while the book was fetched is in it when it is told."""
    line = BookLine(SYMBOL)
    line.opened()
    line.came(change(9, 10))
    line.came(change(11, 12, bid="99.5"))
    progress = line.fetched(whole(10))
    assert progress.is_new
    assert line.book.sequence == 12
    assert line.book.levels(3)[0][1] == (Decimal("99.5"), Decimal(2))


def test_a_change_is_numbered_by_the_book_it_follows_on() -> None:
    """Readers see a row without holes, whatever rule the venue has."""
    line = a_whole_line()
    (first,) = line.came(change(8, 12)).changes
    (second,) = line.came(change(13, 20)).changes
    assert (first.first_sequence, first.last_sequence) == (11, 12)
    assert (second.first_sequence, second.last_sequence) == (13, 20)


def test_a_hole_has_the_book_fetched_anew() -> None:
    """A missing change makes the book unknown until it was fetched again."""
    line = a_whole_line()
    progress = line.came(change(12, 13))
    assert progress.refused == "book gap"
    assert not line.is_whole
    assert line.due(0).ask == ASK
    assert line.fetched(whole(13)).is_new
    assert line.is_whole


def test_a_crossed_book_is_fetched_anew() -> None:
    """A book whose bid is not below its ask is not told to anybody."""
    line = a_whole_line()
    progress = line.came(change(11, 11, bid="102"))
    assert (progress.refused, progress.changes, line.is_whole) == ("crossed book", [], False)


def test_fetching_again_and_again_takes_growing_pauses() -> None:
    """A venue whose book never fits its changes is asked ever less often."""
    line, asked_at = a_whole_line(), list[int]()
    line.came(change(12, 13))
    for now_ns in range(0, 20 * RETRY_NS, RETRY_NS // 10):
        if line.due(now_ns).ask is not None:
            asked_at.append(now_ns)
            line.fetched(None)
    pauses = [later - earlier for earlier, later in pairwise(asked_at)]
    assert len(pauses) >= 3
    assert pauses == sorted(pauses)
    assert pauses[-1] > 3 * pauses[0]


def test_a_lost_stream_loses_the_book() -> None:
    """Without changes the book of before says nothing; it is fetched when they flow again."""
    line = a_whole_line()
    line.lost()
    assert not line.is_whole
    assert line.opened().ask == ASK


def test_a_senseless_or_crossed_book_is_fetched_anew() -> None:
    """A book with a price that is none, or with its sides crossed, is told to nobody."""
    for wrong in (whole(10, bid="NaN"), whole(10, bid="0"), whole(10, bid="102")):
        line = BookLine(SYMBOL)
        line.opened()
        progress = line.fetched(wrong)
        assert (progress.is_new, progress.refused, line.is_whole) == (False, "senseless book", False)
        assert line.due(0).ask == ASK


def test_a_book_that_comes_when_its_stream_is_lost_is_of_no_use() -> None:
    """What was fetched before the changes ceased to flow would never change again."""
    line = BookLine(SYMBOL)
    line.opened()
    line.lost()
    assert not line.fetched(whole(10)).is_new
    assert not line.is_whole
