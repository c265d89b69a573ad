"""Leaves a position at its target: asks the executor, again and again, until it has taken or refused that."""

from collections.abc import Sequence
from typing import Final

from proto.envelope import Body
from proto.intents import ExitRefused, ExitTaken, SetExit
from proto.market import BarClosed
from services.strategy.core.holding import NOTHING, Holding
from shared.core.service import Ask, Effect, Note
from shared.strategies.intent_ids import exit_id

EXECUTOR: Final = "executor"


class Leaving:
    """The exit of one symbol. An exit is idempotent by its target, so it costs nothing to say it too often.

    It is wanted until nothing is held any more, and said also while others close the position: they may be called off.
    """

    def __init__(self, *, owner: str, symbol: str) -> None:
        self._owner: Final = owner
        self._symbol: Final = symbol
        self._exit: SetExit | None = None
        self._is_asked = False  # or answered: it need not be said again

    @property
    def ask_id(self) -> str | None:
        """The id of the exit that is wanted."""
        return self._exit.exit_id if self._exit is not None else None

    def look(self, bar: BarClosed, holding: Holding) -> Sequence[Effect]:
        """Leave if the price has come to the target."""
        if self._exit is not None or not holding.has_reached_target(bar):
            return ()
        wanted = self._exit = SetExit(
            exit_id=exit_id(strategy=self._owner, symbol=self._symbol, bar_close_time_ns=bar.close_time_ns),
            strategy=self._owner,
            symbol=self._symbol,
            target_quantity=NOTHING,
            reason=f"the price came to the target at {holding.target_price:f}",
        )
        self._is_asked = True
        note = Note("info", "a target is reached", {"symbol": self._symbol, "exit": wanted.exit_id})
        return (note, Ask(EXECUTOR, wanted, wanted.exit_id))

    def answered(self, answer: Body | None) -> Sequence[Effect]:
        """Take the executor's answer; without one it is asked again in a moment."""
        match answer:
            case ExitTaken():
                return ()
            case ExitRefused(exit_id=refused, reason=reason):
                self._exit = None
                return (Note("warning", "an exit is refused", {"exit": refused, "reason": reason}),)
            case _:
                self._is_asked = False
                return ()

    def again(self) -> Sequence[Effect]:
        """Ask again, if nobody has answered."""
        if self._exit is None or self._is_asked:
            return ()
        self._is_asked = True
        return (Ask(EXECUTOR, self._exit, self._exit.exit_id),)

    def lose(self) -> None:
        """Say it once more: the executor may have lost what it took."""
        self._is_asked = False

    def told(self, holding: Holding) -> None:
        """Let go of an exit that has nothing left to leave."""
        if not holding.quantity or holding.target_price is None:
            self._exit = None
