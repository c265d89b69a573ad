"""What the real flattener is run with: hands that read the executor's disk and take its role, and who watches it."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Final

from proto.envelope import Envelope
from proto.fencing import RoleReturned, RoleTaken
from services.flattener.core.past import Past
from services.flattener.core.tenure import EXECUTOR
from services.flattener.desk import NOT_OURS, past_in
from services.flattener.vocabulary import (
    GiveRoleBack,
    ReadRecords,
    RecordsRead,
    RoleHeld,
    RoleIsFree,
    RoleNotHeld,
    TakeRole,
)
from shared.core.service import (
    Effect,
    FromOutside,
    Happening,
    InheritanceUnread,
    Inherited,
    InheritedState,
    Outward,
)
from shared.execution.core import TradedAccount
from shared.execution.governor import EgressLimits
from shared.execution.vocabulary import (
    CancelOrder,
    CancelSent,
    OrderSent,
    ReadWorth,
    SendOrder,
    VenueBalance,
    WorthRead,
)
from shared.mesh.journal_tail import JournalTail, journal_tail
from shared.mesh.service import Inherits
from shared.mesh.service.adoption import inherited
from tests.simulation.gateway import Gateway
from tests.simulation.machine import Machine, Surroundings
from tests.simulation.process import CODEC, Process
from tests.simulation.scheduler import MILLISECOND_NS
from tests.simulation.trace import words
from tests.simulation.venue import SimVenue
from tests.simulation.witness import Witness

FLATTENER: Final = "flattener"
SLOW_MS_MAX: Final = 1_500
LAG_MS_MAX: Final = 1_900
OFF_SHARE: Final = 0.2


def not_adopted(
    flattener: Machine, has_adopted: Callable[[bytes], bool]
) -> Iterator[InheritedState | Inherited | InheritanceUnread]:
    """Yield what the executor's next life finds of the flattener's."""
    if (tail := _tail(flattener)) is not None:
        yield from inherited(tail, Inherits(instance=FLATTENER, has_adopted=has_adopted))


class SimDesk:
    """The hands of one life, as services/flattener/desk.py has them."""

    def __init__(
        self,
        *,
        process: Process,
        gateway: Gateway,
        venue: SimVenue,
        executor: Machine,
        own: Machine,
        around: Surroundings,
        account: TradedAccount,
        limits: EgressLimits,
    ) -> None:
        self._process: Final = process
        self._gateway: Final = gateway
        self._venue: Final = venue
        self._executor: Final = executor
        self._own: Final = own
        self._around: Final = around
        self._account: Final = account
        self._limits: Final = limits
        self._dice: Final = around.dice.of("flattener's desk")
        self._worth_dice: Final = around.dice.of("what the account is worth")
        self._is_ours = False

    def open(self) -> None:
        """Begin."""
        self._gateway.open()

    def close(self) -> None:
        """End: a lock goes with the process that holds it."""
        self._hand_back()

    def perform(self, effect: Outward) -> None:
        """Do what the core wants, beside its loop."""
        match effect:
            case ReadWorth():
                delay_ms = self._worth_dice.randint(5, SLOW_MS_MAX)
                self._around.scheduler.after(delay_ms * MILLISECOND_NS, lambda: self._process.take(self._worth(effect)))
            case ReadRecords():
                self._later(lambda: RecordsRead(self._past(), ""))
            case TakeRole():
                self._later(self._taken)
            case GiveRoleBack():
                self._later(self._given_back)
            case SendOrder(client_order_id=name) if not self._is_ours:
                self._process.take(OrderSent(name, NOT_OURS, None))
            case CancelOrder(client_order_id=name) if not self._is_ours:
                self._process.take(CancelSent(name, NOT_OURS))
            case _:
                self._gateway.perform(effect)

    def _later(self, act: Callable[[], FromOutside]) -> None:
        def now() -> None:
            if self._process.is_alive:
                brought = act()
                self._around.trace.note("desk", words(brought)[:60])
                self._process.take(brought)

        self._around.scheduler.after(self._dice.randint(5, SLOW_MS_MAX) * MILLISECOND_NS, now)

    def _worth(self, wanted: ReadWorth) -> FromOutside:
        """Read what the account is worth: from a copy that lags behind, at prices that may all be wrong."""
        lag_ms = self._worth_dice.randint(0, LAG_MS_MAX) if self._is_off("read lags") else 0
        held = self._venue.held(self._around.scheduler.now_ns - lag_ms * MILLISECOND_NS)
        wrong = Decimal(self._worth_dice.randint(1, 40)) / 10 if self._is_off("price jumps") else Decimal(1)
        books = [(symbol, self._venue.bids_and_asks(symbol).bids) for symbol in wanted.symbols]
        return WorthRead(
            read_number=wanted.read_number,
            balances=tuple(VenueBalance(asset, one.free, one.locked) for asset, one in held.items()),
            bids={symbol: bids[0][0] * wrong for symbol, bids in books if bids},
            venue_time_ns=self._venue.time_ns,
            failure="no answer" if self._is_off("read failed") else None,
        )

    def _is_off(self, fault: str) -> bool:
        """Draw whether a reading suffers from a fault of the seed, by dice of its own: so it moves nothing else."""
        weather = self._around.weather
        return fault in weather.faults and not weather.is_over and self._worth_dice.random() < OFF_SHARE

    def _taken(self) -> FromOutside:
        if self._around.weather.strikes("role refused"):
            return RoleNotHeld("its holder could not be ended beyond doubt")
        self._is_ours, epoch = True, self._executor.fence()
        return RoleHeld(epoch, self._past())

    def _given_back(self) -> FromOutside:
        self._hand_back()
        return RoleIsFree()

    def _hand_back(self) -> None:
        if self._is_ours:
            self._is_ours = False
            self._executor.hand_back()

    def _past(self) -> Past:
        return past_in(_tail(self._executor), _tail(self._own), self._account, self._limits)


class FlattenerWitness:
    """Passes on to the executor's witness what is done in its name, and sees that it is only done under its role."""

    def __init__(self, executor: Witness) -> None:
        self._executor: Final = executor
        self._epoch: int | None = None  # of the life that holds the role
        self.takeovers = 0

    def began(self) -> None:
        """Take note of nothing: a life that begins has no role, and what it writes has its epoch."""

    def taken(self, happening: Happening, epoch: int) -> None:
        """Take note of nothing."""

    def performed(self, effect: Effect, epoch: int) -> None:
        """Look at an order that leaves."""
        self._executor.performed(effect, epoch)

    def recorded(self, envelope: Envelope) -> None:
        """Take note of a durable record."""
        if envelope.epoch != self._epoch:
            self._epoch = None
        match envelope.body:
            case RoleTaken(instance=instance):
                if instance == EXECUTOR:
                    self._epoch = envelope.epoch
                    self.takeovers += 1
            case RoleReturned():
                self._epoch = None
            case _ if self._epoch is not None:
                self._executor.acted(envelope)
            case _:
                pass


def _tail(machine: Machine) -> JournalTail | None:
    """Look at a journal as it lies on a disk now, whoever writes there."""
    return journal_tail(machine.disk.restore(machine.disk.copied()), codec=CODEC)
