"""More was sold than a strategy had: nothing is bought before an operator has looked, and then all of it is covered."""

from decimal import Decimal

from proto.control import Kill, ResumeEntries
from proto.orders import ConditionSet, ExitEnded, FlatnessTold, PositionChanged
from proto.risk import Everything
from proto.verdicts import ApprovalDeclined, ApprovalTaken
from shared.core.service import Stalled
from shared.execution.vocabulary import (
    Acknowledged,
    CancelSent,
    OpenOrdersRead,
    ReadOpenOrders,
    ReadTrades,
    TransferTold,
)
from tests.shared.execution.desk import AHEAD_NS, BTC, SECOND_NS, TREND, Desk, of
from tests.shared.execution.lives import judged

ONE = Decimal(1)
OTHER = "other"


def taken_away_while_it_was_sold() -> Desk:
    """Return a desk whose coin went twice: somebody took it, and the stop sold another, which is told of at last."""
    desk = Desk().open()
    stop = desk.entered()
    transferred(desk, -ONE)
    desk.fill(stop, price="95", then="filled")
    assert position(desk) == -ONE
    transferred(desk, ONE)
    resume(desk)
    return desk


def transferred(desk: Desk, quantity: Decimal) -> None:
    """Let coins come or go."""
    desk.take(TransferTold("BTC", quantity, f"transfer-{len(desk.reports)}", desk.now_ns + AHEAD_NS))


def position(desk: Desk) -> Decimal:
    """Return what was told of the position last."""
    return of(desk.reports, PositionChanged)[-1].quantity


def resume(desk: Desk) -> None:
    """Let an operator look, and entries pass."""
    desk.ask(ResumeEntries("ada", "I have looked", Everything()), instance="bowline")


def conditions(desk: Desk) -> list[str]:
    """Return what was written down for an operator to look at."""
    return [told.condition.name for told in of(desk.reports, ConditionSet)]


def looked_at(desk: Desk) -> None:
    """Let the books be held against the venue's, with which they agree."""
    desk.reconcile(desk.take(Stalled(2 * SECOND_NS)), usdt="9995")
    desk.lease()


def test_nothing_is_bought_into_a_hole() -> None:
    """Before anybody has looked at it, and whether or not the books were held against the venue's meanwhile."""
    desk = taken_away_while_it_was_sold()
    sent = len(desk.sent())
    desk.ask(desk.approval("two"))
    looked_at(desk)
    desk.ask(desk.approval("three"))
    assert len(desk.sent()) == sent
    assert conditions(desk)[-1] == "position_oversold"


def test_resume_closes_it_and_the_next_purchase_is_covered_whole() -> None:
    """What was sold too much was somebody else's."""
    desk = taken_away_while_it_was_sold()
    looked_at(desk)
    resume(desk)
    assert position(desk) == 0
    desk.ask(desk.approval("two"))
    entry = desk.sent()[-1]
    desk.acknowledge(entry)
    desk.fill(entry, then="filled")
    stop = desk.sent()[-1]
    assert (stop.side, stop.quantity) == ("sell", entry.quantity)


def test_it_is_not_closed_by_a_look_at_something_else() -> None:
    """Only once the books agree with the venue's is it known that no fill is missing."""
    desk = taken_away_while_it_was_sold()
    resume(desk)
    assert position(desk) == -ONE


def test_an_operator_is_told_within_seconds_and_once() -> None:
    """Nobody waits five minutes for the next pass, to lift what nobody has told; and what is told is not told again."""
    desk = Desk().open()
    stop = desk.entered()
    transferred(desk, -ONE)
    desk.reconcile(desk.take(Stalled(2 * SECOND_NS)), usdt="9900")
    sold = desk.fill(stop, price="95", then="filled")
    transferred(desk, ONE)
    assert not of(sold, ReadOpenOrders), "the last pass has only just ended"
    desk.reconcile(desk.wait(3), usdt="9995")
    assert conditions(desk)[-1] == "position_oversold"
    (look,) = of(desk.wait(20), ReadOpenOrders)
    assert not of(desk.take(OpenOrdersRead(look.read_number, (), None)), ReadTrades), "this is no pass"


def test_nothing_is_bought_while_a_sale_is_out_for_coins_that_are_gone() -> None:
    """The coin was taken away, and its stop still works: it would sell what is bought now."""
    desk = Desk().open()
    stop = desk.entered()
    transferred(desk, -ONE)
    resume(desk)
    sent = len(desk.sent())
    refused = desk.ask(desk.approval("two"))
    assert isinstance(refused, ApprovalDeclined)
    assert (refused.rule, len(desk.sent())) == ("position_not_oversold", sent)
    desk.take(CancelSent(stop.client_order_id, Acknowledged(desk.shown(stop, "canceled"))))
    assert isinstance(desk.ask(desk.approval("three")), ApprovalTaken)


def test_all_that_is_oversold_is_one_thing_to_look_at() -> None:
    """Two strategies at once: the condition names both."""
    desk = Desk().open()
    stops = [desk.entered(), desk.entered("two", strategy=OTHER)]
    transferred(desk, -2 * ONE)
    for stop in stops:
        desk.fill(stop, price="95", then="filled")
    transferred(desk, 2 * ONE)
    resume(desk)
    desk.reconcile(desk.take(Stalled(2 * SECOND_NS)), usdt="9990")
    told = [one.condition for one in of(desk.reports, ConditionSet) if one.condition.name == "position_oversold"]
    assert [one.reason for one in told] == [f"oversold: 1.0000 {BTC} of {TREND}, 1.0000 {BTC} of {OTHER}"]


def test_flat_says_that_coins_are_gone_which_another_strategy_sold() -> None:
    """One was taken away and the other's stop sold the last: a whole coin is not below the venue's least order."""
    desk = Desk().open()
    stop, stop_of_other = desk.entered(), desk.entered("two", strategy=OTHER)
    transferred(desk, -ONE)
    resume(desk)
    desk.fill(stop_of_other, price="95", then="filled")
    desk.ask(Kill("ada", "a crash of the market"), instance="operator")
    desk.take(CancelSent(stop.client_order_id, Acknowledged(desk.shown(stop, "canceled"))))
    ended = of(desk.reports, ExitEnded)[-1]
    assert (ended.strategy, ended.quantity_left) == (TREND, ONE)
    assert not desk.core.books.ledger.balance("BTC")
    gone = "the account has not as many coins: they were sold, taken, or paid as fees"
    assert ended.reason == gone
    desk.reconcile(desk.take(Stalled(2 * SECOND_NS)), usdt="9895")
    desk.wait(1)
    flat = of(desk.reports, FlatnessTold)[-1]
    assert flat.is_flat
    assert f"1.0000 {BTC} of {TREND} ({gone})" in flat.reason
    assert conditions(desk)[-1] == "position_oversold"
    assert not judged(desk)
