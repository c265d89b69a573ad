"""What a person has to be told of the executor's conditions: whoever waits for somebody wakes him. Pure.

The executor writes down what entries wait for until an operator has looked, and can tell nobody. Each time that one is
set is told once, in whichever of our lives: by the id of the executor's record, which the alert names as its cause.
With books of another account it writes nothing down: there its heartbeat says so, and each life of it is told once.
"""

from typing import Final

from services.risk_watchdog.core.alerts import alert
from services.risk_watchdog.core.facts import Facts
from services.risk_watchdog.core.latch import KILL_LATCH
from services.risk_watchdog.core.peers import Peer
from services.risk_watchdog.core.reports import ExecutorReports
from shared.core.scopes import scope_words
from shared.core.service import Report
from shared.execution.belonging import why_idle

KNOWN: Final = frozenset({KILL_LATCH, "operator_pause"})  # the one has an alert of its own, the other somebody has set


class Notices:
    """Tells of the conditions that stand in the executor's journal, and of a journal that is none of ours."""

    def __init__(self, facts: Facts, reports: ExecutorReports, executor: Peer) -> None:
        self._facts: Final = facts
        self._reports: Final = reports
        self._executor: Final = executor

    def due(self) -> list[Report]:
        """Return what was not told yet; of the journal, once it is read whether it stands still."""
        return [*self._of_another_account(), *self._conditions()]

    def _of_another_account(self) -> list[Report]:
        why, cause = why_idle(self._executor.troubles), f"books-{self._executor.epoch}"
        if why is None or cause in self._facts.noticed:
            return []
        return [alert("critical", "executor-wary", f"books_of_another_account: {why}", cause)]

    def _conditions(self) -> list[Report]:
        if not self._reports.is_caught_up:
            return []
        return [
            alert("critical", "executor-wary", f"{one.name} of {scope_words(one.scope)}: {one.reason}", cause)
            for key, one in self._reports.conditions.items()
            if one.name not in KNOWN and (cause := self._reports.set_by[key]) not in self._facts.noticed
        ]
