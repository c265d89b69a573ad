"""Somebody at the controls: pauses and resumes, and leaves positions, all of one or a part, whenever it likes.

A script, and the only one beside the market: it asks over the mesh as everybody does, and asks again until answered.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Final

from proto.control import PauseEntries, ResumeEntries
from proto.envelope import Body, Envelope
from proto.intents import SetExit
from proto.orders import PositionChanged
from proto.risk import Everything
from shared.mesh.bus.requests import ATTEMPT_TIMEOUT_NS
from shared.mesh.bus.sender import Sender
from tests.simulation.links import Mesh
from tests.simulation.machine import Surroundings
from tests.simulation.risk import RISK
from tests.simulation.scheduler import SECOND_NS

OPERATOR: Final = "operator"
EXECUTOR: Final = "executor"
LEAVES: Final = 0.3  # of a position, each second
ATTEMPTS_MAX: Final = 20
VALID_NS: Final = 30 * SECOND_NS
STEP: Final = Decimal("0.001")


class Operator:
    """Asks."""

    def __init__(self, around: Surroundings, mesh: Mesh) -> None:
        self._scheduler: Final = around.scheduler
        self._weather: Final = around.weather
        self._dice: Final = around.dice.of(OPERATOR)
        self._mesh: Final = mesh
        self._sender: Final = Sender(instance=OPERATOR, epoch=1, clock=around.scheduler.clock)
        self._answered: Final[set[str]] = set()
        self._held: Final[dict[tuple[str, str], Decimal]] = {}
        self._number = 0
        self.is_quiet = False
        around.scheduler.every(lambda: SECOND_NS, self._consider)

    def told(self, changed: PositionChanged) -> None:
        """Take in what is held."""
        self._held[changed.strategy, changed.symbol] = changed.quantity

    def pause(self, instance: str) -> None:
        """Let entries wait."""
        self._ask(instance, PauseEntries(OPERATOR, "to look", Everything()))

    def resume(self, instance: str) -> None:
        """Lift every pause."""
        self._ask(instance, ResumeEntries(OPERATOR, "it was looked at", Everything()))

    def leave_all(self) -> None:
        """Bring every position down."""
        for place, held in self._held.items():
            if held > 0:
                self._leave(place, Decimal(0))

    def _consider(self) -> None:
        if self.is_quiet:
            return
        for place, held in self._held.items():
            if held > 0 and self._dice.random() < LEAVES:
                fraction = self._dice.choice((Decimal(0), Decimal(0), Decimal("0.5")))
                self._leave(place, (held * fraction).quantize(STEP))
        for instance in (EXECUTOR, RISK):
            if self._weather.strikes(f"{instance} paused by hand"):
                self.pause(instance)
                self._scheduler.after(3 * SECOND_NS, self._resuming(instance))

    def _resuming(self, instance: str) -> Callable[[], None]:
        return lambda: self.resume(instance)

    def _leave(self, place: tuple[str, str], target: Decimal) -> None:
        self._number += 1
        self._ask(EXECUTOR, SetExit(f"exit-by-hand-{self._number}", *place, target, "it is time"))

    def _ask(self, instance: str, body: Body) -> None:
        self._attempt(instance, self._sender.envelope(body, valid_for_ns=VALID_NS), 1)

    def _attempt(self, instance: str, envelope: Envelope, number: int) -> None:
        if envelope.id in self._answered or number > ATTEMPTS_MAX:
            return
        self._mesh.wire.send("ask", lambda: self._arrive(instance, envelope))
        self._scheduler.after(ATTEMPT_TIMEOUT_NS, lambda: self._attempt(instance, envelope, number + 1))

    def _arrive(self, instance: str, envelope: Envelope) -> None:
        asked = self._mesh.life(instance)
        if asked is not None:
            asked.arrive(envelope, OPERATOR, self._replied)

    def _replied(self, answer: Envelope) -> None:
        self._mesh.wire.send("answer", lambda: self._answered.add(answer.cause_id))
