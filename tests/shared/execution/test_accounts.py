"""Positions are told as they are, whichever life of the executor it falls to."""

from collections.abc import Sequence
from decimal import Decimal

from proto.account import AccountSnapshot
from proto.envelope import Body
from proto.orders import OrderFilled, PositionChanged
from shared.core.continuity import Broken
from shared.core.service import Moment, NotRecorded, Recorded, Report, Say, Started, Watched, Woken
from shared.execution.core import ExecutorCore
from tests.shared.execution.desk import ACCOUNT, BTC, LIMITS, Desk, of


def told_by_the_next(desk: Desk, journal: Sequence[Body]) -> tuple[ExecutorCore, list[PositionChanged]]:
    """Begin a life on what a journal holds, and return what it tells of positions at once."""
    core, moment = ExecutorCore(ACCOUNT, LIMITS), Moment(desk.now_ns, desk.now_ns, "boot")
    for sequence, body in enumerate(journal, start=1):
        core.handle(Recorded(desk.envelope("executor", body, sequence)), moment)
    effects = core.handle(Started("executor", 2, 1, ()), moment)
    return core, of([effect.body for effect in effects if isinstance(effect, Report)], PositionChanged)


def test_a_position_that_a_killed_life_did_not_tell_is_told_by_the_next() -> None:
    """The fill is durable and the position not told: whoever follows would believe the old one for ever."""
    desk = Desk().open()
    desk.entered()
    filled = next(place for place, body in enumerate(desk.reports) if isinstance(body, OrderFilled))
    _, told = told_by_the_next(desk, desk.reports[: filled + 1])
    assert [position.quantity for position in told] == [of(desk.reports, PositionChanged)[0].quantity]


def test_a_life_that_told_everything_leaves_nothing_to_tell() -> None:
    """What is as it was told is not told again."""
    desk = Desk().open()
    desk.entered()
    _, told = told_by_the_next(desk, desk.reports)
    assert told == []


def test_a_position_that_found_no_room_is_told_when_the_clock_rings() -> None:
    """The journal was full when it was to be told."""
    desk = Desk().open()
    desk.entered()
    filled = next(place for place, body in enumerate(desk.reports) if isinstance(body, OrderFilled))
    core, told = told_by_the_next(desk, desk.reports[: filled + 1])
    later = Moment(desk.now_ns, desk.now_ns + 1, "boot")
    assert not of(core.handle(NotRecorded(tuple(told), "no room", is_reducing=True), later), Report)
    again = core.handle(Woken("clock"), later)
    assert [effect.body for effect in again if isinstance(effect, Report)] == told


def equities(desk: Desk) -> list[Decimal]:
    """Let a second pass, and return the equity that is said, if any is."""
    bodies = [say.body for say in of(desk.wait(1), Say)]
    return [snapshot.equity_quote for snapshot in of(bodies, AccountSnapshot)]


def test_a_gap_of_the_feed_is_no_loss() -> None:
    """What is held has no price for a moment: until it has one again nothing is said of equity."""
    desk = Desk().open()
    desk.entered()
    worth = Decimal("9999.99")
    assert equities(desk) == [worth]
    desk.take(Watched("feed", [Broken(f"sim/{BTC}/quotes".encode(), "gap")]))
    assert equities(desk) == []
    desk.quote("99.99", "100.01")
    assert equities(desk) == [worth]


def test_a_price_of_long_ago_makes_no_equity() -> None:
    """A feed that died told a price once; a minute later nobody knows what is held is worth."""
    desk = Desk().open()
    desk.entered()
    desk.wait(58)
    assert equities(desk)
    desk.wait(1)
    assert equities(desk) == []


def test_equity_of_money_alone_needs_no_price() -> None:
    """An account that holds nothing but the quote asset is worth that, whatever the feed does."""
    desk = Desk().open()
    desk.take(Watched("feed", [Broken(f"sim/{BTC}/quotes".encode(), "gap")]))
    assert equities(desk) == [Decimal(10_000)]
