"""The watches over what others see to by themselves: the account, the covers, the executor, the strategies. Pure."""

from collections.abc import Iterator, Sequence
from typing import Final

from proto.envelope import Body, Envelope
from proto.fields import Id, Instance
from proto.risk import Condition
from services.risk_watchdog.core.cover_guard import CoverGuard
from services.risk_watchdog.core.cover_watch import CoverWatch
from services.risk_watchdog.core.executor_watch import ExecutorWatch
from services.risk_watchdog.core.guards import Guards
from services.risk_watchdog.core.strategy_watch import StrategyWatch
from shared.core.service import Effect, Moment


class Watches:
    """What all of them are told, and what comes of it."""

    def __init__(
        self,
        guards: Guards,
        covers: CoverWatch,
        cover_guard: CoverGuard,
        executor: ExecutorWatch,
        strategies: StrategyWatch,
    ) -> None:
        self._executor: Final = executor
        self._strategies: Final = strategies
        self._guards: Final = guards
        self._covers: Final = covers
        self._cover_guard: Final = cover_guard

    def begin(self, epoch: int, now: Moment) -> None:
        """Begin to count."""
        self._guards.begin(now)
        self._cover_guard.begin(epoch)

    def stood_still(self, now: Moment) -> None:
        """Count anew: what was meanwhile is held against nobody."""
        self._guards.begin(now)
        self._covers.stood_still(now)

    def told(self, envelope: Envelope, now: Moment) -> None:
        """Take in a report of the executor's."""
        self._guards.told(envelope, now)
        self._covers.told(envelope, now)
        self._executor.told(envelope)

    def heard(self, instance: Instance, envelope: Envelope, now: Moment) -> Sequence[Effect]:
        """Take in what somebody says of the account."""
        return [*self._guards.heard(instance, envelope, now), *self._cover_guard.heard(instance, envelope, now)]

    def answered(self, ask_id: Id, body: Body | None) -> Sequence[Effect]:
        """Take in what the executor says to having been asked to close something."""
        return self._cover_guard.answered(ask_id, body)

    def lost(self) -> None:
        """Take in that reports of the executor's are lost."""
        self._covers.lost()

    def counted(self) -> None:
        """Let go of the money that is counted."""
        self._guards.recorded()

    def latches(self, now: Moment) -> Sequence[Effect]:
        """Return the latch that a silence leads to."""
        return self._executor.latches(now)

    def due(self, now: Moment) -> list[Effect]:
        """Return what has to be written down; a trip rests on what is there so far, and so comes first."""
        return [
            *self._guards.due(now),
            *self._covers.due(now),
            *self._cover_guard.due(now),
            *self._executor.due(now),
            *self._strategies.due(now),
        ]

    def asks(self, now: Moment) -> Sequence[Effect]:
        """Return what the executor is asked to do, which it should have done by itself."""
        return self._cover_guard.asks(now)

    def conditions(self, now: Moment) -> Iterator[Condition]:
        """Yield what stands against entries."""
        yield from self._guards.conditions(now)
        yield from self._covers.conditions(now)
        yield from self._strategies.conditions(now)
