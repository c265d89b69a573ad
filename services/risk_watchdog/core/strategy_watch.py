"""Whether the strategies that run still move: one that is silent enters nothing, and its stops stand meanwhile. Pure.

Nobody is ended for it, since a position has its stop without its strategy. But nobody would leave in time what an entry
brings, so its entries wait until it is heard again. What is no silence of the executor's is none of a strategy's.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from proto.fields import Instance, Name
from proto.risk import Condition, OfStrategy
from services.risk_watchdog.core.alerts import alert
from services.risk_watchdog.core.conditions import against
from services.risk_watchdog.core.facts import Facts
from services.risk_watchdog.core.peers import Peer
from services.risk_watchdog.core.terms import SECOND_NS
from shared.core.service import Moment, Report

SILENT_NS_MAX: Final = 10 * SECOND_NS


class StrategyWatch:
    """Watches everybody who decides."""

    def __init__(self, facts: Facts, strategies: Mapping[Instance, Name]) -> None:
        self._facts: Final = facts
        self._strategies: Final = strategies
        self.peers: Final = {instance: Peer() for instance in strategies}

    def conditions(self, now: Moment) -> Iterator[Condition]:
        """Yield what stands against entries of a strategy."""
        for instance, owner in self._strategies.items():
            if self._is_silent(instance, now):
                reason = f"{instance} makes no progress for over {SILENT_NS_MAX // SECOND_NS} s"
                yield against("strategy_silent", reason, OfStrategy(owner))

    def due(self, now: Moment) -> Iterator[Report]:
        """Tell of a strategy that has fallen silent, once, and that it works again."""
        for instance, owner in self._strategies.items():
            was_told = instance in self._facts.missed
            if self._is_silent(instance, now) and not was_told:
                words = f"{instance} makes no progress: {owner} enters nothing, and its stops stand"
                yield alert("warning", "strategy-silent", words, instance)
            elif was_told and self.peers[instance].moves(now):
                yield alert("info", "strategy-silent", f"{instance} works again", instance)

    def _is_silent(self, instance: Instance, now: Moment) -> bool:
        return self.peers[instance].silent_ns(now) > SILENT_NS_MAX
