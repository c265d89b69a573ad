"""The executor's role in our hands: its engine goes on where its records end, and we write down each word of it.

The engine has no lease here, so it can sign no entry: it ends what was being entered, covers and closes.
"""

from collections import deque
from collections.abc import Iterable
from typing import Final

from proto.control import Flatten
from proto.envelope import SCHEMA, Envelope
from proto.fields import clipped
from proto.orders import FlatnessTold, FlattenBegun, OrderAcknowledged, OrderFilled, ReconcileFinished
from services.flattener.core.judgement import Need
from services.flattener.core.peer import SECOND_NS
from shared.core.service import (
    Answer,
    Ask,
    Asked,
    BeWary,
    Effect,
    Happening,
    Moment,
    NotRecorded,
    Recorded,
    Report,
    Say,
    Started,
    Stop,
    WakeAt,
    Watch,
)
from shared.execution.core import LEASE, ExecutorCore
from shared.execution.vocabulary import OrderSent, SendOrder

OURSELVES: Final = "flattener"
EXECUTOR: Final = "executor"
IDLE_NS: Final = 5 * SECOND_NS  # whoever has something to close has begun with it by then
STUCK_NS: Final = 60 * SECOND_NS  # nothing is sold, nor taken by the venue: another may try again


class Tenure:
    """Hands the engine what happens, one thing at a time, and lets out what it may do in another's name."""

    def __init__(self, engine: ExecutorCore, *, epoch: int, reason: str) -> None:
        self.epoch: Final = epoch
        self.reason: Final = reason
        self.troubles: tuple[str, ...] = ()
        self.has_got_on = False  # something was bought or sold, or all is flat
        self._engine: Final = engine
        self._waiting: Final[deque[Happening]] = deque()
        self._unrecorded = 0  # reports; until they are durable the engine is handed nothing else
        self._in_flight: Final[set[str]] = set()  # orders that left, until it is known what came of the sending
        self._is_read = False  # the books were held against the venue's since something was done
        self._got_on_ns = 0

    def begin(self, told: Iterable[Happening], now: Moment) -> list[Effect]:
        """Let the engine begin, and tell it how everything stands."""
        self._got_on_ns = now.boot_ns
        self._waiting.append(Started(EXECUTOR, self.epoch, 0, ()))
        self._waiting.extend(told)
        return self._work_off(now)

    def take(self, happening: Happening, now: Moment) -> list[Effect]:
        """Hand it something that happened."""
        if isinstance(happening, OrderSent):
            self._in_flight.discard(happening.client_order_id)
        self._waiting.append(happening)
        return self._work_off(now)

    def recorded(self, recorded: Recorded, now: Moment) -> list[Effect]:
        """Hand it back a report that is durable."""
        match recorded.envelope.body:
            case ReconcileFinished(clean=clean):
                self._is_read = clean
            case FlattenBegun() | OrderAcknowledged() | OrderFilled() as done:
                self._got_on_ns, self._is_read = now.boot_ns, False
                self.has_got_on |= isinstance(done, OrderFilled)
            case FlatnessTold(is_flat=True):
                self.has_got_on = True
            case _:
                pass
        self._unrecorded = max(self._unrecorded - 1, 0)
        return [*self._handed(recorded, now), *self._work_off(now)]

    def not_recorded(self, refused: NotRecorded, now: Moment) -> list[Effect]:
        """Tell it that there was no room for its reports."""
        self._unrecorded = 0
        return [*self._handed(refused, now), *self._work_off(now)]

    def why_over(self, now: Moment) -> str | None:
        """Say why the role may be given back, None while there is something to do, or something under way."""
        going = self._engine.books.flattens.going.values()
        if not self.is_quiet:
            return None
        if going and self._is_read and all(one.is_flat for one in going):  # maybe told by the executor already
            return "it is flat"
        if not going and now.boot_ns - self._got_on_ns >= IDLE_NS:
            return "there is nothing to close any more"  # the latch was lifted while the role was being taken
        if now.boot_ns - self._got_on_ns >= STUCK_NS:
            return clipped(f"nothing more can be closed now: {'; '.join(self.troubles)}")
        return None

    @property
    def is_quiet(self) -> bool:
        """Whether nothing of it is under way."""
        return not self._waiting and not self._unrecorded and not self._in_flight

    def _work_off(self, now: Moment) -> list[Effect]:
        effects: list[Effect] = []
        while self._waiting and not self._unrecorded:
            effects += self._handed(self._waiting.popleft(), now)
        return effects

    def _handed(self, happening: Happening, now: Moment) -> list[Effect]:
        effects = self._engine.handle(happening, now)
        self._unrecorded += sum(isinstance(effect, Report) for effect in effects)
        self._in_flight.update(effect.client_order_id for effect in effects if isinstance(effect, SendOrder))
        return [effect for effect in effects if self._is_let_out(effect)]

    def _is_let_out(self, effect: Effect) -> bool:
        match effect:
            case BeWary(troubles=troubles):
                self.troubles = troubles
                return False
            case Ask() | Say() | Stop() | Watch():
                return False
            case WakeAt(timer=timer):
                return timer != LEASE
            case Answer(asked=asked):
                return asked.instance != OURSELVES
            case _:
                return True


def asked_by_ourselves(need: Need, now: Moment) -> list[Asked]:
    """Return what lets the engine close these symbols: it is asked as anybody asks it."""
    return [
        Asked(
            OURSELVES,
            Envelope(
                schema=SCHEMA,
                sender=OURSELVES,
                epoch=1,
                sequence=number,
                id=f"{OURSELVES}-{now.boot_ns}-{number}",
                cause_id=f"{OURSELVES}-{now.boot_ns}-{number}",
                sent_wall_ns=now.wall_ns,
                boot_id=now.boot_id,
                sent_boot_ns=now.boot_ns,
                expires_boot_ns=None,
                body=Flatten(OURSELVES, clipped(need.reason), symbol),
            ),
        )
        for number, symbol in enumerate(need.symbols, start=1)
    ]
