"""A scripted strategy: it asks for an entry, holds for a while, and leaves; what it knows it was told."""

from collections.abc import Callable
from decimal import Decimal
from typing import Final

from proto.envelope import Body, Envelope
from proto.intents import ExitRefused, ExitTaken, SetExit
from proto.orders import EntryEnded, EntryOpened, ExitEnded, PositionChanged
from shared.core.service import Asked, Happening
from tests.simulation.market import Market
from tests.simulation.risk import ScriptedRisk
from tests.simulation.scheduler import MILLISECOND_NS, SECOND_NS, Dice, Scheduler
from tests.simulation.weather import Weather

ASK_AGAIN_NS: Final = SECOND_NS
TRIES_MAX: Final = 3
WORTH_QUOTE: Final = (20, 900)


class ScriptedStrategy:
    """Owns one symbol."""

    def __init__(
        self,
        *,
        name: str,
        symbol: str,
        scheduler: Scheduler,
        weather: Weather,
        dice: Dice,
        market: Market,
        risk: ScriptedRisk,
        deliver: Callable[[Happening], None],
    ) -> None:
        self.name: Final = name
        self.symbol: Final = symbol
        self._scheduler: Final = scheduler
        self._weather: Final = weather
        self._dice: Final = dice.of(name)
        self._market: Final = market
        self._risk: Final = risk
        self._deliver: Final = deliver
        self._number = 0
        self._holds = Decimal(0)
        self._intent: str | None = None
        self._tries = 0
        self._is_worked = False
        self._exit: SetExit | None = None
        self._exit_is_taken = False
        self.is_told_what_to_do = False  # and does nothing of its own accord
        self.entries_opened = self.exits_ended = 0
        scheduler.every(lambda: self._dice.randint(700, 1_300) * MILLISECOND_NS, self._consider)

    def told(self, envelope: Envelope) -> None:
        """Take in a report of the executor."""
        body = envelope.body
        if getattr(body, "strategy", None) != self.name and not isinstance(body, EntryOpened):
            return
        match body:
            case EntryOpened(approval=approval) if approval.strategy == self.name:
                self._is_worked = True
                self.entries_opened += 1
            case EntryEnded():
                self._intent, self._is_worked = None, False
            case PositionChanged(quantity=quantity):
                self._holds = quantity
            case ExitEnded():
                self._exit, self._holds = None, Decimal(0) if not self._target() else self._holds
                self.exits_ended += 1
            case _:
                pass

    def answered(self, body: Body) -> None:
        """Take in the answer to an exit."""
        if isinstance(body, ExitTaken):
            self._exit_is_taken = True
        elif isinstance(body, ExitRefused):
            self._exit = None

    def enter(self) -> None:
        """Begin to ask for an entry."""
        self._number += 1
        self._intent, self._tries, self._is_worked = f"{self.name}:{self.symbol}:{self._number}", 0, False
        self._ask_for_entry()

    def leave(self, fraction: Decimal = Decimal(0)) -> None:
        """Bring the position down to a part of it."""
        self._number += 1
        target = (self._holds * fraction).quantize(Decimal("0.001")) if self._holds > 0 else Decimal(0)
        self._exit = SetExit(f"exit-{self.name}-{self._number}", self.name, self.symbol, target, "it is time")
        self._exit_is_taken = False
        self._ask_for_exit()

    def _consider(self) -> None:
        if self._exit is not None:
            if not self._exit_is_taken:
                self._ask_for_exit()
        elif self._intent is not None:
            if not self._is_worked:
                self._ask_for_entry()
            elif not self.is_told_what_to_do and self._dice.random() < 0.05:
                self.leave()
        elif self.is_told_what_to_do:
            return
        elif self._holds > 0 and self._dice.random() < 0.25:
            self.leave(self._dice.choice((Decimal(0), Decimal(0), Decimal("0.5"))))
        elif self._holds <= 0 or self._dice.random() < 0.1:
            self.enter()

    def _ask_for_entry(self) -> None:
        if self._intent is None or self._tries == TRIES_MAX:
            self._intent = None
            return
        self._tries += 1
        ask_price = self._market.ask(self.symbol)
        worth = Decimal(self._dice.randint(*WORTH_QUOTE))
        self._risk.wants(
            intent_id=self._intent,
            strategy=self.name,
            symbol=self.symbol,
            ask_price=ask_price,
            quantity=(worth / ask_price).quantize(Decimal("0.0001")),
        )

    def _ask_for_exit(self) -> None:
        if self._exit is not None and not self._weather.strikes("exit lost"):
            envelope = self._risk.envelope(self.name, self._exit)
            delay_ns = self._dice.randint(1, 4) * MILLISECOND_NS
            self._scheduler.after(delay_ns, lambda: self._deliver(Asked(self.name, envelope)))

    def _target(self) -> Decimal:
        return Decimal(0) if self._exit is None else self._exit.target_quantity
