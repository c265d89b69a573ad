"""Decides which faults strike: the rules, seeded chance and the occasion in, the faults that fire out. Pure.

Every fault has a stream of chance of its own, by the seed and its id: adding another changes nothing for it.
"""

from collections.abc import Iterator
from typing import Final, Protocol

import msgspec

from services.sim_exchange.faults.moments import moment_ms
from services.sim_exchange.faults.scope import FaultRefusedError, Occasion, Point, check_scope, points, strikes
from services.sim_exchange.faults.vocabulary import Fault
from services.sim_exchange.market.draws import draws_at

FAULTS_MAX: Final = 200  # those that ended are forgotten first; a fault beyond that is refused


class _Draws(Protocol):
    def random(self) -> float:
        """Return the next number from 0 to 1, without 1."""


class Rule(msgspec.Struct, kw_only=True, eq=False):
    """A fault that was asked for, and how it has gone with it so far."""

    fault_id: str
    fault: Fault
    draws: _Draws
    points: frozenset[Point]
    since_ms: int | None = None  # None: nobody has said yet when it begins
    until_ms: int | None = None
    seen: int = 0  # occasions within its scope
    fired: int = 0
    has_begun: bool = False
    has_ended: bool = False

    def start(self, start_ms: int) -> None:
        """Say when it begins and ends: times that begin with + count from here."""
        when = self.fault.when
        self.since_ms = start_ms if when.since is None else moment_ms(when.since, start_ms)
        self.until_ms = None if when.until is None else moment_ms(when.until, start_ms)

    def has_come(self, now_ms: int) -> bool:
        """Say whether its time has come."""
        return self.since_ms is not None and self.since_ms <= now_ms

    def is_over(self, now_ms: int) -> bool:
        """Say whether it will never fire again."""
        when = self.fault.when
        if self.until_ms is not None and now_ms >= self.until_ms:
            return True
        if when.most is not None and self.fired >= when.most:
            return True
        return when.nth is not None and self.seen >= max(when.nth)

    def fires(self) -> bool:
        """Count an occasion within the scope, and say whether the fault strikes it."""
        self.seen += 1
        when = self.fault.when
        if when.nth is not None:
            hit = self.seen in when.nth
        elif when.every is not None:
            hit = self.seen % when.every == 0
        else:
            hit = when.probability is None or self.draws.random() < when.probability
        self.fired += hit
        return hit


class Rulebook:
    """The faults that were asked for."""

    def __init__(self, *, seed: int) -> None:
        self._seed = seed
        self._rules: Final[dict[str, Rule]] = {}
        self._at: Final[dict[Point, list[Rule]]] = {"request": [], "reply": [], "read": [], "event": []}
        self._added = 0

    def sow(self, seed: int) -> None:
        """Draw by another seed from now on. The faults that are here keep theirs."""
        self._seed = seed

    def add(self, fault: Fault, start_ms: int | None, fault_id: str | None = None) -> Rule:
        """Take a fault up. Times that begin with + count from `start_ms`; None leaves it to somebody to start it."""
        check_scope(fault)
        self._added += 1
        name = fault_id or f"f{self._added}"
        if name in self._rules:
            raise FaultRefusedError("id", f"`{name}` is taken: take that fault away first, or choose another name")
        rule = Rule(fault_id=name, fault=fault, draws=draws_at(self._seed, "fault", name), points=points(fault))
        if start_ms is not None:
            rule.start(start_ms)
            if rule.until_ms is not None and rule.is_over(rule.since_ms or start_ms):
                raise FaultRefusedError("when.until", "is not after `since`, or after now: write a later time")
        self._make_room()
        self._rules[name] = rule
        for point in rule.points:
            self._at[point].append(rule)
        return rule

    def remove(self, fault_id: str) -> Rule | None:
        """Take a fault away and return it; None if there is none of that id."""
        rule = self._rules.pop(fault_id, None)
        if rule is not None:
            for point in rule.points:
                self._at[point].remove(rule)
        return rule

    def rules(self) -> tuple[Rule, ...]:
        """Return every fault that is kept, in the order in which they were asked for."""
        return tuple(self._rules.values())

    def has(self, point: Point) -> bool:
        """Say whether any fault could strike there: where none could, nothing need be looked at."""
        return bool(self._at[point])

    def firing(self, occasion: Occasion, now_ms: int) -> Iterator[Rule]:
        """Yield the faults that strike, in their order. One that is not asked for any more counts no occasion."""
        for rule in tuple(self._at[occasion.point]):
            in_time = rule.has_come(now_ms) and not rule.is_over(now_ms)
            if in_time and strikes(rule.fault, occasion) and rule.fires():
                yield rule

    def turned(self, now_ms: int) -> tuple[list[Rule], list[Rule]]:
        """Return the faults that have begun, and those that have ended, since this was last asked."""
        begun = [rule for rule in self._rules.values() if not rule.has_begun and rule.has_come(now_ms)]
        for rule in begun:
            rule.has_begun = True
        ended = [
            rule for rule in self._rules.values() if rule.has_begun and not rule.has_ended and rule.is_over(now_ms)
        ]
        for rule in ended:
            rule.has_ended = True
        return begun, ended

    def _make_room(self) -> None:
        if len(self._rules) < FAULTS_MAX:
            return
        over = next((rule for rule in self._rules.values() if rule.has_ended), None)
        if over is None:
            raise FaultRefusedError("", f"there are {FAULTS_MAX} faults already: take one away first")
        self.remove(over.fault_id)
