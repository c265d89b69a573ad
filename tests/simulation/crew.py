"""The processes of a run: the real cores, each in its seat, with its hands and with who watches it."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from services.flattener.core.flattener import FlattenerCore
from shared.core.service import Core, InheritanceUnread, Inherited, InheritedState
from shared.execution.adopting import AdoptingCore
from shared.execution.core import ExecutorCore, TradedAccount
from shared.execution.governor import EgressLimits
from tests.simulation.feed import FEED
from tests.simulation.flattener import FLATTENER, FlattenerWitness, SimDesk, not_adopted
from tests.simulation.gateway import Gateway
from tests.simulation.links import Mesh
from tests.simulation.machine import Machine, Seat, Surroundings
from tests.simulation.operator import EXECUTOR
from tests.simulation.process import Process
from tests.simulation.risk import FEES, RISK, risk_core
from tests.simulation.risk_witness import RiskWitness, StrategyWitness
from tests.simulation.strategy import STRATEGY, File, SimShelf, strategy_core
from tests.simulation.venue import SYMBOLS, VENUE, SimVenue
from tests.simulation.witness import Witness

TRADED: Final = TradedAccount(
    venue=VENUE,
    feeds=dict.fromkeys(SYMBOLS, FEED),
    quote_asset="USDT",
    tag="sim",
    fees=FEES,
    name="sim/simulated/main",
)
LIMITS: Final = EgressLimits(
    orders_max=300, entries_max=100, symbol_entries_max=60, entries_quote_max=Decimal(1_000_000)
)


def executor_core() -> AdoptingCore:
    """Return the executor as it is."""
    return AdoptingCore(ExecutorCore(TRADED, LIMITS))


def flattener_core() -> FlattenerCore:
    """Return the flattener as it is."""
    return FlattenerCore(TRADED)


@dataclass(frozen=True, slots=True)
class Witnesses:
    """Who watches whom."""

    executor: Witness
    risk: RiskWitness
    strategy: StrategyWitness
    flattener: FlattenerWitness


class Crew:
    """Every process."""

    def __init__(self, *, around: Surroundings, mesh: Mesh, venue: SimVenue, witnesses: Witnesses, file: File) -> None:
        self._around: Final = around
        self._venue: Final = venue
        self._witness: Final = witnesses.executor
        self.executor: Final = Machine(
            seat=Seat(
                instance=EXECUTOR,
                make_core=executor_core,
                reports="reports",
                deaths_max=12,
                inheritance=self._inheritance,
            ),
            around=around,
            mesh=mesh,
            watcher=witnesses.executor,
            outside=self._gateway,
        )
        self.risk: Final = Machine(
            seat=Seat(instance=RISK, make_core=risk_core, reports="verdicts", deaths_max=8),
            around=around,
            mesh=mesh,
            watcher=witnesses.risk,
            outside=None,
        )
        self.strategy: Final = Machine(
            seat=Seat(instance=STRATEGY, make_core=strategy_core, reports=None, deaths_max=8),
            around=around,
            mesh=mesh,
            watcher=witnesses.strategy,
            outside=lambda process: SimShelf(process=process, around=around, file=file),
        )
        self.flattener: Final = Machine(
            seat=Seat(
                instance=FLATTENER, make_core=flattener_core, reports="reports", deaths_max=8, operations_max=100
            ),
            around=around,
            mesh=mesh,
            watcher=witnesses.flattener,
            outside=self._desk,
        )
        self.named: Final = {
            EXECUTOR: self.executor,
            RISK: self.risk,
            STRATEGY: self.strategy,
            FLATTENER: self.flattener,
        }

    def _inheritance(self, core: Core) -> Iterator[InheritedState | Inherited | InheritanceUnread]:
        assert isinstance(core, AdoptingCore), "nobody else adopts"
        return not_adopted(self.flattener, core.has_adopted)

    def _gateway(self, process: Process) -> Gateway:
        return Gateway(process=process, venue=self._venue, around=self._around, witness=self._witness)

    def _desk(self, process: Process) -> SimDesk:
        return SimDesk(
            process=process,
            gateway=self._gateway(process),
            venue=self._venue,
            executor=self.executor,
            own=self.flattener,
            around=self._around,
            account=TRADED,
            limits=LIMITS,
        )
