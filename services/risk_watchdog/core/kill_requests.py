"""What operators tell risk about the kill latch, and what whoever clears it should know before. Pure."""

from collections.abc import Iterator, Sequence
from typing import Final

from proto.control import AskClearKill, ConfirmClearKill, Kill
from proto.risk import Condition
from services.risk_watchdog.core.clearing import Clearing
from services.risk_watchdog.core.flat_watch import FlatWatch
from services.risk_watchdog.core.latch import KILL_LATCH
from services.risk_watchdog.core.latching import Latching
from services.risk_watchdog.core.peers import Peer
from services.risk_watchdog.core.reports import ExecutorReports
from shared.core.service import Asked, Effect, Moment


class KillRequests:
    """Answers them."""

    def __init__(
        self, *, latching: Latching, clearing: Clearing, reports: ExecutorReports, flat: FlatWatch, executor: Peer
    ) -> None:
        self._latching: Final = latching
        self._clearing: Final = clearing
        self._reports: Final = reports
        self._flat: Final = flat
        self._executor: Final = executor

    def asked(
        self, asked: Asked, body: Kill | AskClearKill | ConfirmClearKill, conditions: Sequence[Condition], now: Moment
    ) -> Sequence[Effect]:
        """Do what somebody wants of the latch."""
        match body:
            case Kill():
                self._clearing.void_offer()
                return self._latching.asked(asked, body, now)
            case AskClearKill():
                summary = "; ".join(self._in_the_way(conditions, now)) or "nothing else stands in the way"
                return self._clearing.offered(asked, body, summary, now)
            case ConfirmClearKill():
                return self._clearing.confirmed(asked, body, now)

    def _in_the_way(self, conditions: Sequence[Condition], now: Moment) -> Iterator[str]:
        """Yield what is still open, and what stands against entries beside the latch."""
        if not self._executor.moves(now):
            yield "the executor is not heard to work: the HALT file stays until it has lifted the latch"
        if (trouble := self._flat.trouble()) is not None:
            yield trouble
        if self._reports.positions:
            yield f"held: {', '.join(sorted(symbol for _, symbol in self._reports.positions))}"
        for condition in conditions:
            if condition.name != KILL_LATCH:
                yield f"{condition.name} ({condition.permission}): {condition.reason}"
