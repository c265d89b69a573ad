"""Somebody at the controls: pauses and resumes, kills and clears, and leaves positions, all or a part, at any time.

A script, and the only one beside the market: it asks over the mesh as everybody does, and asks again until answered.
"""

from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

from proto.control import (
    AskClearKill,
    ClearKillOffered,
    ConfirmClearKill,
    Flatten,
    Kill,
    LiftKill,
    PauseEntries,
    ResumeEntries,
)
from proto.envelope import Body, Envelope
from proto.intents import SetExit
from proto.orders import PositionChanged
from proto.risk import Everything, Latch
from proto.verdicts import Approval
from shared.mesh.bus.requests import ATTEMPT_TIMEOUT_NS
from shared.mesh.bus.sender import Sender
from tests.simulation.links import Mesh
from tests.simulation.machine import Surroundings
from tests.simulation.risk import RISK
from tests.simulation.scheduler import MILLISECOND_NS, SECOND_NS
from tests.simulation.venue import SYMBOLS

OPERATOR: Final = "operator"
EXECUTOR: Final = "executor"
FLATTENER: Final = "flattener"
LEAVES: Final = 0.3  # of a position, each second
CLEARS: Final = 0.15  # the latch that stands
ATTEMPTS_MAX: Final = 20
VALID_NS: Final = 30 * SECOND_NS
STEP: Final = Decimal("0.001")
PRESSES_MAX: Final = 4
PRESSED_MS_MAX: Final = 1_000


class Operator:
    """Asks."""

    def __init__(self, around: Surroundings, mesh: Mesh, standing: Callable[[], str | None]) -> None:
        self._scheduler: Final = around.scheduler
        self._weather: Final = around.weather
        self._dice: Final = around.dice.of(OPERATOR)
        self._mesh: Final = mesh
        self._sender: Final = Sender(instance=OPERATOR, epoch=1, clock=around.scheduler.clock)
        self._answered: Final[set[str]] = set()
        self._held: Final[dict[tuple[str, str], Decimal]] = {}
        self._halt: Final = around.halt
        self._standing: Final = standing
        self._kills: Final = around.dice.of("operator kills")
        self._presses: Final = around.dice.of("others kill")
        self._looked_at = "kill-0"
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

    def kill(self) -> str:
        """Stop everything, as `bowline kill` does: the file first, then whoever can be told. Return the latch's id."""
        latch_id = f"kill-{self._scheduler.now_ns}"
        self._halt.make(Latch(latch_id, OPERATOR, "enough", self._scheduler.clock.wall_ns()), is_pressed=True)
        for instance in (RISK, EXECUTOR):
            self._ask(instance, Kill(OPERATOR, "enough"))
        return latch_id

    def others_kill(self) -> None:
        """Let others press as well within a moment, each for a reason of his own, at whichever socket, or by hand."""
        dice = self._presses
        for number in range(dice.randint(1, PRESSES_MAX)):
            way = dice.choice((RISK, EXECUTOR, FLATTENER, "by hand"))
            kill = Kill(f"{OPERATOR} {number}", f"reason {number}")
            press = self._halt.touch if way == "by hand" else self._pressing(way, kill)
            self._scheduler.after(dice.randint(0, PRESSED_MS_MAX) * MILLISECOND_NS, press)

    def overhears(self, asked: Body) -> None:
        """Take note of what risk asks of the executor: whoever stops it in that moment does what risk has not seen."""
        if isinstance(asked, Approval) and self._weather.strikes("killed as an entry is approved"):
            self._ask(EXECUTOR, Kill(OPERATOR, "enough"))
        if isinstance(asked, LiftKill) and self._weather.strikes("HALT file touched as the latch is lifted"):
            self._halt.touch()

    def clear(self) -> None:
        """Clear the latch that stands, in two steps; asked again it may be another."""
        latch_id = self._standing()
        if latch_id is None:
            return
        for known in (latch_id, self._looked_at):  # an older one is of no use any more
            self._ask(RISK, AskClearKill(OPERATOR, "it was looked at", known))
        self._looked_at = latch_id

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
                self._leave(place, (held * fraction).quantize(STEP, ROUND_HALF_EVEN))
        for instance in (EXECUTOR, RISK):
            if self._weather.strikes(f"{instance} paused by hand"):
                self.pause(instance)
                self._scheduler.after(3 * SECOND_NS, self._resuming(instance))
        self._consider_halting()

    def _consider_halting(self) -> None:
        strikes, dice = self._weather.strikes, self._kills
        if strikes("killed by hand"):
            way = dice.choice(("all", RISK, EXECUTOR))
            if way == "all":
                self.kill()
            else:
                self._ask(way, Kill(OPERATOR, "enough"))
        if strikes("HALT file touched by hand"):
            self._halt.touch()
        if self._halt.latch is not None and strikes("HALT file removed by hand"):
            self._halt.remove()
        if strikes("flattened by hand"):
            self._ask(EXECUTOR, Flatten(OPERATOR, "it is enough", dice.choice((None, *SYMBOLS))))
        if self._standing() is not None and dice.random() < CLEARS:
            self.clear()

    def _pressing(self, instance: str, kill: Kill) -> Callable[[], None]:
        return lambda: self._ask(instance, kill)

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
        self._mesh.wire.send("answer", lambda: self._heard(answer))

    def _heard(self, answer: Envelope) -> None:
        if answer.cause_id not in self._answered and isinstance(answer.body, ClearKillOffered):
            self._ask(RISK, ConfirmClearKill(OPERATOR, answer.body.latch_id, answer.body.offer_id))
        self._answered.add(answer.cause_id)
