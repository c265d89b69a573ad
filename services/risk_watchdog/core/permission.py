"""What stands against entries: everywhere, of a symbol, or of a strategy, each with its reason. Pure.

The kill latch is the first of them, and the only one that is HALTED.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from proto.fields import Instance, Name, Permission, Symbol
from proto.risk import CONDITIONS_MAX, Condition, Everything, OfStrategy, OfSymbol, Scope
from services.risk_watchdog.core.account import Account
from services.risk_watchdog.core.conditions import against
from services.risk_watchdog.core.facts import Facts
from services.risk_watchdog.core.latching import Latching
from services.risk_watchdog.core.peers import Peer
from services.risk_watchdog.core.reports import ExecutorReports
from services.risk_watchdog.core.silence import SILENT_NS_MAX
from services.risk_watchdog.core.terms import EXECUTOR, SECOND_NS, Likeness
from services.risk_watchdog.core.watches import Watches
from shared.core.service import Moment
from shared.execution.belonging import why_idle

STRICTNESS: Final[tuple[Permission, ...]] = ("RUN", "REDUCE_ONLY", "HALTED")


class Permissions:
    """Gathers the conditions from all that is known."""

    def __init__(
        self,
        *,
        facts: Facts,
        reports: ExecutorReports,
        account: Account,
        peers: Mapping[Instance, Peer],
        likeness: Likeness,
        latching: Latching,
        watches: Watches,
    ) -> None:
        self._latching: Final = latching
        self._watches: Final = watches
        self._facts: Final = facts
        self._reports: Final = reports
        self._account: Final = account
        self._peers: Final = peers
        self._likeness: Final = likeness
        self.has_room = True
        self.unwritten: Final[dict[str, str]] = {}  # what risk has to pause for, by its cause, until that is durable

    def conditions(self, now: Moment) -> tuple[Condition, ...]:
        """Return every reason for less than RUN; where they are too many, the last one stands for the rest."""
        found = list(self._found(now))
        if len(found) <= CONDITIONS_MAX:
            return tuple(found)
        rest = found[CONDITIONS_MAX - 1 :]
        further = against("further", f"{len(rest)} further reasons", permission=strictest(rest))
        return (*found[: CONDITIONS_MAX - 1], further)

    def _found(self, now: Moment) -> Iterator[Condition]:
        latched = self._latching.condition()
        if latched is not None:
            yield latched
        for pause in self._facts.pauses.values():
            yield against("paused", f"{pause.actor}: {pause.reason}", pause.scope)
        for reason in self.unwritten.values():
            yield against("paused", reason)
        if not self.has_room:
            yield against("journal_full", "the disk of risk's journal is nearly full")
        if (trouble := self._account.trouble(now)) is not None:
            yield against("equity_unknown", trouble)
        elif self._facts.day is None:
            yield against("equity_unknown", "no day of trading has begun yet")
        yield from self._watches.conditions(now)
        yield from self._of_peers(now)
        for condition in self._reports.conditions.values():
            if latched is None or condition.name != latched.name:  # the executor's word for it is ours already
                yield condition

    def _of_peers(self, now: Moment) -> Iterator[Condition]:
        executor = self._peers[EXECUTOR]
        if executor.silent_ns(now) > SILENT_NS_MAX:
            yield against("executor_silent", f"nothing is heard of it for over {SILENT_NS_MAX // SECOND_NS} s")
        if executor.crashes_again_and_again(now):
            yield against("executor_crash_loop", "it has died three times within a minute")
        if (why := why_idle(executor.troubles)) is not None:
            yield against("books_of_another_account", why)
        for instance, peer in self._peers.items():
            if (difference := peer.difference(self._likeness)) is not None:
                yield against("unlike_peer", f"restart all: {instance} {difference}")


def everywhere(conditions: Sequence[Condition]) -> Permission:
    """Return the permission that holds whatever the symbol and the strategy."""
    return strictest([condition for condition in conditions if isinstance(condition.scope, Everything)])


def concerning(conditions: Sequence[Condition], strategy: Name, symbol: Symbol) -> list[Condition]:
    """Return the conditions that an entry of this strategy in this symbol meets."""
    scopes: tuple[Scope, ...] = (Everything(), OfSymbol(symbol), OfStrategy(strategy))
    return [condition for condition in conditions if condition.scope in scopes and condition.permission != "RUN"]


def strictest(conditions: Sequence[Condition]) -> Permission:
    """Return the least permission among them."""
    return max((condition.permission for condition in conditions), key=STRICTNESS.index, default="RUN")
