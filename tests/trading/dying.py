"""Risk, executor, flattener or a strategy as they are, and killed as kill -9 does where a test says.

    python -m tests.trading.dying ROOT risk|executor|flattener|strategy

The service is put together as its own `__main__` does; only what passes between its core, its shell and its venue is
looked at on the way. The place to die at stands in a file of the project while there is one, as what to do there, a
moment, the message or effect, and what holds of it:

    dies reports SendMarked order.purpose=entry     before the record is durable
    dies recorded OrderFilled                       after it is, before anything comes of it
    dies performs SendOrder side=buy                before the gateway is told to send
    dies brings OrderSent outcome=Acknowledged      the venue's answer is there, and nothing of it written down
    dies asks EnterBracket                          before the request leaves
    dies answered IntentApproved                    its answer is there, and nothing done about it
    dies wants RemoveHalt                           before the shell does it
    dies sees HaltSeen latch=None                   it was done, and nothing comes of it yet
    hangs recorded IntentJudged                     and waits there for ever: a deadlock of its core

Who hangs is not frozen: the loop stands still in the middle of an input, while the threads of the bus and of the log go
on, so every connection stays open and its pings are answered.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from services.executor.__main__ import plan_of as executor_plan
from services.flattener.__main__ import plan_of as flattener_plan
from services.risk_watchdog.__main__ import plan_of as risk_plan
from services.strategy.__main__ import plan_of as strategy_plan
from shared.core.service import (
    Answered,
    Ask,
    Core,
    Effect,
    FromOutside,
    HaltSeen,
    Happening,
    Moment,
    Outward,
    Recorded,
    RemoveHalt,
    Report,
    Started,
)
from shared.mesh.service import JournaledPlan, Outside, Plan, run
from shared.mesh.settings import load_configuration

PLACE_FILE: Final = "{}.dies-at"
DIES, HANGS = "dies", "hangs"


class Place:
    """Where to die or to hang, by a file that may come and go."""

    def __init__(self, file: Path) -> None:
        self._file: Final = file

    def reached(self, moment: str, thing: object) -> None:
        """Do it if this is the place."""
        try:
            act, wanted_moment, kinds, *conditions = self._file.read_text().split()
        except FileNotFoundError:
            return
        if moment != wanted_moment or type(thing).__name__ not in kinds.split("|") or not _holds(thing, conditions):
            return
        if act == HANGS:
            threading.Event().wait()
        os.kill(os.getpid(), signal.SIGKILL)


def _holds(thing: object, conditions: Sequence[str]) -> bool:
    """Tell whether each `path=value` holds: of an attribute's text, or of the name of its type."""
    for condition in conditions:
        path, _, value = condition.partition("=")
        found = thing
        for name in path.split("."):
            found = getattr(found, name)
        if value not in {str(found), type(found).__name__}:
            return False
    return True


class DyingCore:
    """A core of a service."""

    def __init__(self, core: Core, place: Place) -> None:
        self._core: Final = core
        self._place: Final = place
        self._has_begun = False  # what is folded at a start was survived before

    def handle(self, happening: Happening, now: Moment) -> Sequence[Effect]:
        """Do what it does, if it lives to."""
        self._has_begun |= isinstance(happening, Started)
        if self._has_begun:
            match happening:
                case Recorded(envelope=envelope):
                    self._place.reached("recorded", envelope.body)
                case Answered(envelope=envelope):
                    self._place.reached("answered", envelope.body)
                case HaltSeen():
                    self._place.reached("sees", happening)
                case _:
                    pass
        effects = self._core.handle(happening, now)
        for effect in effects:
            match effect:
                case Report(body=body):
                    self._place.reached("reports", body)
                case Ask(body=body):
                    self._place.reached("asks", body)
                case RemoveHalt():
                    self._place.reached("wants", effect)
                case _:
                    pass
        return effects


class DyingJournaling(DyingCore):
    """A core that owns a journal."""

    def __init__(self, core: Core, state: Callable[[], bytes], place: Place) -> None:
        super().__init__(core, place)
        self._state: Final = state

    def state(self) -> bytes:
        """Return what the core does."""
        return self._state()


class DyingOutside:
    """What a service has to do with the world beside the bus."""

    def __init__(self, outside: Outside, place: Place) -> None:
        self._outside: Final = outside
        self._place: Final = place

    def open(self, bring: Callable[[FromOutside], None]) -> None:
        """Begin."""

        def brought(told: FromOutside) -> None:
            self._place.reached("brings", told)
            bring(told)

        self._outside.open(brought)

    def perform(self, effect: Outward) -> None:
        """Do what the core wants, if it lives to."""
        self._place.reached("performs", effect)
        self._outside.perform(effect)

    def close(self) -> None:
        """End."""
        self._outside.close()


def plan_named(instance: str, root: Path) -> Plan:
    """Return what a service is, but for its end."""
    configuration = load_configuration(root=root, environment=os.environ)
    place = Place(root / PLACE_FILE.format(instance))
    if instance == "executor":
        plan: Plan = executor_plan(configuration)
    elif instance == "flattener":
        plan = flattener_plan(configuration)
    elif instance == "risk":
        plan = risk_plan(configuration.settings)
    else:
        plan = strategy_plan(instance, configuration)
    outside = None if plan.outside is None else DyingOutside(plan.outside, place)
    if isinstance(plan, JournaledPlan):
        return replace(plan, core=DyingJournaling(plan.core, plan.core.state, place), outside=outside)
    return replace(plan, core=DyingCore(plan.core, place), outside=outside)


if __name__ == "__main__":
    project = Path(sys.argv[1])
    sys.exit(run(plan_named(sys.argv[2], project), root=project))
