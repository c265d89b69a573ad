"""A position is left at its target: the executor is told until it has heard."""

from decimal import Decimal
from typing import Final

import msgspec
import pytest

from proto.intents import ExitRefused, ExitTaken, SetExit
from proto.market import BarClosed
from proto.orders import EntryOpened, ExitEnded, ExitOpened, OrderFilled, PositionChanged
from services.strategy.core.holding import Holding
from shared.core.service import Answered, ToldOfLoss, Unanswered, Woken
from tests.proto.examples import AN_APPROVAL, an_envelope
from tests.services.strategy.world import OWNER, RULES, SECOND_NS, SYMBOL, World, some_bars

BAR: Final = some_bars(1)[0]
TARGET: Final = AN_APPROVAL.targets[-1].price


def a_bar(*, high: str, close: str, after_ns: int = 0) -> BarClosed:
    """Return a bar that opens so long after the fill."""
    opens_ns = BAR.open_time_ns + after_ns
    return msgspec.structs.replace(
        BAR,
        open_time_ns=opens_ns,
        close_time_ns=opens_ns + 5 * SECOND_NS,
        high_price=float(high),
        close_price=float(close),
    )


def a_holding() -> Holding:
    """Return a position that was filled when the bar opened, and its entry ended."""
    holding, world = Holding(), World()
    (filled, changed) = world.executor.traded("buy", world.now_ns)
    assert isinstance(filled, OrderFilled)
    holding.fold(EntryOpened(AN_APPROVAL))
    holding.fold(msgspec.structs.replace(filled, venue_time_ns=BAR.open_time_ns))
    holding.fold(changed)
    return holding


@pytest.mark.parametrize(
    ("bar", "has_reached"),
    [
        (a_bar(high="67500.25", close="67000"), True),
        (a_bar(high="67500.24", close="67000"), False),
        (a_bar(high="67600", close="67000", after_ns=-SECOND_NS), False),
        (a_bar(high="67600", close="67500.25", after_ns=-SECOND_NS), True),
        (a_bar(high="67600", close="67600", after_ns=-5 * SECOND_NS), False),
    ],
)
def test_a_target_is_reached_after_the_fill(*, bar: BarClosed, has_reached: bool) -> None:
    """The high counts of bars that opened since, of the bar of the fill only the close, and none from before it."""
    assert a_holding().has_reached_target(bar) == has_reached


def test_what_somebody_closed_in_vain_is_still_left_at_its_target() -> None:
    """A flatten that was called off, or a latch that was cleared, before all was sold: the position is as it was."""
    bar = a_bar(high="67600", close="67600")
    holding = a_holding()
    holding.fold(ExitOpened("flatten-1:all", OWNER, SYMBOL, Decimal(0), "ada", "enough"))
    assert holding.has_reached_target(bar), "the executor takes it up: it is wanted also when that is called off"
    holding.fold(ExitEnded("flatten-1:all", OWNER, SYMBOL, Decimal(0), "nobody wants it flat any longer"))
    assert holding.has_reached_target(bar)


def test_crumbs_have_no_target() -> None:
    """What is too little to sell is nobody's once the exit has ended, and the executor says so."""
    holding = a_holding()
    holding.fold(ExitEnded("other", OWNER, SYMBOL, Decimal("0.00001"), "too small"))
    holding.fold(PositionChanged(OWNER, SYMBOL, Decimal(0), None, Decimal(0)))
    assert not holding.has_reached_target(a_bar(high="67600", close="67600"))


def test_an_exit_outlives_the_flatten_it_falls_into() -> None:
    """An executor that is away while a flatten is called off hears of the exit all the same."""
    world = a_world_at_its_target()
    (wanted,) = world.exits
    world.executor_tells(
        ExitOpened("flatten-1:all", OWNER, SYMBOL, Decimal(0), "ada", "enough"),
        ExitEnded("flatten-1:all", OWNER, SYMBOL, Decimal(0), "nobody wants it flat any longer"),
    )
    world.executor_answers = True
    world.hands(Unanswered(wanted.exit_id))
    world.hands(Woken("clock"))
    assert not world.executor.held


def test_an_exit_that_was_taken_is_said_again_where_the_executor_has_lost_its_records() -> None:
    """What it took may be among them, and it is wanted still."""
    world = a_world_at_its_target()
    (wanted,) = world.exits
    world.hands(Answered(wanted.exit_id, an_envelope(ExitTaken(wanted.exit_id, wanted.target_quantity))))
    world.hands(Woken("clock"))
    assert asked(world) == [wanted.exit_id]
    world.executor_answers = True
    world.hands(ToldOfLoss("executor", 99))
    world.hands(Woken("clock"))
    assert asked(world) == [wanted.exit_id] * 2
    assert not world.executor.held


def test_what_is_gone_has_no_target() -> None:
    """A position that was closed reaches nothing."""
    holding = a_holding()
    holding.fold(PositionChanged(OWNER, SYMBOL, Decimal(0), None, Decimal(0)))
    assert not holding.has_reached_target(a_bar(high="67600", close="67600"))


def test_a_new_position_has_a_new_beginning() -> None:
    """Dust of an earlier one makes no bar count that closed before the new one was filled."""
    holding = a_holding()
    holding.fold(PositionChanged(OWNER, SYMBOL, Decimal("0.000004"), None, Decimal(0)))
    holding.fold(EntryOpened(AN_APPROVAL))
    assert not holding.has_reached_target(a_bar(high="67600", close="67600"))


@pytest.mark.parametrize(
    ("quantity", "price", "owned"),
    [("0.00002", "300000", "0.00002"), ("0.000019", "300000", "0"), ("0.00002", "200000", "0"), ("0.5", "100", "0.5")],
)
def test_dust_is_nothing(quantity: str, price: str, owned: str) -> None:
    """What no order of the venue could sell, by its steps and its least worth, is not held."""
    rules = msgspec.structs.replace(RULES, quantity_min=Decimal("0.00002"))
    holding = Holding(quantity=Decimal(quantity))
    assert holding.owned(rules, Decimal(price)) == Decimal(owned)
    assert holding.owned(None, Decimal(price)) == Decimal(quantity)


def test_what_is_worth_money_is_held_whatever_the_venue_takes() -> None:
    """A least order that was raised above a position makes it no dust: nothing is entered on top of it."""
    rules = msgspec.structs.replace(RULES, notional_min_quote=Decimal(100))
    assert Holding(quantity=Decimal("0.5")).owned(rules, Decimal(100)) == Decimal("0.5")
    assert not Holding(quantity=Decimal("0.1")).owned(rules, Decimal(100))


def test_less_than_one_step_is_dust_whatever_a_step_is_worth() -> None:
    """What a fee in coins leaves of a coarse step keeps nobody from entering again."""
    rules = msgspec.structs.replace(RULES, quantity_step=Decimal("0.2"), quantity_min=Decimal("0.2"))
    assert not Holding(quantity=Decimal("0.15")).owned(rules, Decimal(100))
    assert Holding(quantity=Decimal("0.35")).owned(rules, Decimal(100)) == Decimal("0.35")


def a_world_at_its_target(*, executor_answers: bool = False) -> World:
    """Return a world in which a position has come to its target."""
    world = World()
    world.executor_answers = executor_answers
    world.starts()
    while not world.exits:
        world.closes()
    return world


def asked(world: World) -> list[str]:
    """Return the ids of the exits, as often as they were said."""
    return [ask.ask_id for ask in world.asked if isinstance(ask.body, SetExit)]


def test_the_executor_is_told_what_is_to_be_left() -> None:
    """An exit is a target: nothing shall be held; and it has the id that its bar gives it."""
    world = a_world_at_its_target(executor_answers=True)
    (wanted,) = world.exits
    closed_ns = world.bars[world.closed - 1].close_time_ns
    assert (wanted.exit_id, wanted.target_quantity) == (f"{OWNER}|{SYMBOL}|{closed_ns}|exit", Decimal(0))
    world.closes(3)
    assert asked(world) == [wanted.exit_id]


def test_an_exit_is_said_again_until_it_is_answered() -> None:
    """An executor that is away hears it when it is back, under the same id."""
    world = a_world_at_its_target()
    (wanted,) = world.exits
    for count in range(1, 5):
        assert asked(world) == [wanted.exit_id] * count
        world.hands(Unanswered(wanted.exit_id))
        world.hands(Woken("clock"))
    world.executor_answers = True
    world.hands(Unanswered(wanted.exit_id))
    world.hands(Woken("clock"))
    assert not world.executor.held
    world.closes(3)
    assert asked(world) == [wanted.exit_id] * 6


def test_a_refused_exit_is_noted_and_may_be_wanted_again() -> None:
    """The executor holds nothing, it says; if we still hear of a position, the next bar at its target says so again."""
    world = a_world_at_its_target()
    (wanted,) = world.exits
    refusal = ExitRefused(wanted.exit_id, "nothing is held")
    world.hands(Answered(wanted.exit_id, an_envelope(refusal)))
    assert "an exit is refused" in world.events()
    while len(world.exits) == 1:
        world.closes()
    assert world.exits[1].exit_id != wanted.exit_id


def test_a_position_that_is_gone_is_not_left_any_more() -> None:
    """When the stop was hit meanwhile, the exit is let go."""
    world = a_world_at_its_target()
    (wanted,) = world.exits
    world.hands(Unanswered(wanted.exit_id))
    world.executor_tells(*world.executor.traded("sell", world.now_ns))
    world.hands(Woken("clock"))
    assert asked(world) == [wanted.exit_id]
