"""What cannot become flat is called off, or its latch cleared: what is left is as it was before."""

from typing import Final

import pytest

from proto.control import ControlDone, ControlRefused, Flatten, Kill, LiftKill, ResumeEntries
from proto.intents import ExitTaken
from proto.orders import ExitOpened, FlattenBegun, FlattenCalledOff
from proto.risk import Everything, OfSymbol, Scope
from proto.verdicts import ApprovalDeclined, ApprovalTaken
from tests.shared.execution.desk import BTC, TREND, of
from tests.shared.execution.lives import Life, holding, judged, told

ALL: Final = Flatten("ada", "it is enough", None)
KILL: Final = Kill("ada", "it looks wrong")


def stuck(wanted: Flatten | Kill) -> Life:
    """Return a life that shall be flat, and cannot become it: the venue refuses whatever is sent."""
    life = holding()
    life.venue.manner = "refuses"
    life.ask(wanted, instance="operator")
    life.pass_time(1)
    assert not told(life)[-1].is_flat
    assert isinstance(life.ask(life.approval("meanwhile")), ApprovalDeclined)
    life.venue.manner = "works"
    return life


def resumed(life: Life, scope: Scope) -> str:
    """Let an operator resume entries, and return what comes of it."""
    answer = life.ask(ResumeEntries("ben", "it is to be kept", scope), instance="operator")
    return answer.summary if isinstance(answer, ControlDone) else ""


def assert_kept(life: Life) -> None:
    """See that what is left is covered again and sold by nobody, now and in the next life, and that entries pass."""
    for one in (life, Life(life.venue, life).run(), Life(life.venue, life, of_state=True).run()):
        said = len(told(one))
        one.pass_time(40)
        assert one.core.books.positions.of(TREND, BTC).owned == 1
        assert not one.core.books.exits
        assert [order.key.purpose for order in one.core.books.working((TREND, BTC))] == ["cover"]
        assert len(told(one)) == said
    assert isinstance(life.ask(life.approval("after")), ApprovalTaken)
    assert not judged(life)


@pytest.mark.parametrize(("symbol", "scope"), [(BTC, OfSymbol(BTC)), (BTC, Everything()), (None, Everything())])
def test_what_cannot_become_flat_is_called_off(symbol: str | None, scope: Scope) -> None:
    """Who resumes entries of a symbol, or of everything, wants it flat no longer; who did and why is written down."""
    life = stuck(Flatten("ada", "it is enough", symbol))
    flatten_id = of(life.reports, FlattenBegun)[-1].flatten_id
    assert resumed(life, scope) == f"called off: {flatten_id}"
    assert of(life.reports, FlattenCalledOff) == [FlattenCalledOff(flatten_id, "ben", "it is to be kept")]
    assert_kept(life)
    assert not resumed(life, scope)


def test_part_of_everything_is_not_called_off_and_it_is_said_how() -> None:
    """Who resumes one symbol of a flattening of everything has to resume everything."""
    life = stuck(Flatten("ada", "it is enough", None))
    answer = life.ask(ResumeEntries("ben", "keep this", OfSymbol(BTC)), instance="operator")
    assert isinstance(answer, ControlRefused)
    assert answer.reason == "everything is flattened, and is called off with everything: resume without a symbol"


def test_stop_waits_for_no_sale_that_was_refused() -> None:
    """However long the venue took no sale, and is let alone between two of them: the stop is tried at once."""
    life = stuck(ALL)
    life.venue.manner = "refuses"
    life.pass_time(35)
    life.venue.manner = "works"
    assert resumed(life, Everything())
    life.pass_time(1)
    assert [order.key.purpose for order in life.core.books.working((TREND, BTC))] == ["cover"]


def test_only_what_was_resumed_is_called_off() -> None:
    """Neither everything with one symbol, nor the kill latch with anything."""
    life = stuck(ALL)
    assert not resumed(life, OfSymbol(BTC))
    assert not of(life.reports, FlattenCalledOff)
    life.pass_time(40)
    assert told(life)[-1].is_flat
    life = stuck(KILL)
    assert not resumed(life, Everything())
    life.pass_time(40)
    assert told(life)[-1].is_flat


def test_clearing_the_latch_ends_its_flatten() -> None:
    """What could not be sold by then is covered again, and sold by nobody."""
    life = stuck(KILL)
    life.ask(LiftKill("ben", "looked", of(life.reports, FlattenBegun)[-1].flatten_id))
    life.file(None)
    assert_kept(life)


def test_what_its_strategy_leaves_meanwhile_is_left_also_when_the_flatten_is_called_off() -> None:
    """The strategy was told that its exit is taken, so it is: a call-off ends what the operator wanted, no more."""
    life = holding()
    life.venue.manner = "refuses"
    life.ask(ALL, instance="operator")
    life.pass_time(1)
    assert isinstance(life.leave(), ExitTaken)
    assert isinstance(life.leave(), ExitTaken)
    assert [one.asked_by for one in of(life.reports, ExitOpened)] == ["ada", TREND], "saying it twice is saying it once"
    assert resumed(life, Everything())
    life.venue.manner = "works"
    life = Life(life.venue, life, of_state=True).run()
    life.pass_time(40)
    assert not life.core.books.positions.of(TREND, BTC).owned
    assert not life.core.books.exits
    assert not judged(life)
